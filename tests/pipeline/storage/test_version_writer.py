"""Pushes on disks that fill up, that are killed, that meet others: all of a version or nothing."""

import errno
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from data.files import PROJECT_ROOT
from pipeline.storage import store_copies, stores, version_writer, versions
from pipeline.storage.version_writer import ASIDE, PushError, push
from tests.pipeline.storage.killed_writes import made_model
from tests.support.small_disk import PAGE, SmallDisk

OURS, LATER = f"{1:016x}", f"{2:016x}"


@pytest.fixture
def source(tmp_path: Path) -> dict[str, Path]:
    """A model's files, about ten pages."""
    return made_model(tmp_path / "model", "ours")


@pytest.fixture
def fast() -> Iterator[Path]:
    """A folder in memory where there is one: on a disk, each push waits for it many times."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as name:
        yield Path(name)


def names(folder: str | Path) -> list[str]:
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


@pytest.mark.parametrize("limited", ["pages", "files"])
def test_a_disk_that_is_full_gets_no_version_and_the_next_push_is_whole(
    limited: str, small_disk: SmallDisk, source: dict[str, Path]
) -> None:
    """With each number of pages, and of files, that there can be: each write is the one too many.

    Where its folder cannot even be made, there is nothing.
    """
    folder = str(small_disk.folder / "push" / "serving")
    for number in range(1, 100):
        if limited == "pages":
            small_disk.remake(number)
        else:
            small_disk.remake(256, number)
        try:
            push(source, folder, OURS, "ours")
        except PushError as error:
            reason = os.strerror(errno.ENOSPC)
            assert str(error).startswith(f"cannot push to {folder} ({reason}); no version ")
            assert names(folder) == []
            assert versions.newest(folder) is None
            small_disk.remake(256)
            assert versions.is_whole(push(source, folder, LATER, "ours"))
            assert len(names(folder)) == 1
        else:
            assert number > 7
            assert versions.is_whole(versions.newest(folder) or "")
            return
    raise AssertionError("there was never enough")


def test_a_write_that_stops_after_any_byte_leaves_no_version(fast: Path) -> None:
    """By the process's limit on a file's size, which counts in bytes."""
    model = fast / "saved_model.pb"
    model.write_bytes(b"0123456789" * 70)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for number in range(700):
        resource.setrlimit(resource.RLIMIT_FSIZE, (number, before[1]))
        try:
            with pytest.raises(PushError, match="File too large"):
                push({"saved_model.pb": model}, str(fast / "serving"), OURS, "ours")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert names(fast / "serving") == []


def test_killed_before_any_operation_on_a_disk(fast: Path) -> None:
    done = _killed_writes(str(fast / "serving"), {})
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.split()[0]) > 25


def test_killed_before_some_operations_in_a_store(
    s3: str, s3_environment: Mapping[str, str]
) -> None:
    done = _killed_writes(s3, s3_environment, "10")
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.split()[0]) >= 2


def _killed_writes(
    folder: str, environment: Mapping[str, str], *step: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tests.pipeline.storage.killed_writes", folder, *step],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )


def test_what_the_newest_version_is_already_is_not_pushed_again(
    source: dict[str, Path], fast: Path
) -> None:
    folder = str(fast / "serving")
    first = push(source, folder, OURS, "ours")
    assert push(source, folder, LATER, "ours") == first
    assert names(folder) == [Path(first).name]

    theirs = push(source, folder, LATER, "theirs")  # they may remove what is theirs
    assert theirs != first
    back = push(source, folder, f"{3:016x}", "ours")  # no longer the newest
    assert back not in (first, theirs) and versions.newest(folder) == back
    shutil.copyfile(sys.executable, source["saved_model.pb"])
    other = push(source, folder, f"{4:016x}", "ours")
    assert names(folder) == sorted(Path(each).name for each in (first, theirs, back, other))


def test_a_damaged_newest_version_is_pushed_again(source: dict[str, Path], fast: Path) -> None:
    folder = str(fast / "serving")
    first = Path(push(source, folder, OURS, "ours"))
    (first / "saved_model.pb").write_text("")
    again = push(source, folder, LATER, "ours")
    assert again != str(first) and versions.newest(folder) == again


def test_versions_grow_also_within_a_second_and_when_the_clock_went_back(
    source: dict[str, Path], fast: Path
) -> None:
    now = int(time.time())
    pushed = [int(Path(push(source, str(fast), f"{n:016x}", f"{n}")).name) for n in range(3)]
    assert now <= pushed[0] < pushed[1] < pushed[2]
    later = now + 10_000
    (fast / str(later)).mkdir()
    (fast / str(2**63)).mkdir()  # no number for TensorFlow Serving
    assert push(source, str(fast), OURS, "ours") == str(fast / str(later + 1))


def test_many_at_once_get_a_version_each(source: dict[str, Path], fast: Path) -> None:
    folder = str(fast / "serving")

    def push_one(number: int) -> str:
        return push(source, folder, f"{number:016x}", f"pipeline {number}")

    with ThreadPoolExecutor(8) as pool:
        pushed = list(pool.map(push_one, range(100)))
    assert len(set(pushed)) == 100 and all(map(versions.is_whole, pushed))
    assert names(folder) == sorted(Path(each).name for each in pushed)


def test_an_upload_that_fails_leaves_nothing(
    store: str, source: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = f"{store}/serving"
    if stores.local_path(folder):
        pytest.skip("written as on any disk")
    whole_upload = store_copies.upload

    def upload(path: Path, uri: str) -> None:
        if uri.endswith("saved_model.pb"):  # the last one
            raise OSError("the connection broke")
        whole_upload(path, uri)

    monkeypatch.setattr(store_copies, "upload", upload)
    with pytest.raises(PushError, match=rf"^cannot push to {folder} \(the connection broke\)"):
        push(source, folder, OURS, "ours")
    assert stores.find(folder) == {}
    monkeypatch.setattr(store_copies, "upload", whole_upload)
    version = push(source, folder, OURS, "ours")
    assert stores.find(folder).keys() == {
        f"{Path(version).name}/{name}" for name in (*source, versions.RECORD)
    }


def test_in_a_store_whoever_meets_another_takes_a_number_of_its_own(
    s3: str, source: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another push claims the same number between our look at what is there, and our claim."""
    whole_write = stores.write_text

    def write(uri: str, text: str) -> None:
        if uri.endswith(OURS) and not text and not stores.find(s3):
            whole_write(uri.replace(OURS, LATER), text)
        whole_write(uri, text)

    monkeypatch.setattr(stores, "write_text", write)
    version = push(source, s3, OURS, "ours")
    [claim] = [path for path in stores.find(s3) if ASIDE in path]
    assert claim.endswith(LATER) and versions.is_whole(version)
    assert int(Path(version).name) > int(claim.partition("/")[0])
    # What was claimed and never known to be theirs alone may hold a third one's files.
    assert version_writer.leftovers(s3, {LATER}) == {f"{s3}/{claim}": LATER}


