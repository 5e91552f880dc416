"""Which versions are there, whole, and safe to copy."""

from pathlib import Path

import pytest

from pipeline.storage import store_copies, stores, versions
from pipeline.storage.version_writer import push
from serve.server.model import pushed
from serve.server.model.pushed import RefusedError

PUSH = f"{1:016x}"


@pytest.fixture
def source(tmp_path: Path) -> dict[str, Path]:
    """A model of two files, one of them in a folder."""
    (tmp_path / "model" / "variables").mkdir(parents=True)
    found = {name: tmp_path / "model" / name for name in ("saved_model.pb", "variables/data")}
    for name, path in found.items():
        path.write_text(name)
    return found


def test_the_newest_is_first_and_its_files_are_those_that_were_pushed(
    store: str, source: dict[str, Path]
) -> None:
    assert pushed.find(store) == []
    names = [push(source, store, PUSH, pipeline).rpartition("/")[2] for pipeline in ("a", "b")]
    found = pushed.find(store)
    assert [version.name for version in found] == names[::-1]
    assert all(version.has_model and version.has_record for version in found)
    with pushed.on_disk(found[0]) as folder:
        assert (folder / "variables" / "data").read_text() == "variables/data"
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_on_a_disk_the_files_are_read_where_they_lie(
    tmp_path: Path, source: dict[str, Path]
) -> None:
    version = push(source, str(tmp_path / "serving"), PUSH, "ours")
    with pushed.on_disk(pushed.find(str(tmp_path / "serving"))[0]) as folder:
        assert str(folder) == version


def test_a_change_of_a_file_changes_the_state(store: str, source: dict[str, Path]) -> None:
    version = push(source, store, PUSH, "ours")
    [before] = pushed.find(store)
    assert pushed.find(store)[0].state == before.state
    stores.write_text(versions.join(version, "variables", "data"), "VARIABLES/DATA")
    [after] = pushed.find(store)
    assert after.state != before.state
    with pytest.raises(RefusedError, match="variables/data: its SHA-256 is not"):
        pushed.on_disk(after).__enter__()


def test_what_is_being_written_or_removed_is_no_model_yet(s3: str, source: dict[str, Path]) -> None:
    version = push(source, s3, PUSH, "ours")
    state = pushed.find(s3)[0].state
    claim = versions.join(version, f".pushing-{PUSH}")
    stores.write_text(claim, "the only one\n")
    [claimed] = pushed.find(s3)
    assert claimed.has_model and claimed.state == state
    stores.remove(versions.join(version, versions.RECORD))
    assert not pushed.find(s3)[0].has_model
    stores.remove(claim)
    assert pushed.find(s3)[0].has_model  # another program's, then


@pytest.mark.parametrize("path", ["../escaped", "variables/../../../escaped"])
def test_a_path_that_leads_out_of_the_version_is_refused(tmp_path: Path, path: str) -> None:
    version = pushed.Version("1", str(tmp_path), {"saved_model.pb": "", path: ""})
    with pytest.raises(RefusedError, match="no path in the version's own folder"):
        pushed.on_disk(version).__enter__()


def test_a_record_without_the_model_is_refused(tmp_path: Path, source: dict[str, Path]) -> None:
    push({"variables/data": source["variables/data"]}, str(tmp_path / "serving"), PUSH, "ours")
    [version] = pushed.find(str(tmp_path / "serving"))
    assert not version.has_model
    store_copies.upload(source["saved_model.pb"], f"file://{version.location}/saved_model.pb")
    [version] = pushed.find(str(tmp_path / "serving"))
    with pytest.raises(RefusedError, match=r"names no saved_model\.pb"):
        pushed.on_disk(version).__enter__()
