"""What XNNPACK takes of a model, asked in a process of its own."""

from pathlib import Path

import pytest

from modules.inference import delegation
from tests.support.digit_models import DigitModels


@pytest.mark.parametrize("recipe", ["float32", "int8_io"])
def test_xnnpack_takes_all_of_our_models(digit_models: DigitModels, recipe: str) -> None:
    trial = delegation.try_out(digit_models.tflite_paths[recipe])
    assert trial == delegation.Trial(is_read=True, undelegated={}, problem="")


def test_a_file_that_is_no_model_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"\x20\0\0\0TFL3" + bytes(range(256)))
    trial = delegation.try_out(str(path))
    assert (trial.is_read, trial.undelegated) == (False, None)
    assert "Flatbuffer" in trial.problem


def test_the_end_of_the_process_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python itself ends as LiteRT would: before, or after the file was read."""
    for lines, is_read in (("", False), ("echo '[\"read\", null]'; ", True)):
        program = tmp_path / "python"
        program.write_text(f"#!/bin/sh\n{lines}kill -ABRT $$\n")
        program.chmod(0o755)
        with monkeypatch.context() as patched:
            patched.setattr(delegation.sys, "executable", str(program))
            trial = delegation.try_out("any.tflite")
        assert (trial.is_read, trial.undelegated) == (is_read, None)
        assert trial.problem == "LiteRT ends the process that it is in over it (status -6)"
