"""Where downloads and the digits go: one place that was named, or the first that will do."""

import sys
from pathlib import Path

import pytest

from benchmarks import larger_data
from data import __main__, cache
from data.catalogue import CatalogueEntry
from data.digits import make_digits
from data.errors import DataError
from data.forms.idx_names import FILE_NAMES
from data.resolve import resolve_dataset


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The project's cache and the platform's, neither of which is there yet."""
    monkeypatch.setattr(cache, "IN_PROJECT", tmp_path / "project" / "cache")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DATA_CACHE", raising=False)
    return tmp_path / "project" / "cache", tmp_path / "home" / "mnist-tfx-jax"


def forbid(folder: Path) -> None:
    """Lets nobody make files there, root neither: what it would be in is no folder."""
    folder.parent.write_text("")


@pytest.mark.parametrize(
    ("platform", "settings", "expected"),
    [
        ("linux", {"HOME": "/home/me"}, "/home/me/.cache/mnist-tfx-jax"),
        ("linux", {"HOME": "/home/me", "XDG_CACHE_HOME": "/x"}, "/x/mnist-tfx-jax"),
        ("linux", {"HOME": "/home/me", "XDG_CACHE_HOME": ""}, "/home/me/.cache/mnist-tfx-jax"),
        ("linux", {"HOME": "/home/me", "XDG_CACHE_HOME": "relative"}, None),
        ("darwin", {"HOME": "/Users/me"}, "/Users/me/Library/Caches/mnist-tfx-jax"),
        ("linux", {"HOME": "relative"}, None),
    ],
)
def test_default_folders(
    platform: str,
    settings: dict[str, str],
    expected: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert cache.default_folders() == [cache.IN_PROJECT, *([Path(expected)] if expected else [])]


def test_the_project_comes_first(roots: tuple[Path, Path]) -> None:
    assert resolve_dataset("digits", None).location == roots[0] / "digits"
    assert not roots[1].exists()


def test_a_project_that_cannot_be_written(roots: tuple[Path, Path]) -> None:
    forbid(roots[0])
    files = resolve_dataset("digits", None)
    assert files.location == roots[1] / "digits"
    assert str(roots[1]) in files.source


def test_a_folder_of_somebody_else_in_the_project(roots: tuple[Path, Path]) -> None:
    roots[0].mkdir(parents=True)
    (roots[0] / "digits").write_text("")
    assert resolve_dataset("digits", None).location == roots[1] / "digits"


def test_what_is_there_is_used_where_nothing_can_be_written(
    roots: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_digits(roots[0] / "digits")
    monkeypatch.setattr(cache, "_refusal", lambda folder: "Read-only file system")
    before = {path: path.stat().st_mtime_ns for path in roots[0].rglob("*")}
    assert resolve_dataset("digits", None).location == roots[0] / "digits"
    assert {path: path.stat().st_mtime_ns for path in roots[0].rglob("*")} == before
    (roots[0] / "digits" / FILE_NAMES[0]).unlink()
    with pytest.raises(DataError, match="digits: cannot write to .* or .*Read-only file system"):
        resolve_dataset("digits", None)


def test_no_place_at_all(roots: tuple[Path, Path], entry: CatalogueEntry) -> None:
    forbid(roots[0])
    forbid(roots[1])
    for dataset in ("auto", "mnist", "digits"):
        with pytest.raises(DataError, match="cannot write to .* set DATA_CACHE to") as caught:
            resolve_dataset(dataset, None, mirrors=[])
        assert all(str(root) in str(caught.value) for root in roots)


def test_only_the_place_that_was_named(
    roots: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_digits(roots[0] / "digits")
    named = tmp_path / "named" / "cache"
    assert resolve_dataset("digits", None, named).location == named / "digits"
    forbid(tmp_path / "a-file" / "cache")
    with pytest.raises(DataError, match=r"cannot write to .*a-file/cache \(Not a directory\); set"):
        resolve_dataset("digits", None, tmp_path / "a-file" / "cache")


def test_commands_take_the_setting(
    roots: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATA_CACHE", str(tmp_path / "setting"))
    assert __main__.main(["digits"]) == 0
    assert str(tmp_path / "setting" / "digits") in capsys.readouterr().out
    assert larger_data.main(["digits", "1", str(tmp_path / "grown")]) == 0
    assert __main__.main(["digits", "--cache-dir", str(tmp_path / "option")]) == 0
    assert (tmp_path / "option" / "digits").is_dir()
    monkeypatch.setenv("DATA_CACHE", "")
    assert __main__.main(["digits"]) == 0
    assert not any(root.exists() for root in roots[1:]) and roots[0].is_dir()
