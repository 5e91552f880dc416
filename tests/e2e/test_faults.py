"""What happens when a run is killed, or fails on the way."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data.dataset import DatasetFiles
from data.resolve import DEFAULT_CACHE, resolve_dataset
from modules.train_config import TrainConfig
from pipeline import local_runner
from pipeline.config import PipelineConfig
from tests.e2e.harness import RUNNER, Run, environment, run_pipeline

PATIENCE_S = 300


def kill_when_shown(project: Path, output: Path, sign: str) -> None:
    """Starts a run on the digits and sends SIGKILL as soon as its terminal shows `sign`."""
    log = output.parent / "killed.txt"
    with open(log, "w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", RUNNER],
            cwd=project,
            env=environment(DATASET="digits", OUTPUT=output, RECIPES="float32"),
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + PATIENCE_S
        while sign not in log.read_text():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_killed_in_the_trainer_it_goes_on_and_ends_with_the_same_parameters(
    digits_run: Run, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    kill_when_shown(digits_run.project, output, "epoch  3/10")
    assert not list(output.glob("serving/*"))
    [checkpoints] = output.glob("checkpoints/*")
    last = max(int(path.name) for path in checkpoints.iterdir() if path.name.isdigit())
    assert last >= 3

    again = run_pipeline(digits_run.project, DATASET="digits", OUTPUT=output, RECIPES="float32")

    assert again.status == 0, again.text
    times = again.component_lines()
    assert times["FileBasedExampleGen"] == times["Transform"] == "cached"
    assert times["Trainer"] != "cached"
    assert f"  going on after epoch {last}, saved in {checkpoints}\n" in again.text
    # Once the model is safe, they are removed; so they were in the run that nobody killed.
    assert not [*output.glob("checkpoints/*"), *digits_run.output.glob("checkpoints/*")]
    # Same seed and data, another OUTPUT: the same bits.
    expected, found = digits_run.parameters(), again.parameters()
    assert expected.keys() == found.keys() and len(found) == 8
    for name in expected:
        assert expected[name].tobytes() == found[name].tobytes(), name
    device_files = [next(run.output.glob("device/*/float32.tflite")) for run in (digits_run, again)]
    assert device_files[0].read_bytes() == device_files[1].read_bytes()
    assert again.verdict() == digits_run.verdict()[:2]


def config(dataset: DatasetFiles, output: Path, **changes: object) -> PipelineConfig:
    return dataclasses.replace(PipelineConfig(dataset, output, TrainConfig(epochs=1)), **changes)


@pytest.fixture(scope="module")
def digits() -> DatasetFiles:
    return resolve_dataset("digits", None, DEFAULT_CACHE)


def test_nan_in_training_fails_with_epoch_and_step_and_pushes_nothing(
    digits: DatasetFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = local_runner.run(config(digits, tmp_path, train=TrainConfig(learning_rate=1e9)))
    assert status == local_runner.FAILED
    shown = capsys.readouterr().err
    assert "TrainingDivergedError" in shown and "epoch 1, step" in shown
    assert "Traceback" not in shown
    assert not list(tmp_path.glob("serving/*")) and not list(tmp_path.glob("device/*"))
    assert not list(tmp_path.glob("pipeline/Trainer/model/*/Format-Serving"))


def test_anomalies_stop_the_pipeline_before_training(
    digits: DatasetFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    five_classes = dataclasses.replace(digits, num_classes=5)
    status = local_runner.run(config(five_classes, tmp_path))
    assert status == local_runner.FAILED
    shown = capsys.readouterr().err
    assert "DataAnomalyError" in shown and "feature image_class" in shown and "9" in shown
    assert not list(tmp_path.glob("pipeline/Transform")) + list(tmp_path.glob("pipeline/Trainer"))