def test_only_its_own_leftovers_are_found_and_removed(fast: Path, source: dict[str, Path]) -> None:
    version = push(source, str(fast), OURS, "ours")
    for push_id in (OURS, LATER):
        (fast / f"{ASIDE}{push_id}").mkdir()
    left = version_writer.leftovers(str(fast), {OURS, "none"})
    assert left == {str(fast / f"{ASIDE}{OURS}"): OURS}
    for path in left:
        version_writer.remove(path)
    assert names(fast) == [f"{ASIDE}{LATER}", Path(version).name]
    assert version_writer.pushed_by(str(fast), {OURS, LATER}, ()) == {version: OURS}
    assert version_writer.pushed_by(str(fast), {LATER}, ()) == {}
    assert version_writer.pushed_by(str(fast), {OURS}, {Path(version).name}) == {}


def test_another_attempt_at_a_push_takes_nothing_over_from_the_first(
    fast: Path, source: dict[str, Path]
) -> None:
    """As when an orchestrator tries a task again by the same name."""
    (fast / f"{ASIDE}{OURS}").mkdir()
    (fast / f"{ASIDE}{OURS}" / "half").write_text("")
    version = Path(push(source, str(fast), OURS, "ours"))
    assert names(fast) == [version.name] and not (version / "half").exists()


def test_a_folder_that_cannot_be_written_is_named(source: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PushError, match=rf"^cannot push to {tmp_path}/file/serving \(Not a dir"):
        push(source, str(tmp_path / "file" / "serving"), OURS, "ours")


def test_others_may_read_what_was_pushed(source: dict[str, Path], fast: Path) -> None:
    """As a model server does, by another user."""
    before = os.umask(0o022)
    try:
        version = Path(push(source, str(fast / "serving"), OURS, "ours"))
    finally:
        os.umask(before)
    assert version.stat().st_mode & 0o777 == 0o755
    assert (version / versions.RECORD).stat().st_mode & 0o777 == 0o644
    assert sum(path.stat().st_size for path in version.rglob("*")) > PAGE * 5
