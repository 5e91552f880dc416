"""CIFAR's binary files, in folders as they are unpacked, and damaged."""

import gzip
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.splits import Split
from tests.data.samples import assert_holds, images, labels, opened

NAMES = ("airplane", "automobile", "bird")


def records(count: int, coarse: bool = False) -> bytes:
    by_channels = images(count, 32, 32, 3).transpose(0, 3, 1, 2).reshape(count, -1)
    first = [np.full((count, 1), 77)] * coarse
    return np.hstack([*first, labels(count)[:, None], by_channels]).astype(np.uint8).tobytes()


@pytest.fixture
def cifar_10(tmp_path: Path) -> Path:
    """Two batches for training, of four images and of five."""
    folder = tmp_path / "mine" / "cifar-10-batches-bin"
    folder.mkdir(parents=True)
    whole = records(9)
    (folder / "data_batch_1.bin").write_bytes(whole[: 4 * 3073])
    (folder / "data_batch_2.bin").write_bytes(whole[4 * 3073 :])
    (folder / "test_batch.bin").write_bytes(records(6))
    (folder / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")
    return folder


def test_cifar_10(cifar_10: Path) -> None:
    for path in (cifar_10, cifar_10.parent):
        dataset = opened(path)
        assert (dataset.form, dataset.name) == ("cifar", "mine-cifar-10-batches-bin")
        assert dataset.task.label_names == NAMES
        assert_holds(dataset, Split.TRAIN, images(9, 32, 32, 3), labels(9))
        assert_holds(dataset, Split.EVAL, images(6, 32, 32, 3), labels(6))


def test_cifar_100_has_fine_labels(tmp_path: Path) -> None:
    for name, count in (("train.bin", 9), ("test.bin", 6)):
        (tmp_path / name).write_bytes(records(count, coarse=True))
    (tmp_path / "fine_label_names.txt").write_text("\n".join(NAMES))
    dataset = opened(tmp_path)
    assert dataset.task.label_names == NAMES
    assert_holds(dataset, Split.TRAIN, images(9, 32, 32, 3), labels(9))


def test_without_names(cifar_10: Path) -> None:
    (cifar_10 / "batches.meta.txt").write_text("only one\n")
    assert opened(cifar_10).task.label_names == ("only one", "1", "2")
    (cifar_10 / "batches.meta.txt").unlink()
    assert opened(cifar_10).task.label_names == ("0", "1", "2")


def test_damage_is_said(cifar_10: Path) -> None:
    path = cifar_10 / "data_batch_2.bin"
    whole = path.read_bytes()
    for content in (whole[:-1], whole + b"x", gzip.compress(whole)):
        path.write_bytes(content)
        with pytest.raises(DataError, match="data_batch_2.bin: holds .* expected whole records"):
            opened(cifar_10)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DataError, match="data_batch_2.bin: is a FIFO"):
        opened(cifar_10)


def test_a_missing_test_set(cifar_10: Path) -> None:
    (cifar_10 / "test_batch.bin").unlink()
    with pytest.raises(DataError, match="test_batch.bin missing beside data_batch_1.bin"):
        opened(cifar_10)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "was-here"),)

    for name in ("data_batch_1", "test_batch", "batches.meta"):
        (tmp_path / name).write_bytes(pickle.dumps(Harmful()))
    with pytest.raises(DataError, match="whose pickles could run any program; expected its binary"):
        opened(tmp_path)
    assert not (tmp_path / "was-here").exists()
