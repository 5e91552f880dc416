"""The compiled spec, every task of it, on the digits."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from data.files import PROJECT_ROOT
from pipeline import kubeflow_runner
from tests.e2e.support.harness import environment
from tests.e2e.support.in_process import called
from tests.e2e.support.spec_runner import SpecRun, TaskFailedError

IMAGE = "registry.example/mnist-jax:1"
SETTINGS = {
    **{"DATASET": "digits", "EPOCHS": "3", "MIN_ACCURACY": "0.5"},
    "RECIPES": "float32,dynamic_range",
}


def compiled(folder: Path, **settings: str | Path) -> subprocess.CompletedProcess:
    """Compiles as `make kubeflow` does."""
    output = {"OUTPUT": folder / "output"}
    return called(kubeflow_runner.main, environment(**SETTINGS, **output, **settings))


@pytest.fixture(scope="module")
def spec_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a pipeline whose data and artifacts are elsewhere than where it is compiled."""
    folder = tmp_path_factory.mktemp("kubeflow")
    done = compiled(folder, IMAGE=IMAGE, PIPELINE_ROOT=folder / "shared", DATA_ROOT=folder / "data")
    assert done.returncode == 0, done.stdout
    spec_file = folder / "output" / "kubeflow" / "mnist-jax-digits.yaml"
    assert f"\n{spec_file}: " in done.stdout and done.stdout.count("\n") == 3
    shutil.copytree(PROJECT_ROOT / "data" / "cache" / "digits", folder / "data")
    return spec_file


def test_all_tasks_run_to_pushed_models(spec_file: Path) -> None:
    run = SpecRun(spec_file, with_drivers=True, own_process="Report")
    run.run()
    assert len(run.outputs) == 16
    shared = spec_file.parents[2] / "shared"
    [serving], [device] = (list((shared / kind).iterdir()) for kind in ("serving", "device"))
    assert (serving / "saved_model.pb").is_file() and not (serving / "tflite").exists()
    assert {path.name for path in device.iterdir()} == {
        "dynamic_range.tflite",
        "float32.tflite",
        "model.json",
        "pushed.json",
    }
    report = Path(run.outputs["Report"]["report"]["uri"])
    models = json.loads((report / "comparison.json").read_text())["models"]
    assert [model["name"] for model in models] == ["saved_model", "float32", "dynamic_range"]
    assert [model["pushed_to"] for model in models] == [str(serving), str(device), str(device)]
    for model in models[1:]:
        assert {"xnnpack", "builtin", "reference"} <= model["runtimes"].keys()
    assert (report / "index.html").is_file()
    # What ExampleGen's driver found out reached the artifact.
    examples = run.outputs["FileBasedExampleGen"]["examples"]["metadata"]
    assert str(spec_file.parents[2]) not in examples["input_fingerprint"]
    assert examples["input_fingerprint"].count("num_files:2") == 2


def test_example_gen_does_without_its_driver(spec_file: Path, tmp_path: Path) -> None:
    """Open source Kubeflow runs none."""
    run = SpecRun(spec_file, with_drivers=False, root=tmp_path)
    metadata = run.run_task("FileBasedExampleGen")["examples"]["metadata"]
    assert json.loads(metadata["split_names"]) == ["train", "eval", "hard"]
    assert "input_fingerprint" not in metadata
    assert len(list(tmp_path.glob("FileBasedExampleGen/examples/Split-*/data_tfrecord-*.gz"))) == 3


def test_a_task_that_fails_ends_the_run(spec_file: Path, tmp_path: Path) -> None:
    """Or the first test could not fail."""
    stale = tmp_path / "stale.yaml"
    stale.write_text(spec_file.read_text().replace("--source_digest=", "--source_digest=0"))
    with pytest.raises(TaskFailedError, match="StaleImageError: the image does not hold the code"):
        SpecRun(stale, with_drivers=True, own_process="CuratedSchema", root=tmp_path / "root").run()
    assert not (tmp_path / "root" / "FileBasedExampleGen").exists()
