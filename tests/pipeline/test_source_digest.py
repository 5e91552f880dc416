"""The digest that makes TFX's cache notice edits."""

from pathlib import Path

import pytest

from pipeline.source_digest import source_digest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two reports, a template and another module."""
    (tmp_path / "templates").mkdir()
    for name in ("report.py", "report_page.py", "templates/report.html", "metrics.py"):
        (tmp_path / name).write_text(name)
    return tmp_path


def digest_of(folder: Path) -> str:
    """The digest of the report's files."""
    return source_digest("report*.py", "templates/*", root=folder)


def test_the_same_files_give_the_same_digest(folder: Path) -> None:
    assert len(digest_of(folder)) == 64
    assert digest_of(folder) == digest_of(folder)
    assert source_digest("metrics.py", root=folder) != digest_of(folder)


def test_a_file_that_two_patterns_match_counts_once(folder: Path) -> None:
    assert source_digest("report*.py", "report.py", "templates/*", root=folder) == digest_of(folder)


@pytest.mark.parametrize("name", ["report.py", "report_page.py", "templates/report.html"])
def test_an_edit_shows(folder: Path, name: str) -> None:
    before = digest_of(folder)
    (folder / name).write_text("edited")
    assert digest_of(folder) != before


def test_new_removed_and_renamed_files_show(folder: Path) -> None:
    seen = [digest_of(folder)]
    (folder / "report_new.py").write_text("")
    seen.append(digest_of(folder))
    (folder / "report_new.py").rename(folder / "report_newer.py")
    seen.append(digest_of(folder))
    (folder / "report_page.py").unlink()
    seen.append(digest_of(folder))
    assert len(set(seen)) == 4


def test_text_moved_from_one_file_to_the_next_shows(folder: Path) -> None:
    (folder / "report.py").write_text("ab")
    (folder / "report_page.py").write_text("c")
    before = digest_of(folder)
    (folder / "report.py").write_text("a")
    (folder / "report_page.py").write_text("bc")
    assert digest_of(folder) != before


def test_other_files_and_compiled_ones_do_not_show(folder: Path) -> None:
    before = digest_of(folder)
    (folder / "metrics.py").write_text("edited")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "report.cpython-311.pyc").write_bytes(b"compiled")
    assert digest_of(folder) == before


def test_a_pattern_without_files_is_a_mistake(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nothing"):
        source_digest("report*.py", "nothing*.py", root=folder)
