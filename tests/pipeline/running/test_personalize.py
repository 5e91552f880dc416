"""`make personalize`, on a SavedModel that was pushed."""

from pathlib import Path

import pytest

from modules.inference.personal import manifest
from modules.inference.personal.client import PersonalModel
from pipeline.running import personalize
from pipeline.storage import version_writer
from tests.support.digit_models import DigitModels


@pytest.fixture
def output(tmp_path: Path, digit_models: DigitModels, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The output of a run on the digits, as far as the command looks at it."""
    folder = tmp_path / "output"
    model = Path(digit_models.server_dir)
    files = {str(path.relative_to(model)): path for path in model.rglob("*") if path.is_file()}
    version_writer.push(files, str(folder / "serving"), "0" * 16, "test")
    for name in ("BASE", "HEAD", "OPTIMIZER", "NUM_CLASSES", "LEARNING_RATE", "OUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATASET", str(digit_models.files.location))
    monkeypatch.setenv("OUTPUT", str(folder))
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["personalize", *arguments])
    return personalize.main()


def test_a_package_of_what_was_pushed(
    output: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The settings of make and the command line say the same."""
    monkeypatch.setenv("HEAD", "mlp")
    assert run(monkeypatch, "--num_classes", "12", "--optimizer", "adam") == 0
    shown = capfd.readouterr().out.splitlines()
    assert shown[-1] == f"personal model: {output / 'personal' / 'new'}"
    made = manifest.read(output / "personal" / "new")
    assert (made.head, made.optimizer, made.num_classes) == ("mlp", "adam", 12)
    assert made.replay.images == 100
    model = PersonalModel(output / "personal" / "new")
    assert len(model.class_names) == 10
    assert run(monkeypatch) == 2  # not twice into one folder
    assert "expected a folder that is not there, or empty" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--head", "sofmax"), "head 'sofmax': there is none such; expected softmax, mlp"),
        (("--head", "/no/such.py"), "there is no such file"),
        (("--head", "last:9"), "last:9: the network cannot be cut there: it has 4 layers"),
        (("--head", "last:x"), "head 'last:x': there is none such"),
        (("--optimizer", "lion"), "optimizer 'lion': there is none such; expected sgd"),
        (("--num_classes", "9"), "NUM_CLASSES=9: expected a whole number from 10"),
        (("--train_batch_size", "0"), "TRAIN_BATCH_SIZE=0: expected a whole number from 1"),
        (("--learning_rate", "-1"), "LEARNING_RATE=-1: expected a number from"),
        (("--base", "/no/such"), "/no/such is no SavedModel of this project"),
        (("--base", "keras:Nothing", "--weights", "random"), "there is no such network"),
        (("--recipe", "int4"), "--recipe int4: expected one of float32"),
        (("--head", "all", "--num_classes", "11"), "has no outputs for new classes"),
    ],
)
def test_what_will_not_do(
    output: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    reason: str,
) -> None:
    assert run(monkeypatch, *arguments) == 2
    line = capfd.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ") and reason in line
    assert not any(output.glob("personal/*/*"))
