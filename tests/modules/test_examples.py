"""Reading examples back in a fixed order, and normalising them by Transform's graph."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from modules import examples

Serialize = Callable[[np.ndarray, int | None], bytes]


def _write(path: Path, records: list[bytes]) -> None:
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for record in records:
            writer.write(record)


@pytest.fixture
def rows() -> list[tuple[np.ndarray, int]]:
    """Images whose first pixel tells their label; two of them twice, with two labels."""
    random = np.random.default_rng(0)
    made = random.random((50, 784), np.float32)
    made[:, 0] = np.arange(50) / 100
    labels = np.arange(50) % 10
    pairs = list(zip(made, labels.tolist(), strict=True))
    return [*pairs, (made[3], 8), (made[3], 1)]


def test_order_depends_on_the_content_alone(
    tmp_path: Path, rows: list[tuple[np.ndarray, int]], serialize: Serialize
) -> None:
    records = [serialize(*row) for row in rows]
    _write(tmp_path / "one" / "a", records)
    shuffled = [records[i] for i in np.random.default_rng(1).permutation(len(records))]
    _write(tmp_path / "two" / "a", shuffled[30:])
    _write(tmp_path / "two" / "b", shuffled[:30])
    images, labels = examples.load_raw([str(tmp_path / "one" / "*")])
    others = examples.load_raw([str(tmp_path / "two" / "*")])
    np.testing.assert_array_equal(images, others[0])
    np.testing.assert_array_equal(labels, others[1])
    assert (images.dtype, images.shape, labels.dtype, labels.shape) == (
        (np.float32, (52, 784), np.int64, (52,))
    )


def test_labels_follow_their_images(
    tmp_path: Path, rows: list[tuple[np.ndarray, int]], serialize: Serialize
) -> None:
    """Three examples of one image keep their three labels, in order."""
    _write(tmp_path / "a", [serialize(*row) for row in rows[:20]])
    _write(tmp_path / "b", [serialize(*row) for row in rows[20:]])
    images, labels = examples.load_raw([str(tmp_path / "a"), str(tmp_path / "b")])
    numbers = np.round(images[:, 0] * 100).astype(int)
    is_third = numbers == 3
    np.testing.assert_array_equal(labels[~is_third], numbers[~is_third] % 10)
    assert labels[is_third].tolist() == [1, 3, 8]
    found = {(image.tobytes(), label) for image, label in zip(images, labels, strict=True)}
    assert found == {(image.tobytes(), label) for image, label in rows}


def test_more_than_a_batch(
    tmp_path: Path, serialize: Serialize, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "_BATCH_SIZE", 4)
    sent = np.linspace(0, 1, 10, dtype=np.float32)
    _write(tmp_path / "a", [serialize(np.full(784, value), 0) for value in sent])
    images, _ = examples.load_raw([str(tmp_path / "*")])
    np.testing.assert_array_equal(np.sort(images[:, 0]), sent)


def test_no_file(tmp_path: Path) -> None:
    pattern = str(tmp_path / "Split-train" / "*")
    with pytest.raises(ValueError, match=f"no example files match .*{tmp_path}/Split-train"):
        examples.load_raw([pattern])


def test_files_without_examples(tmp_path: Path) -> None:
    _write(tmp_path / "empty", [])
    with pytest.raises(ValueError, match=f"no examples in .*{tmp_path}/empty"):
        examples.load_raw([str(tmp_path / "*")])


def test_normalize_is_by_mean_and_deviation_of_the_train_pixels(
    tft_output: tft.TFTransformOutput, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is normalised; and in batches, the last of which is short."""
    monkeypatch.setattr(examples, "_BATCH_SIZE", 30)
    train = images.astype(np.float64)
    others = np.random.default_rng(0).random((70, 784), np.float32)
    for given in (images, others):
        found = examples.normalize(given, tft_output)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, (given - train.mean()) / train.std(), atol=1e-6)
