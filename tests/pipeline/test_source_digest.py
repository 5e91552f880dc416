"""The digest that makes TFX's cache notice edits."""

from pathlib import Path

import pytest

from pipeline.source_digest import source_digest


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like `pipeline/` with two reports, a template and another module."""
    monkeypatch.setattr("pipeline.source_digest.__file__", str(tmp_path / "source_digest.py"))
    (tmp_path / "templates").mkdir()
    for name in ("report.py", "report_page.py", "templates/report.html", "metrics.py"):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_the_same_files_give_the_same_digest(folder: Path) -> None:
    digest = source_digest("report")
    assert len(digest) == 64
    assert source_digest("report") == digest
    assert source_digest("metrics") != digest


@pytest.mark.parametrize("name", ["report.py", "report_page.py", "templates/report.html"])
def test_an_edit_shows(folder: Path, name: str) -> None:
    before = source_digest("report")
    (folder / name).write_text("edited")
    assert source_digest("report") != before


def test_new_removed_and_renamed_files_show(folder: Path) -> None:
    seen = [source_digest("report")]
    (folder / "report_new.py").write_text("")
    seen.append(source_digest("report"))
    (folder / "report_new.py").rename(folder / "report_newer.py")
    seen.append(source_digest("report"))
    (folder / "report_page.py").unlink()
    seen.append(source_digest("report"))
    assert len(set(seen)) == 4


def test_text_moved_from_one_file_to_the_next_shows(folder: Path) -> None:
    (folder / "report.py").write_text("ab")
    (folder / "report_page.py").write_text("c")
    before = source_digest("report")
    (folder / "report.py").write_text("a")
    (folder / "report_page.py").write_text("bc")
    assert source_digest("report") != before


def test_other_files_and_compiled_ones_do_not_show(folder: Path) -> None:
    before = source_digest("report")
    (folder / "metrics.py").write_text("edited")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "report.cpython-311.pyc").write_bytes(b"compiled")
    assert source_digest("report") == before


@pytest.mark.parametrize("prefix", ["comparison", "report"])
def test_the_real_components_have_files(prefix: str) -> None:
    assert source_digest(prefix) != source_digest("no such file")
