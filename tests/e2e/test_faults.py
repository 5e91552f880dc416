"""What happens when a run is killed, or fails on the way."""

import dataclasses
import os
import signal
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2

from data.cache import IN_PROJECT
from data.dataset import Dataset
from data.files import PROJECT_ROOT
from data.resolve import resolve_dataset
from modules.training.config import TrainConfig
from pipeline import local_runner
from pipeline.config import PipelineConfig
from pipeline.metadata import runs
from pipeline.running import outcome, preflight
from tests.e2e.support.harness import (
    PATIENCE_S,
    PIPELINE_NAME,
    Run,
    kill_when_shown,
    started,
    wait_until_shown,
)
from tests.e2e.support.in_process import run_here


def test_killed_in_the_trainer_it_goes_on_and_ends_with_the_same_parameters(
    digits_run: Run, tmp_path: Path
) -> None:
    output = tmp_path / "output"
    settings = {"DATASET": "digits", "OUTPUT": output, "RECIPES": "float32"}
    kill_when_shown("epoch  3/10", PROJECT_ROOT, tmp_path / "killed.txt", **settings)
    assert not list(output.glob("serving/*"))
    [checkpoints] = output.glob("checkpoints/*")
    last = max(int(path.name) for path in checkpoints.iterdir() if path.name.isdigit())
    assert last >= 3

    again = run_here(**settings)

    assert again.status == 0, again.text
    times = again.component_lines()
    assert times["FileBasedExampleGen"] == times["Transform"] == "cached"
    assert times["Trainer"] != "cached"
    # What the killed run left in ML Metadata and on the disk is tidied up; its checkpoints are not.
    killed, trained = (
        execution
        for execution in runs.pipeline_executions(again.store(), PIPELINE_NAME)
        if runs.node_id(again.store(), execution) == "Trainer"
    )
    assert f"Trainer: execution {killed.id} was killed, marked as failed, removed " in again.text
    assert killed.last_known_state == metadata_store_pb2.Execution.FAILED
    assert trained.last_known_state == metadata_store_pb2.Execution.COMPLETE
    kept = {path.name for path in output.glob("pipeline/Trainer/*/*")}
    assert kept == {str(trained.id), "executor_execution", "stateful_working_dir"}
    assert not list(output.glob("pipeline/Trainer/.system/stateful_working_dir/*"))
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


def test_ended_by_sigterm_it_stops_as_by_ctrl_c(project: Path, tmp_path: Path) -> None:
    """Also in the midst of Beam's work, which makes an error of its own of it."""
    log, output = tmp_path / "ended.txt", tmp_path / "output"
    settings = {"DATASET": "digits", "OUTPUT": output, "RECIPES": "float32"}
    with started(project, log, **settings) as process:
        wait_until_shown("StatisticsGen", process, log)
        # Beam's engine says so when it begins.
        wait_until_shown(
            "Creating state cache", process, output / "run.log", after="StatisticsGen is"
        )
        process.terminate()
        assert process.wait(PATIENCE_S) == local_runner.FAILED, log.read_text()
    shown = log.read_text().splitlines()
    assert shown[-2].startswith("[ 3/") and shown[-2].endswith(" stopped")
    assert shown[-1] == "interrupted; run again to go on after the last finished component"
    assert len(shown) == 6
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_ended_while_tfx_is_loaded(project: Path, tmp_path: Path) -> None:
    log = tmp_path / "ended.txt"
    with started(project, log, DATASET="digits", OUTPUT=tmp_path) as process:
        wait_until_shown("loading TFX", process, log)
        process.send_signal(signal.SIGHUP)
        assert process.wait(PATIENCE_S) == local_runner.FAILED, log.read_text()
    assert "Traceback" not in log.read_text()
    assert log.read_text().endswith(
        "interrupted; run again to go on after the last finished component\n"
    )


def test_all_that_a_run_leaves_in_its_output_is_tried_before(digits_run: Run) -> None:
    data = resolve_dataset("digits", None, IN_PROJECT)
    places = PipelineConfig(data, digits_run.output)
    known = {path.name for path in (*preflight.folders(places), *preflight.files(places))}
    assert {path.name for path in digits_run.output.iterdir()} - known == set()
    assert {
        path.name for path in (digits_run.output / "report").iterdir() if path.is_file()
    } <= known


def test_a_report_that_cannot_be_copied_is_told_in_a_sentence(
    digits_run: Run, tmp_path: Path
) -> None:
    (tmp_path / ".report-new").symlink_to("/proc/none")  # where the copy is put together
    data = resolve_dataset("digits", None, IN_PROJECT)
    config = PipelineConfig(data, tmp_path, metadata="")
    (tmp_path / "metadata.db").symlink_to(digits_run.output / "metadata.db")
    with pytest.raises(outcome.ReportError) as caught:
        outcome.copy_report(config)
    assert str(caught.value).startswith(f"cannot copy the report to {tmp_path}/report (")
    assert str(caught.value).count("(") == 1 and "File exists" in str(caught.value)


def config(dataset: Dataset, output: Path, **changes: object) -> PipelineConfig:
    return dataclasses.replace(PipelineConfig(dataset, output, TrainConfig(epochs=1)), **changes)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return resolve_dataset("digits", None, IN_PROJECT)


def test_nan_in_training_fails_with_epoch_and_step_and_pushes_nothing(
    digits: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = local_runner.run(config(digits, tmp_path, train=TrainConfig(learning_rate=1e9)))
    assert status == local_runner.FAILED
    shown = capsys.readouterr().err
    assert "TrainingDivergedError" in shown and "epoch 1, step" in shown
    assert "Traceback" not in shown
    assert not list(tmp_path.glob("serving/*")) and not list(tmp_path.glob("device/*"))
    assert not list(tmp_path.glob("pipeline/Trainer/model/*/Format-Serving"))


def test_anomalies_stop_the_pipeline_before_training(
    digits: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = dataclasses.replace(digits.task, label_names=tuple("01234"))
    five_classes = dataclasses.replace(digits, task=task)
    status = local_runner.run(config(five_classes, tmp_path))
    assert status == local_runner.FAILED
    shown = capsys.readouterr().err
    assert "DataAnomalyError" in shown and "feature image_class" in shown and "9" in shown
    assert not list(tmp_path.glob("pipeline/Transform")) + list(tmp_path.glob("pipeline/Trainer"))
