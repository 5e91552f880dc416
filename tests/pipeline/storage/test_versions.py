"""Which versions readers take: by the same rule on a disk and in object stores."""

import hashlib
from pathlib import Path

import pytest

from pipeline.storage import stores, versions
from pipeline.storage.version_writer import push

OURS = f"{1:016x}"


@pytest.fixture
def source(tmp_path: Path) -> dict[str, Path]:
    """A model of two files, one of them in a folder."""
    (tmp_path / "model" / "variables").mkdir(parents=True)
    found = {}
    for name in ("saved_model.pb", "variables/data"):
        found[name] = tmp_path / "model" / name
        found[name].write_text(name)
    return found


@pytest.fixture(params=["path", "store"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where versions go: a path of letters that mean something to globs and URIs, or a store."""
    if request.param == "path":
        return str(tmp_path / "a::b[1]* ~")
    return request.getfixturevalue("s3")


def test_a_pushed_version_is_whole_and_the_newest_is_found(
    folder: str, source: dict[str, Path]
) -> None:
    assert versions.newest(folder) is None
    first = push(source, folder, OURS, "ours")
    second = push(source, folder, f"{2:016x}", "others")
    assert versions.is_whole(first) and versions.is_whole(second)
    assert versions.newest(folder) == second
    record = versions.read(first)
    assert record and (record.push, record.pipeline) == (OURS, "ours")
    assert record.files["variables/data"] == versions.File(
        14, hashlib.sha256(b"variables/data").hexdigest()
    )
    assert versions.files(folder).keys() == {Path(first).name, Path(second).name}


@pytest.mark.parametrize("damage", ["no record", "half a record", "gone", "shorter"])
def test_what_is_not_whole_is_not_taken(damage: str, folder: str, source: dict[str, Path]) -> None:
    kept = push(source, folder, OURS, "ours")
    version = push(source, folder, f"{2:016x}", "others")
    record = versions.join(version, versions.RECORD)
    if damage == "no record":
        stores.remove(record)
    elif damage == "half a record":
        stores.write_text(record, (stores.read_text(record) or "")[:100])
    elif damage == "gone":
        stores.remove(versions.join(version, "variables/data"))
    else:
        stores.write_text(versions.join(version, "variables/data"), "variables")
    assert not versions.is_whole(version)
    assert versions.newest(folder) == kept


def test_numbers_are_compared_as_such_and_other_names_are_no_versions(
    tmp_path: Path, source: dict[str, Path]
) -> None:
    version = Path(push(source, str(tmp_path / "serving"), OURS, "ours"))
    for name in ("9", "latest", f".pushing-{OURS}", "-1", "1e99", "\u0663"):
        (version.parent / name).symlink_to(version)
    assert versions.newest(version.parent) == str(version)
    version.rename(version.with_name("10"))
    (version.parent / "9").unlink()
    (version.parent / "9").symlink_to(version.with_name("10"))
    assert versions.newest(version.parent) == str(version.with_name("10"))


def test_more_than_was_pushed_does_no_harm(folder: str, source: dict[str, Path]) -> None:
    version = push(source, folder, OURS, "ours")
    stores.write_text(versions.join(version, ".DS_Store"), "of somebody who looked")
    assert versions.is_whole(version)


def test_a_store_out_of_reach_is_named(s3: str) -> None:
    with pytest.raises(stores.StoreError, match=r"^s3://missing/serving: cannot list there"):
        versions.newest("s3://missing/serving")
