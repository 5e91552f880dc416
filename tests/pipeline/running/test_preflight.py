"""Every place that a run writes to is tried before any work, and left as it is."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from data.cache import IN_PROJECT
from data.errors import ConfigError
from data.resolve import resolve_dataset
from pipeline.config import PipelineConfig
from pipeline.running import preflight

OUTPUT = Path("output")
CONFIG = PipelineConfig(resolve_dataset("digits", None, IN_PROJECT), OUTPUT)
FOLDERS = [str(folder.relative_to(OUTPUT)) for folder in preflight.folders(CONFIG)]
FILES = [str(file.relative_to(OUTPUT)) for file in preflight.files(CONFIG)]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    (tmp_path / OUTPUT / "report").mkdir(parents=True)
    return tmp_path / OUTPUT


def checked(output: Path) -> str:
    """Returns what is refused with this output, which stays as it was."""
    before = {path: path.lstat() for path in output.rglob("*")}
    with pytest.raises(ConfigError) as caught:
        preflight.check(PipelineConfig(CONFIG.dataset, output))
    assert {path: path.lstat().st_mtime for path in output.rglob("*") if path in before} == (
        {path: found.st_mtime for path, found in before.items()}
    )
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_nothing_is_made_where_nothing_is(output: Path) -> None:
    preflight.check(PipelineConfig(CONFIG.dataset, output))
    assert [path.name for path in output.rglob("*")] == ["report"]


def test_what_a_run_left_will_do(output: Path) -> None:
    for name in FOLDERS:
        (output / name).mkdir(exist_ok=True)
    for name in FILES:
        (output / name).write_text("of an earlier run")
    preflight.check(PipelineConfig(CONFIG.dataset, output))
    assert {(output / name).read_text() for name in FILES} == {"of an earlier run"}


def a_file(path: Path) -> None:
    path.write_text("mine")


def a_loop(path: Path) -> None:
    path.symlink_to(path)


def a_link_to_nowhere(path: Path) -> None:
    path.symlink_to(path.parent / "no" / "where")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_link_to_proc(path: Path) -> None:
    path.symlink_to("/proc/none")


@pytest.mark.parametrize("make", [a_file, a_loop, a_link_to_nowhere, a_link_to_proc])
@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_is_none(output: Path, name: str, make: Callable[[Path], None]) -> None:
    if name == "report":
        (output / name).rmdir()
    make(output / name)
    assert checked(output).startswith(f"OUTPUT={output}: {name} in it cannot be written (")


@pytest.mark.parametrize("make", [a_folder, a_loop, a_link_to_nowhere, a_link_to_proc, os.mkfifo])
@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_none(output: Path, name: str, make: Callable[[Path], None]) -> None:
    make(output / name)
    assert checked(output).startswith(f"OUTPUT={output}: {name} in it cannot be written (")


def test_folders_elsewhere(output: Path, tmp_path: Path) -> None:
    (tmp_path / "push").mkdir()
    (tmp_path / "push" / "device").write_text("mine")
    config = PipelineConfig(CONFIG.dataset, output, push_to=str(tmp_path / "push"))
    with pytest.raises(ConfigError, match=f"^{tmp_path}/push/device: it cannot be written"):
        preflight.check(config)


@pytest.mark.parametrize(
    ("limit", "words"), [("MIN_FREE_OUTPUT", "OUTPUT="), ("MIN_FREE_TEMPORARY", "TMPDIR=")]
)
def test_a_disk_that_is_full(
    output: Path, monkeypatch: pytest.MonkeyPatch, limit: str, words: str
) -> None:
    monkeypatch.setattr(preflight, limit, 1 << 60)
    assert checked(output).startswith(words)
    assert "MiB are free there, and a run needs at least" in checked(output)
