"""Folders in object stores: copies in both directions, and one clear error for each that fails."""

import socket
from pathlib import Path

import pytest

from pipeline.storage import store_copies, stores
from tests.support.machine import free_port
from tests.support.object_stores import (
    ANY_REQUESTS,
    Environment,
    forget_connections,
    refuse_after,
)
from tests.support.small_disk import PAGE, SmallDisk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    (source / "deep" / "down").mkdir(parents=True)
    (source / "top").write_text("top")
    (source / "nothing").write_text("")
    # More than one part of s3fs's multipart uploads, of 50 MB.
    (source / "deep" / "down" / "large").write_bytes(bytes(range(256)) * 250_000)
    return source


def content(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_folder_comes_back_as_it_was(store: str, folder: Path, tmp_path: Path) -> None:
    store_copies.upload(folder, f"{store}/artifact")
    store_copies.download(f"{store}/artifact", tmp_path / "copy")
    assert content(tmp_path / "copy") == content(folder)
    assert stores.names(f"{store}/artifact") == ["deep", "nothing", "top"]


def test_a_file_comes_back_as_it_was(store: str, folder: Path, tmp_path: Path) -> None:
    store_copies.upload(folder / "top", f"{store}/artifact/value")
    store_copies.download(f"{store}/artifact/value", tmp_path / "new" / "value")
    assert (tmp_path / "new" / "value").read_text() == "top"


def test_an_empty_folder_is_there_and_comes_back_empty(store: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    store_copies.upload(tmp_path / "empty", f"{store}/artifact")
    file_system, path = stores.opened(f"{store}/artifact")
    assert file_system.isdir(path)
    store_copies.download(f"{store}/artifact", tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []


def test_nothing_there_is_no_empty_folder(store: str, tmp_path: Path) -> None:
    with pytest.raises(stores.StoreError, match=f"^{store}/gone: nothing is there"):
        store_copies.download(f"{store}/gone", tmp_path / "copy")


def test_an_upload_leaves_nothing_of_an_earlier_one(store: str, tmp_path: Path) -> None:
    """As when one was killed half way and its task is tried again with the same URI."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text(name)
        store_copies.upload(tmp_path / name, f"{store}/artifact")
    assert stores.names(f"{store}/artifact") == ["second"]


def test_removing_takes_no_neighbour_along(store: str, folder: Path) -> None:
    for name in ("1", "10"):
        store_copies.upload(folder / "top", f"{store}/{name}/top")
    stores.remove(f"{store}/1")
    assert stores.names(store) == ["10"]
    stores.remove(f"{store}/1")  # nothing there, nothing wrong


def test_trying_to_write_leaves_nothing(store: str, folder: Path) -> None:
    store_copies.upload(folder / "top", f"{store}/kept")
    stores.check_writable(store)
    assert stores.names(store) == ["kept"]


def test_what_a_check_left_that_was_killed_goes_with_the_next(store: str, folder: Path) -> None:
    store_copies.upload(folder / "top", f"{store}/kept")
    stores.write_text(f"{store}/{stores._WRITE_CHECK}", "")
    assert len(stores.names(store)) == 2
    stores.check_writable(store)
    assert stores.names(store) == ["kept"]


def test_text_is_written_all_or_not_at_all(small_disk: SmallDisk) -> None:
    file = str(small_disk.folder / "new" / "file")
    stores.write_text(file, "old")
    filler = small_disk.fill()
    with pytest.raises(OSError, match="No space left"):
        stores.write_text(file, "new")
    assert stores.read_text(file) == "old"
    assert stores.names(str(small_disk.folder / "new")) == ["file"]
    filler.unlink()
    stores.write_text(file, "new")
    assert stores.read_text(file) == "new"


def test_a_copied_folder_is_never_mixed_with_what_was_there(
    small_disk: SmallDisk, tmp_path: Path
) -> None:
    """Each file fits where the disk is full, but not all of them."""
    for number in (1, 2):
        (tmp_path / f"{number}").mkdir()
        for name in ("comparison.json", "index.html"):
            (tmp_path / f"{number}" / name).write_text(f"{number}" * PAGE * 3)
    (tmp_path / "1" / "only-in-1").write_text("")
    small_disk.remake(10)
    report = small_disk.folder / "report"
    store_copies.copy_folder(str(tmp_path / "1"), report)
    with pytest.raises(OSError, match="No space left"):
        store_copies.copy_folder(str(tmp_path / "2"), report)
    assert content(report) == content(tmp_path / "1")
    small_disk.remake(20)
    for number in ("1", "2", "1"):
        store_copies.copy_folder(str(tmp_path / number), report)
        assert content(report) == content(tmp_path / number)
        assert stores.names(str(small_disk.folder)) == ["report"]


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("ftp://host/folder", "there is no ftp:// here; expected one of s3://, gs://, file://"),
        ("S3://bucket", "there is no S3:// here"),
        ("s3://", "expected the name of a bucket, as s3://bucket/folder"),
        ("gs:///", "expected the name of a bucket"),
        ("file://folder", "expected an absolute path, as file:///folder"),
    ],
)
def test_uris_that_cannot_be_right(uri: str, reason: str) -> None:
    assert stores.is_uri(uri)
    with pytest.raises(stores.StoreError, match=f"^{uri}: {reason}"):
        stores.check_form(uri)


@pytest.mark.parametrize("path", ["", "/absolute", "relative/path", "C:/here", "s3:/one-slash"])
def test_paths_are_no_uris(path: str) -> None:
    assert not stores.is_uri(path)


def test_a_bucket_that_is_missing(s3: str) -> None:
    with pytest.raises(stores.StoreError, match=r"^s3://missing/x: cannot write there \(.*exist"):
        stores.check_writable("s3://missing/x")
    with pytest.raises(stores.StoreError, match=r"^s3://missing/x: cannot list there \(.*exist"):
        stores.names("s3://missing/x")


def test_no_permission(s3: str, s3_environment: Environment) -> None:
    refuse_after(s3_environment, 0)
    try:
        with pytest.raises(stores.StoreError, match=f"^{s3}: cannot write there .*credentials"):
            stores.check_writable(s3)
    finally:
        refuse_after(s3_environment, ANY_REQUESTS)
    stores.check_writable(s3)


def test_no_credentials(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    forget_connections()
    with pytest.raises(stores.StoreError, match=r"\(Unable to locate credentials\)"):
        stores.check_writable(s3)


def test_nothing_listens(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    forget_connections()
    with pytest.raises(stores.StoreError, match=f"^{s3}: cannot write there .*{address}"):
        stores.check_writable(s3)


def test_somebody_listens_and_never_answers(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "_CHECK_SECONDS", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        forget_connections()
        with pytest.raises(stores.StoreError, match=rf"^{s3}: .*\(no answer within 1 s\)"):
            stores.check_writable(s3)


def test_a_file_s_state_changes_with_its_content(store: str) -> None:
    stores.write_text(f"{store}/folder/a", "1")
    stores.write_text(f"{store}/folder/b", "1")
    before = stores.states(f"{store}/folder")
    assert before.keys() == {"a", "b"} and stores.states(f"{store}/folder") == before
    stores.write_text(f"{store}/folder/a", "2")
    after = stores.states(f"{store}/folder")
    assert after["b"] == before["b"] and after["a"] != before["a"]
    assert stores.states(f"{store}/nothing") == {}
