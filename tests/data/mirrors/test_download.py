"""Downloads from real servers on the loopback interface, good, bad and broken off."""

import gzip
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.catalogue import CatalogueEntry
from data.errors import DataError
from data.finding.opening import open_data
from data.forms.idx_checksums import sha256_of
from data.forms.idx_names import FILE_NAMES
from data.mirrors.download import DownloadError, download, missing_files
from data.mirrors.fetch import Limits

Serve = Callable[[dict[str, bytes]], Any]  # to conftest's Mirror
FIRST = f"{FILE_NAMES[0]}.gz"


def fetch(entry: CatalogueEntry, target: Path, *mirrors: str, attempts: int = 3) -> None:
    download(entry, target, mirrors, attempts=attempts, backoff=0, limits=Limits(window=5))


def assert_whole(entry: CatalogueEntry, target: Path) -> None:
    assert sorted(path.name for path in target.iterdir()) == sorted(f"{n}.gz" for n in FILE_NAMES)
    assert [sha256_of(target / f"{f.name}.gz") for f in entry.files] == [
        file.sha256 for file in entry.files
    ]
    assert open_data(target).train_examples == 30


def test_whole(
    entry: CatalogueEntry,
    target: Path,
    serve: Serve,
    compressed: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    mirror = serve(compressed)
    fetch(replace(entry, mirrors=(mirror.address,)), target, mirror.address)
    assert_whole(entry, target)
    assert mirror.gets() == [(f"{name}.gz", None) for name in FILE_NAMES]
    assert capsys.readouterr() == ("", "".join(f"downloading {name}\n" for name in FILE_NAMES))


def test_the_entrys_own_mirrors_and_no_slash(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    download(replace(entry, mirrors=(mirror.address.rstrip("/"),)), target)
    assert_whole(entry, target)


def test_right_files_are_not_asked_for_again(
    entry: CatalogueEntry,
    target: Path,
    serve: Serve,
    compressed: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
) -> None:
    mirror = serve(compressed)
    fetch(entry, target, mirror.address)
    for path in target.iterdir():
        os.utime(path, (1, 1))
    capsys.readouterr()
    mirror.requests.clear()
    fetch(entry, target, mirror.address)
    assert mirror.requests == []
    assert {path.stat().st_mtime for path in target.iterdir()} == {1}
    assert capsys.readouterr() == ("", "")


def test_only_the_damaged_file_is_fetched(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    fetch(entry, target, mirror.address)
    mirror.requests.clear()
    # An unpacked file comes first when the folder is opened, so a damaged one must go.
    (target / FILE_NAMES[2]).write_bytes(b"damaged")
    assert missing_files(entry, target) == [entry.files[2]]
    fetch(entry, target, mirror.address)
    assert mirror.gets() == [(f"{FILE_NAMES[2]}.gz", None)]
    assert_whole(entry, target)


def test_part_is_resumed(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    target.mkdir(parents=True)
    (target / f"{FIRST}.part").write_bytes(compressed[FIRST][:1000])
    fetch(entry, target, mirror.address)
    assert mirror.gets()[0] == (FIRST, "bytes=1000-")
    assert mirror.gets()[1][0] != FIRST
    assert_whole(entry, target)


def test_whole_part_needs_no_request(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    target.mkdir(parents=True)
    (target / f"{FIRST}.part").write_bytes(compressed[FIRST])
    fetch(entry, target, mirror.address)
    assert FIRST not in [name for name, _ in mirror.gets()]
    assert_whole(entry, target)


@pytest.mark.parametrize("left", [b"x" * 1000, b"x" * 100_000])
def test_part_of_another_file_starts_again(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes], left: bytes
) -> None:
    """Found by the hash, or by the server (416) where the part is longer than the file."""
    mirror = serve(compressed)
    target.mkdir(parents=True)
    (target / f"{FIRST}.part").write_bytes(left)
    fetch(entry, target, mirror.address, attempts=1)
    assert mirror.gets()[:2] == [(FIRST, f"bytes={len(left)}-"), (FIRST, None)]
    assert_whole(entry, target)


def test_server_that_ignores_range(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    mirror.ignore_range = True
    target.mkdir(parents=True)
    (target / f"{FIRST}.part").write_bytes(compressed[FIRST][:1000])
    fetch(entry, target, mirror.address, attempts=1)
    assert len(mirror.gets()) == 4
    assert_whole(entry, target)


def test_transfer_cut_twice_is_resumed(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    mirror.cuts = [1000, 500]
    fetch(entry, target, mirror.address, attempts=3)
    assert [sent for name, sent in mirror.gets() if name == FIRST] == [
        None,
        "bytes=1000-",
        "bytes=1500-",
    ]
    assert_whole(entry, target)


def test_transfer_always_cut(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    mirror.cuts = [1000, 500, 100]
    with pytest.raises(DownloadError, match=r"closed the connection after 1500 of \d+ bytes"):
        fetch(entry, target, mirror.address, attempts=2)
    with pytest.raises(DataError, match="in no form that is known"):
        open_data(target)


def test_passing_errors_are_retried_and_lasting_ones_are_not(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    mirror.errors = [503, 429]
    fetch(entry, target, mirror.address, attempts=3)
    assert_whole(entry, target)
    mirror.requests.clear()
    mirror.errors = [403, 403, 403]
    with pytest.raises(DownloadError, match="HTTP 403"):
        fetch(entry, target.with_name("other"), mirror.address, attempts=3)
    assert len(mirror.requests) == 1


@pytest.mark.parametrize("fault", ["404", "corrupt", "html", "endless", "closed"])
def test_second_mirror_after_a_bad_one(
    entry: CatalogueEntry,
    target: Path,
    serve: Serve,
    compressed: dict[str, bytes],
    fault: str,
    closed: str,
) -> None:
    other = gzip.compress(b"something else")
    page, flood = b"<html>log in</html>", b"x" * 1_000_000
    held = {"404": {}, "corrupt": other, "html": page, "endless": flood, "closed": {}}[fault]
    bad = serve(dict.fromkeys(compressed, held) if held else {})
    if fault == "endless":
        bad.stall_after = 500_000
    good = serve(compressed)
    fetch(entry, target, closed if fault == "closed" else bad.address, good.address, attempts=1)
    assert_whole(entry, target)
    assert {sent for _, sent in good.gets()} == {None}


def test_second_mirror_with_another_compression_completes_a_cut_file(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    first, second = (
        serve(compressed),
        serve({name: gzip.compress(gzip.decompress(body), 0) for name, body in compressed.items()}),
    )
    first.cuts = [1000] * 4
    fetch(entry, target, first.address, second.address, attempts=1)
    assert_whole(entry, target)


def test_wrong_checksum_everywhere(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    wrong = gzip.compress(b"something else")
    mirrors = [serve(dict.fromkeys(compressed, wrong)) for _ in range(2)]
    with pytest.raises(DownloadError) as caught:
        fetch(entry, target, *(mirror.address for mirror in mirrors))
    message = str(caught.value)
    assert FILE_NAMES[0] in message and entry.files[0].sha256 in message
    assert all(mirror.address.split("/")[2] in message for mirror in mirrors)
    assert "MNIST_DIR" in message and "DATASET=digits" in message
    assert list(target.iterdir()) == []
    assert [len(mirror.requests) for mirror in mirrors] == [1, 1]


def test_no_network(entry: CatalogueEntry, target: Path, closed: str) -> None:
    with pytest.raises(DownloadError, match=r"cannot download train-images.*refused.*MNIST_DIR"):
        fetch(entry, target, closed)
