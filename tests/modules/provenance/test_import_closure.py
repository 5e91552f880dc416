"""The files that a module can import, in small trees beside the project."""

import sys
from pathlib import Path

import pytest

from modules.provenance.import_closure import Closure, Code

TREE = {
    "top.py": "import single\nfrom folder import inner\nimport lib.part, json",
    "single.py": "def f():\n    from package import deep",
    "folder/inner.py": "from . import beside, below",  # a folder without __init__.py
    "folder/beside.py": "from .below.lowest import NAME",
    "folder/below/lowest.py": "NAME = 1",
    "package/__init__.py": "",
    "package/deep.py": "from .other import NAME",
    "package/other.py": "NAME = 'package.named.function'",
    "package/named.py": "from package.all import *",
    "package/all/__init__.py": "__all__ = ['starred']",
    "package/all/starred.py": "import importlib",
    "package/unused.py": "",
    "beside.py": "",
    "site-packages/lib/part.py": "import beside",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in TREE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    return tmp_path


def closure(*names: str) -> Closure:
    return Code().closure(names)


def test_every_way_to_import_is_followed(folder: Path) -> None:
    found = closure("top")
    assert found.files.keys() == {
        *("top", "single", "folder.inner", "folder.beside", "folder.below.lowest"),
        *("package", "package.deep", "package.other", "package.named"),
        *("package.all", "package.all.starred"),
    }
    assert found.packages >= {"lib", "json"}


def test_a_function_stands_for_its_module(folder: Path) -> None:
    assert closure("package.deep.function") == closure("package.deep")


def test_only_what_is_written_here_is_found_in_a_text(folder: Path) -> None:
    text = '{"module": "package.named.f", "other": "lib.part", "x": "json.tool", "y": "a.b"}'
    assert Code().named_in(text) == {"package.named.f"}


@pytest.mark.parametrize("name", [name for name in TREE if "package/un" not in name])
def test_an_edit_shows_where_the_file_is_imported(folder: Path, name: str) -> None:
    before = closure("top")
    path = folder / name
    path.write_text(TREE[name] + "\n# edited")
    changed = closure("top") != before
    assert changed == (name not in ("beside.py", "site-packages/lib/part.py"))


def test_a_new_module_that_shadows_another_shows(folder: Path) -> None:
    before = closure("top")
    (folder / "lib").mkdir()
    (folder / "lib" / "__init__.py").write_text("")
    sys.path.remove(str(folder))
    sys.path.insert(0, str(folder))
    assert closure("top") != before


def test_files_that_the_code_names_count(folder: Path) -> None:
    (folder / "single.py").write_text("TABLE = open('table.json'), 'more'")
    (folder / "table.json").write_text("{}")
    (folder / "more").mkdir()
    (folder / "more" / "of_it.json").write_text("{}")
    found = closure("top").files
    assert "single:table.json" in found
    assert not [name for name in found if "of_it" in name]  # may be any number of files
    (folder / "table.json").write_text("[]")
    assert closure("top").files["single:table.json"] != found["single:table.json"]


def test_broken_and_odd_files_count_by_their_content(folder: Path) -> None:
    (folder / "single.py").write_text("def f(:")
    (folder / "folder" / "inner.py").write_text("from .... import nowhere")
    found = closure("top")
    assert {"single", "folder.inner"} <= found.files.keys()
    assert "package" not in found.files


def test_where_it_is_does_not_matter(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = closure("top")
    moved = tmp_path_factory.mktemp("moved") / "project"
    folder.rename(moved)
    sys.path[:] = [path.replace(str(folder), str(moved)) for path in sys.path]
    assert closure("top") == before


def test_real_imports_of_the_training_are_among_those_found(imported_by_training: set[str]) -> None:
    ours = {name for name in imported_by_training if name.partition(".")[0] == "modules"}
    assert len(ours) > 5
    assert ours <= closure("modules.training.loop").files.keys()


def test_a_file_finds_what_lies_beside_it_after_what_is_ours(tmp_path: Path) -> None:
    """As it does when it is run by its path; its name does not matter."""
    (tmp_path / "own.py").write_text("import beside, data.task\n'weights.bin'")
    (tmp_path / "beside.py").write_text("import further")
    (tmp_path / "further.py").write_text("")
    (tmp_path / "weights.bin").write_bytes(b"\1")
    (tmp_path / "data.py").write_text("")
    files = Code().closure([tmp_path / "own.py"]).files
    assert {"./own.py", "beside", "further", "./own.py:weights.bin", "data.task"} <= set(files)
    assert files["data"] == Code().closure(["data"]).files["data"]


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Code().closure([tmp_path / "own.py"])


def test_what_was_read_for_a_file_is_known_to_have_changed(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("")
    code = Code()
    code.closure([tmp_path / "own.py"])
    assert code.changed_since(0) == [tmp_path / "own.py"]
