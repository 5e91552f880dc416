"""Where a training keeps its checkpoints."""

from pathlib import Path

import pytest

from modules.training.saved import checkpoint_folder


def test_the_runner_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_folder, "_folder", None)
    checkpoint_folder.keep_in(tmp_path)
    assert checkpoint_folder.folder() == tmp_path / "checkpoints"


def test_without_a_runner_it_is_of_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint_folder, "_folder", None)
    one, other = checkpoint_folder.folder(), checkpoint_folder.folder()
    assert one != other and not [*one.iterdir(), *other.iterdir()]
    assert one.stat().st_mode & 0o077 == 0
    one.rmdir()
    other.rmdir()
