"""When the page is built, and what is said where it cannot be."""

import os
from pathlib import Path

import pytest

from apps.web import build
from data.errors import DataError


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sources of a page; npm and node write down that they were called."""
    folder, programs = tmp_path / "web", tmp_path / "bin"
    (folder / "src" / "page").mkdir(parents=True)
    programs.mkdir()
    for name in ("package-lock.json", "build.mjs", "index.html", "src/page/main.ts"):
        (folder / name).write_text("1")
    program(
        programs,
        "node",
        '[ "$1" = --version ] && echo v20.1.0 && exit; echo "node $*" >> calls; mkdir -p dist',
    )
    program(programs, "npm", 'echo "npm $*" >> calls; mkdir -p node_modules')
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return folder


def calls(folder: Path) -> list[str]:
    return (folder / "calls").read_text().splitlines()


def test_it_is_built_where_it_is_missing_or_stale(sources: Path) -> None:
    assert build.built(sources) == sources / "dist"
    assert build.built(sources) == sources / "dist"
    assert calls(sources) == ["npm ci", "node build.mjs"]
    (sources / "src/page/main.ts").write_text("2")
    build.built(sources)
    assert calls(sources)[2:] == ["node build.mjs"]
    (sources / "package-lock.json").write_text("2")
    build.built(sources)
    assert calls(sources)[3:] == ["npm ci", "node build.mjs"]


@pytest.mark.parametrize("missing", ["node", "npm"])
def test_a_missing_program_is_told(
    sources: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = sources.parent / "bin"
    (programs / missing).unlink()
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(DataError, match=f"^there is no {missing} on PATH, which builds the page; "):
        build.built(sources)


def test_a_node_that_is_too_old_is_told(sources: Path) -> None:
    program(sources.parent / "bin", "node", "echo v18.20.4")
    with pytest.raises(DataError, match=r"^node is v18.20.4, expected 20 or newer; update it$"):
        build.built(sources)


def test_what_npm_says_is_told(sources: Path) -> None:
    program(sources.parent / "bin", "npm", "echo taking; echo 'npm error ENOTFOUND'; exit 1")
    with pytest.raises(DataError, match="`npm ci` in .* failed: npm error ENOTFOUND; run it there"):
        build.built(sources)
    assert not (sources / "dist").exists()
