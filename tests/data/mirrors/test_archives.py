"""Archives: the known files come out, checked, and nothing else, whatever an archive says."""

import gzip
import hashlib
import io
import os
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.catalogue import CATALOGUE, CatalogueEntry, Member
from data.errors import DataError
from data.forms.idx import write_idx
from data.mirrors.download import DownloadError, download, missing_files
from data.mirrors.unpack import unpack
from data.resolve import resolve_dataset
from data.splits import Split
from tests.data.samples import images, labels

Serve = Callable[[dict[str, bytes]], Any]  # to conftest's Mirror
MEMBERS = (Member("in/one.bin", "one.bin", 4), Member("in/two.bin", "two.bin", 9, is_exact=False))
GOOD = {"in/one.bin": b"1234", "in/two.bin": b"12345678", "in/other": b"x", "../up": b"x"}


def zipped(held: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(held: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in held.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_only_known_members_are_unpacked(
    pack: Callable[[Mapping[str, bytes]], bytes], tmp_path: Path
) -> None:
    (tmp_path / "archive").write_bytes(pack(GOOD))
    (tmp_path / "to").mkdir()
    unpack(tmp_path / "archive", MEMBERS, tmp_path / "to")
    found = {path.name: path.read_bytes() for path in (tmp_path / "to").iterdir()}
    record = found.pop(".unpacked.json")
    assert found == {"one.bin": b"1234", "two.bin": b"12345678"}
    assert hashlib.sha256(b"1234").hexdigest() in record.decode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "to"]


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"in/one.bin": b"123"}, "in/one.bin holds fewer than 4 bytes"),
        ({"in/one.bin": b"12345"}, "in/one.bin holds more than 4 bytes; this is another archive"),
        ({"in/two.bin": bytes(50_000_000)}, "in/two.bin holds more than 9 bytes"),
        ({"in/two.bin": None}, "expected a whole archive with the known files"),
    ],
)
def test_members_of_other_sizes(
    pack: Callable[[Mapping[str, bytes]], bytes],
    changes: dict[str, bytes | None],
    problem: str,
    tmp_path: Path,
) -> None:
    held = {name: content for name, content in (GOOD | changes).items() if content is not None}
    (tmp_path / "archive").write_bytes(pack(held))
    (tmp_path / "to").mkdir()
    with pytest.raises(DataError, match=problem):
        unpack(tmp_path / "archive", MEMBERS, tmp_path / "to")
    assert not (tmp_path / "to" / ".unpacked.json").exists()
    assert not list((tmp_path / "to").glob("*.part"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_a_member_that_is_no_file(kind: bytes, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("1234")
    with tarfile.open(tmp_path / "archive", "w:gz") as archive:
        info = tarfile.TarInfo("in/one.bin")
        info.type, info.linkname = kind, str(tmp_path / "secret")
        archive.addfile(info)
    (tmp_path / "to").mkdir()
    with pytest.raises(DataError, match="in/one.bin is no file"):
        unpack(tmp_path / "archive", MEMBERS, tmp_path / "to")
    assert list((tmp_path / "to").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"<html>", zipped(GOOD)[:-30], tarred(GOOD)[:-30]])
def test_no_whole_archive(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(content)
    with pytest.raises(DataError, match="archive: expected a whole archive"):
        unpack(tmp_path / "archive", MEMBERS, tmp_path)


def idx_gz(array: np.ndarray, folder: Path) -> bytes:
    write_idx(folder / "made", array)
    return gzip.compress((folder / "made").read_bytes())


@pytest.fixture
def emnist(tmp_path: Path) -> tuple[CatalogueEntry, bytes]:
    """EMNIST Letters as in the catalogue, with fewer images, and its archive."""
    lying = [images(n, 28, 28)[..., 0].transpose(0, 2, 1) for n in (52, 26)]
    arrays = (lying[0], labels(52, 26) + 1, lying[1], labels(26, 26) + 1)
    entry = CATALOGUE["emnist-letters"]
    archive = zipped(
        {
            member.path: idx_gz(array.astype(np.uint8), tmp_path)
            for member, array in zip(entry.members, arrays, strict=True)
        }
        | {"gzip/emnist-byclass-train-images-idx3-ubyte.gz": b"not looked at"}
    )
    return with_md5(replace(entry, train_examples=52, eval_examples=26), archive), archive


def with_md5(entry: CatalogueEntry, archive: bytes) -> CatalogueEntry:
    return replace(entry, files=(replace(entry.files[0], md5=hashlib.md5(archive).hexdigest()),))


def test_emnist_is_downloaded_turned_upright_and_kept(
    emnist: tuple[CatalogueEntry, bytes],
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry, archive = emnist
    monkeypatch.setitem(CATALOGUE, entry.name, entry)
    mirror = serve({"gzip.zip": archive})
    cache = tmp_path / "cache"
    dataset = resolve_dataset("emnist-letters", None, cache, [mirror.address])
    assert dataset.task == entry.task
    found = dataset.open()[Split.TRAIN].read(0, 52)
    np.testing.assert_array_equal(found[0], images(52, 28, 28))
    np.testing.assert_array_equal(found[1], labels(52, 26))
    assert not list(cache.rglob("*.zip*"))
    assert resolve_dataset("emnist-letters", None, cache, []) == dataset
    assert mirror.gets() == [("gzip.zip", None)]
    # What is damaged in the cache is fetched anew.
    (dataset.location / entry.members[1].name).write_bytes(gzip.compress(b"damaged"))
    with pytest.raises(DownloadError, match="EMNIST Letters: cannot download gzip .no mirror is"):
        resolve_dataset("emnist-letters", None, cache, [])
    assert resolve_dataset("emnist-letters", None, cache, [mirror.address]) == dataset


def test_cifar_10(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = CATALOGUE["cifar-10"]
    members = tuple(replace(member, size=2 * 3073) for member in known.members)
    pixels = images(12, 32, 32, 3).transpose(0, 3, 1, 2).reshape(12, -1)
    records = np.hstack([labels(12, 10)[:, None], pixels]).astype(np.uint8)
    held = {m.path: records[2 * i : 2 * i + 2].tobytes() for i, m in enumerate(members)}
    archive = tarred(held)
    entry = with_md5(replace(known, members=members, train_examples=10, eval_examples=2), archive)
    monkeypatch.setitem(CATALOGUE, "cifar-10", entry)
    mirror = serve({"cifar-10-binary.tar.gz": archive})
    dataset = resolve_dataset("cifar-10", None, tmp_path, [mirror.address])
    assert dataset.task == known.task
    np.testing.assert_array_equal(
        dataset.open()[Split.TRAIN].read(0, 10)[0], images(12, 32, 32, 3)[:10]
    )


def test_an_archive_of_another_md5_is_not_unpacked(
    emnist: tuple[CatalogueEntry, bytes], serve: Serve, tmp_path: Path
) -> None:
    entry, archive = emnist
    mirror = serve({"gzip.zip": archive + b"x"})
    with pytest.raises(DownloadError, match=f"its MD5 is not {entry.files[0].md5}"):
        download(entry, tmp_path / "to", [mirror.address])
    assert list((tmp_path / "to").iterdir()) == []
    assert missing_files(entry, tmp_path / "to") == list(entry.files)


def test_a_record_that_is_damaged(emnist: tuple[CatalogueEntry, bytes], tmp_path: Path) -> None:
    entry, archive = emnist
    (tmp_path / "archive").write_bytes(archive)
    unpack(tmp_path / "archive", entry.members, tmp_path)
    assert missing_files(entry, tmp_path) == []
    for damage in ("[]", "{", "{}"):
        (tmp_path / ".unpacked.json").write_text(damage)
        assert missing_files(entry, tmp_path) == list(entry.files)
    os.unlink(tmp_path / ".unpacked.json")
    assert missing_files(entry, tmp_path) == list(entry.files)
