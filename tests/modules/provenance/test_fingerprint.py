"""The digest of code and versions, with distributions that are laid into a folder."""

import json
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modules.provenance import fingerprint as fingerprints
from modules.provenance.fingerprint import fingerprint, versions

CACHED = (
    *(fingerprints.versions, fingerprints._distributions_by_package, fingerprints._distribution),
    *(fingerprints._version, fingerprints._requirements, fingerprints._editable_modules),
)


def forget() -> None:
    """As a new process begins."""
    for function in CACHED:
        function.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module that imports `lib`, which requires `Lib.Base` and, with an extra, `lib-more`."""
    (tmp_path / "mine.py").write_text("import lib")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    needs = ["Lib.Base[fast]>=1; python_version > '3'", 'tool; extra == "dev"']
    install(tmp_path, "lib", requires=needs)
    install(tmp_path, "lib_base", requires=['lib-more; extra == "fast"'])
    for name in ("lib_more", "tool", "unrelated"):
        install(tmp_path, name)
    forget()
    yield tmp_path
    forget()


def install(
    folder: Path,
    name: str,
    version: str = "1.0",
    requires: list[str] | None = None,
    record: str = "",
    direct_url: dict | None = None,
) -> None:
    """Lays a distribution with a module of its name into `site-packages`, replacing another."""
    module = folder / "site-packages" / f"{name}.py"
    module.parent.mkdir(exist_ok=True)
    module.write_text("")
    info = folder / "site-packages" / f"{name}-1.0.dist-info"
    info.mkdir(exist_ok=True)
    needs = [f"Requires-Dist: {each}" for each in requires or ()]
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *needs]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    (info / "top_level.txt").write_text(name)
    (info / "RECORD").write_text(record)
    if direct_url:
        (info / "direct_url.json").write_text(json.dumps(direct_url))
    forget()


def test_versions_are_those_of_all_that_is_required(folder: Path) -> None:
    assert versions(frozenset({"lib", "json", "nowhere"})) == dict.fromkeys(
        ("lib", "lib-base", "lib-more"), "1.0"
    )


@pytest.mark.parametrize(
    ("name", "changes"),
    [("lib", True), ("lib_base", True), ("lib_more", True), ("tool", False), ("unrelated", False)],
)
def test_another_version_shows_where_it_is_required(folder: Path, name: str, changes: bool) -> None:
    before = fingerprint(["mine"])
    install(folder, name, version="1.1", requires=_requirements_of(folder, name))
    assert (fingerprint(["mine"]) != before) == changes


def _requirements_of(folder: Path, name: str) -> list[str]:
    metadata = folder / "site-packages" / f"{name}-1.0.dist-info" / "METADATA"
    lines = metadata.read_text().splitlines()
    return [line.partition(": ")[2] for line in lines if line.startswith("Requires-Dist")]


def test_an_edit_shows(folder: Path) -> None:
    before = fingerprint(["mine"])
    assert fingerprint(["mine"]) == before and len(before) == 64
    (folder / "mine.py").write_text("import lib  # edited")
    assert fingerprint(["mine"]) != before


def test_a_package_built_again_under_its_version_shows(folder: Path) -> None:
    built = {"url": "file:///src/lib", "dir_info": {}}
    seen = set()
    for record in ("lib.py,sha256=a,1", "lib.py,sha256=b,1"):
        install(folder, "lib", record=record, direct_url=built)
        seen.add(fingerprint(["mine"]))
    assert len(seen) == 2


def test_an_edit_of_an_editable_package_that_another_requires_shows(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path_factory.mktemp("checkout")
    install(folder, "lib_base", direct_url={"url": "file:///x", "dir_info": {"editable": True}})
    (folder / "site-packages" / "lib_base.py").unlink()
    monkeypatch.syspath_prepend(checkout)  # as a .pth file does
    seen = set()
    for text in ("import lib_more", "import lib_more  # edited"):
        (checkout / "lib_base.py").write_text(text)
        seen.add(fingerprint(["mine"]))
    assert len(seen) == 2


def test_a_plug_in_that_is_there_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fingerprints._PLUGINS, "lib", "unrelated")
    assert "unrelated" in versions(frozenset({"lib"}))


def test_another_python_shows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fingerprint(["mine"])
    monkeypatch.setattr(platform, "python_version", lambda: "3.99.0")
    assert fingerprint(["mine"]) != before


def test_where_it_is_installed_does_not_matter(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    before = fingerprint(["mine"])
    moved = tmp_path_factory.mktemp("moved") / "environment"
    folder.rename(moved)
    sys.path[:] = [path.replace(str(folder), str(moved)) for path in sys.path]
    forget()
    assert fingerprint(["mine"]) == before


@pytest.mark.parametrize("package", ["jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy"])
def test_what_a_training_computes_with_counts(package: str) -> None:
    forget()
    closure = fingerprints.Code().closure(["modules.training.loop"])
    found = versions(closure.packages).keys()
    assert package in found and not {"tensorflow", "tfx", "pytest", "ruff"} & found


def test_a_file_counts_by_its_content_wherever_it_lies(folder: Path) -> None:
    places = [folder / name for name in ("one", "two")]
    for place in places:
        place.mkdir()
        (place / "net.py").write_text("import lib, layers")
        (place / "layers.py").write_text("")
    first, same = (fingerprint([place / "net.py"]) for place in places)
    assert first == same
    (places[0] / "layers.py").write_text("# edited")
    edited = fingerprint([places[0] / "net.py"])
    install(folder, "lib_more", version="1.1")
    assert len({first, edited, fingerprint([places[0] / "net.py"])}) == 3
