"""How the commands of runtimes are found, and when they count as other ones."""

import os
import shutil
import sys
from importlib import metadata
from pathlib import Path

import pytest

from modules.inference.runtimes import catalogue, run_model
from modules.inference.runtimes.catalogue import RUNTIMES, Runtime

MADE = Runtime(
    "made", "a test's", ("cat", "-n", "@some/text", "some/file.py"), "make it", ("lib/x-*.info",)
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project that has all that MADE needs."""
    for name, content in (("some/text", "a:b\n"), ("some/file.py", "1")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "lib/x-1.2.info").mkdir(parents=True)
    return tmp_path


def test_parts_of_a_command(root: Path) -> None:
    assert MADE.missing(root) is None
    assert MADE.arguments(root) == ["cat", "-n", "a:b", f"{root}/some/file.py"]


@pytest.mark.parametrize("name", ["some/text", "some/file.py"])
def test_a_file_that_is_not_there(root: Path, name: str) -> None:
    (root / name).unlink()
    assert MADE.missing(root) == f"made needs {name}, which is not there: `make it` makes it"


def test_a_program_that_is_not_installed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    assert MADE.missing(root) == "made needs cat, which is not installed; then `make it`"


def test_its_version_changes_with_what_would_answer(root: Path) -> None:
    before = MADE.version(root)
    assert before == MADE.version(root)
    assert before.startswith("x-1.2.info ")
    found = {before}
    for name in ("some/text", "some/file.py"):
        (root / name).write_text(f"another {name}")
        found.add(MADE.version(root))
    (root / "lib/x-1.2.info").rename(root / "lib/x-1.3.info")
    found.add(MADE.version(root))
    assert len(found) == 4


def test_a_link_to_an_interpreter_is_not_read(root: Path) -> None:
    linked = Runtime("linked", "", ("some/python", "some/file.py"), "make it")
    os.symlink(shutil.which("true"), root / "some/python")
    before = linked.version(root)
    (root / "some/python").unlink()
    os.symlink(sys.executable, root / "some/python")
    assert linked.version(root) == before
    assert linked.arguments(root)[0] == f"{root}/some/python"


def test_of_the_project_itself_there_are_always_three() -> None:
    assert catalogue.installed()[:3] == ("xnnpack", "builtin", "reference")
    assert catalogue.installed(["reference", "xnnpack", "none"]) == ("xnnpack", "reference")


def test_of_those_the_program_counts_too(tmp_path: Path) -> None:
    before = RUNTIMES["reference"].version()
    assert (
        before.startswith(metadata.version("ai-edge-litert"))
        and RUNTIMES["builtin"].version() == before
    )
    program = tmp_path / RUNTIMES["reference"].command[2]
    program.parent.mkdir(parents=True)
    program.write_text("another")
    assert RUNTIMES["reference"].version(tmp_path) != before
    assert run_model.CANNOT_RUN == catalogue.CANNOT_RUN


def test_every_other_one_says_how_it_is_had(tmp_path: Path) -> None:
    for runtime in RUNTIMES.values():
        if runtime.setup:
            assert runtime.setup in runtime.missing(tmp_path)
