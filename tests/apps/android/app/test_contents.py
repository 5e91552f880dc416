"""The packages that an app is built with."""

import shutil
from pathlib import Path

import pytest

from apps.android import contents
from data.errors import ConfigError
from tests.apps.android.app.test_deltas import applied
from tests.support.pushed_models import record


def test_without_pushed_models_it_says_what_makes_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there are no pushed models, which `make run`"):
        contents.find({"OUTPUT": str(tmp_path)})


def test_a_pushed_personal_package_wins_over_a_new_one(pushed: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    shutil.copytree(pushed, output)
    assert contents.find({"OUTPUT": str(output)}).personal == output / "personal" / "new"
    for version in ("9", "10"):
        shutil.copytree(output / "personal" / "new", output / "personal" / version)
        record(output / "personal" / version)
    assert contents.find({"OUTPUT": str(output)}).personal == output / "personal" / "10"
    shutil.rmtree(output / "personal")
    assert contents.find({"OUTPUT": str(output)}).personal is None


def test_assets_are_the_files_or_deltas_to_them(pushed: Path, tmp_path: Path) -> None:
    found = contents.find({"OUTPUT": str(pushed)})
    sizes = contents.write_assets(found, tmp_path)
    paths = found.paths()
    assert set(sizes) == set(paths)
    whole = {name: (tmp_path / name).read_bytes() for name in paths if (tmp_path / name).exists()}
    for name, path in paths.items():
        content = whole.get(name) or applied(
            (tmp_path / (name + contents.DELTA)).read_bytes(), whole
        )
        assert content == path.read_bytes(), name
    assert len(whole) < len(paths)
    assert sum(sizes.values()) < sum(path.stat().st_size for path in paths.values()) / 2
