"""Batches in the sizes that a network was traced for."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from modules.export.reusable import batch_sizes


@pytest.mark.parametrize(
    ("sizes", "compiled"),
    [([0, 1], 1), ([2], 2), ([3, 4], 4), ([5, 6, 7, 8], 8), ([9, 16], 16), ([1000, 1024], 1024)],
)
def test_batches_are_padded_to_few_sizes(sizes: list[int], compiled: int) -> None:
    """TensorFlow compiles the network once for each that it meets."""
    met = []

    def network(batch: tf.Tensor) -> tf.Tensor:
        met.append(batch.shape[0])
        return batch[:, :10]

    for size in sizes:
        batch = tf.random.uniform([size, 784])
        logits = batch_sizes.in_powers_of_two(network, batch)
        np.testing.assert_array_equal(logits, batch[:, :10])
    assert met == [compiled] * len(sizes)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 8, 9, 13])
def test_any_batch_in_a_few_sizes(size: int) -> None:
    """In the graph, where the batch's size is not known, and nothing but these sizes is traced."""
    traced = set()

    @tf.function
    def network(batch: tf.Tensor) -> tf.Tensor:
        traced.add(batch.shape[0])
        return batch[:, :3] * 2

    @tf.function(input_signature=[tf.TensorSpec([None, 5])])
    def serve(batch: tf.Tensor) -> tf.Tensor:
        return batch_sizes.in_these_sizes(network, batch, [2, 4])

    images = np.random.default_rng(0).random((size, 5), np.float32)
    np.testing.assert_array_equal(serve(images), images[:, :3] * 2)
    assert traced == {2, 4}


def test_of_these_sizes_alone() -> None:
    @tf.function(input_signature=[tf.TensorSpec([None, 5])])
    def serve(batch: tf.Tensor) -> tf.Tensor:
        return batch_sizes.of_these_alone(
            lambda batch: batch[:, :3] * batch.shape[0], batch, [1, 4]
        )

    for size in (1, 4):
        images = np.ones((size, 5), np.float32)
        np.testing.assert_array_equal(serve(images), np.full((size, 3), size))
    for size in (0, 2, 5):
        with pytest.raises(tf.errors.InvalidArgumentError, match=rf"1 or 4 images, not of.*{size}"):
            serve(np.ones((size, 5), np.float32))


def test_split_pads_with_copies_of_the_last() -> None:
    images = np.arange(7)[:, np.newaxis]
    found = [(batch.ravel().tolist(), rows) for batch, rows in batch_sizes.split(images, [1, 2, 4])]
    assert found == [([0, 1, 2, 3], 4), ([4, 5, 6, 6], 3)]
    assert [len(batch) for batch, _ in batch_sizes.split(images[:6], [1, 2, 4])] == [4, 2]
    assert batch_sizes.split(images[:0], [1, 2]) == []


def test_sizes_of_what_others_saved(tmp_path: Path) -> None:
    tf.saved_model.save(tf.Module(), str(tmp_path))
    assert batch_sizes.sizes_of(tf.saved_model.load(str(tmp_path))) == ()


def test_listed() -> None:
    assert [batch_sizes.listed(sizes) for sizes in ([8], [1, 8], [1, 8, 9])] == [
        "8", "1 or 8", "1, 8 or 9",
    ]  # fmt: skip
