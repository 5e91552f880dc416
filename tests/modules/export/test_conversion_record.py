"""What was checked is what may be used later; anything else is told apart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from modules.export import conversion_record
from modules.export.facts import Baseline, Facts
from modules.export.graph.flatbuffer import ConversionError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a SavedModel and, beside it, a device model, both recorded."""
    serving = tmp_path / "Format-Serving"
    (serving / "variables").mkdir(parents=True)
    (serving / "saved_model.pb").write_bytes(b"graph")
    (serving / "variables" / "variables.index").write_bytes(b"index")
    with conversion_record.recorded(str(serving), "float32"):
        (serving / "tflite").write_bytes(b"model")
    return serving


def test_what_was_checked_may_be_used(folder: Path) -> None:
    assert conversion_record.refusal(str(folder)) is None
    assert conversion_record.altered_files(str(folder)) == []


@pytest.mark.parametrize(
    ("alter", "reason"),
    [
        (lambda folder: (folder / "tflite").write_bytes(b"Model"), "altered after it was checked"),
        (lambda folder: (folder / "tflite").unlink(), "the file is missing"),
        (lambda folder: (folder.parent / "checked.json").unlink(), "there is no checked.json"),
        (lambda folder: (folder.parent / "checked.json").write_text("{"), "no checked.json"),
        (lambda folder: (folder.parent / "checked.json").write_text("[]"), "no checked.json"),
    ],
    ids=["altered", "missing", "no-record", "half-a-record", "other-record"],
)
def test_device_model_that_is_another_one(
    folder: Path, alter: Callable[[Path], object], reason: str
) -> None:
    alter(folder)
    assert reason in (conversion_record.refusal(str(folder)) or "")


def test_facts_are_kept_beside_the_model(folder: Path) -> None:
    assert conversion_record.facts(str(folder)) is None
    known = Facts(3, {"EXP": ("a/exp",)}, {}, False, Baseline(3, 5, 4, 900))
    with conversion_record.recorded(str(folder), "int8") as record:
        record.facts = known
    assert conversion_record.facts(str(folder)) == known
    assert conversion_record.refusal(str(folder)) is None


def test_a_refused_model_has_no_facts(folder: Path) -> None:
    with conversion_record.recorded(str(folder), "int8") as record:
        record.facts = Facts(3, {}, {}, False, Baseline(3, 5, 4, 900))
        raise ConversionError("it takes too long")
    assert conversion_record.facts(str(folder)) is None
    assert conversion_record.refusal(str(folder)) == "it takes too long"


def test_every_file_of_the_saved_model_counts(folder: Path) -> None:
    (folder / "saved_model.pb").write_bytes(b"graph, other")
    (folder / "variables" / "variables.index").unlink()
    (folder / "assets.txt").write_bytes(b"new")
    (folder / "tflite").write_bytes(b"not of the SavedModel")
    found = conversion_record.altered_files(str(folder))
    assert found == ["assets.txt", "saved_model.pb", "variables/variables.index"]


def test_refusal_leaves_what_was_there_before_and_the_reason(tmp_path: Path) -> None:
    serving = tmp_path / "Format-Serving"
    serving.mkdir()
    (serving / "saved_model.pb").write_bytes(b"graph")
    with conversion_record.recorded(str(serving), "int8"):
        (serving / "tflite").write_bytes(b"half")
        (serving / "tmp-rewrite-17").mkdir()
        (serving / "tmp-rewrite-17" / "saved_model.pb").touch()
        raise ConversionError(f"{serving}/tflite: no kernel\n for 'tfl.transpose'")
    assert [path.name for path in serving.iterdir()] == ["saved_model.pb"]
    assert conversion_record.refusal(str(serving)) == "no kernel for 'tfl.transpose'"
    assert conversion_record.altered_files(str(serving)) == []


@pytest.mark.parametrize("error", [OSError, ValueError, KeyboardInterrupt])
def test_other_errors_go_on_their_way(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "Format-Serving").mkdir()
    with pytest.raises(error), conversion_record.recorded(str(tmp_path / "Format-Serving"), "int8"):
        raise error
    assert not (tmp_path / "checked.json").exists()
