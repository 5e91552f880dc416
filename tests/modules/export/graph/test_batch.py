"""The batch is what differs between conversions for two sizes of it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from modules.export.graph import flatbuffer
from modules.export.graph.batch import FixedBatchError
from modules.inference import litert

Function = Callable[[tf.Tensor], tf.Tensor]
WEIGHTS = np.random.default_rng(0).normal(size=(784, 10)).astype(np.float32)


@pytest.fixture
def freed(tmp_path: Path) -> Callable[[Function], str]:
    """Converts a function for two and for three images, and frees the batch."""

    def run(function: Function) -> str:
        for size in (2, 3):
            spec = tf.TensorSpec([size, 784], tf.float32, name="image_floats")
            signature = tf.function(
                lambda image_floats: {"logits": function(image_floats)},
                input_signature=[spec],
                autograph=False,
            )
            folder = str(tmp_path / f"saved_{size}")
            tf.saved_model.save(tf.Module(), folder, signatures={"serving_default": signature})
            converter = tf.lite.TFLiteConverter.from_saved_model(folder)
            (tmp_path / str(size)).write_bytes(converter.convert())
        flatbuffer.finish(str(tmp_path / "2"), other=(str(tmp_path / "3"), (2, 3)))
        return str(tmp_path / "2")

    return run


def _rows(pixels: tf.Tensor) -> tf.Tensor:
    """Float32[28, B, 28]: the batch stands in the middle."""
    return tf.transpose(tf.reshape(pixels, [-1, 28, 28]), [1, 0, 2])


@pytest.mark.parametrize(
    "function",
    [
        lambda pixels: tf.reshape(tf.tanh(tf.reshape(pixels, [-1, 28])), [-1, 784]) @ WEIGHTS,
        lambda pixels: tf.tanh(_rows(pixels))[-1] @ WEIGHTS[:28],
        lambda pixels: tf.reshape(_rows(pixels)[3:5], [2, -1, 28])[1] @ WEIGHTS[:28],
        lambda pixels: pixels[:, 1:300:2] @ WEIGHTS[:150] + tf.reverse(pixels, [1])[:, :10],
        lambda pixels: pixels @ WEIGHTS + np.resize(WEIGHTS[0], (pixels.shape[0], 10)),
        lambda pixels: tf.maximum(tf.zeros([pixels.shape[0], 10]), pixels @ WEIGHTS),
        lambda pixels: tf.reshape(tf.tile(pixels[:, None, :5], [1, 2, 1]), [-1, 10]),
        lambda pixels: tf.reshape(tf.repeat(pixels[:, :5], 2, axis=1), [-1, 10]),
        lambda pixels: tf.reshape(
            tf.broadcast_to(pixels[:, :5, None], [pixels.shape[0], 5, 2]), [-1, 10]
        ),
    ],
    ids=[
        "merged", "in-the-middle", "sliced", "strided", "constant", "zeros", "tiled", "repeated",
        "broadcast",
    ],
)  # fmt: skip
def test_freed_model_takes_any_number(
    freed: Callable[[Function], str], images: np.ndarray, function: Function
) -> None:
    path = freed(function)
    (taken,) = litert.make_interpreter(path).get_input_details()
    assert (taken["shape"].tolist(), taken["shape_signature"].tolist()) == ([1, 784], [-1, 784])
    for xnnpack in (True, False):
        run = litert.make_interpreter(path, xnnpack=xnnpack).get_signature_runner()
        for size in (1, 2, 7):
            found = run(image_floats=images[:size])["logits"]
            np.testing.assert_allclose(found, function(images[:size]), atol=1e-4)


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (
            lambda pixels: tf.concat([np.ones((pixels.shape[0], 2), np.float32), pixels[:, :8]], 1),
            "takes a constant for every image",
        ),
        (
            lambda pixels: pixels[:, :10] - tf.range(float(pixels.shape[0]))[:, None],
            "takes a constant for every image",
        ),
        (
            lambda pixels: pixels[:, :10] * (1 / pixels.shape[0]),
            "has the number of images in it",
        ),
        (
            lambda pixels: tf.add_n([pixels[:, n : n + 10] for n in range(pixels.shape[0])]),
            "makes another graph",
        ),
    ],
    ids=["joined", "numbered", "share", "other-operators"],
)
def test_batch_that_cannot_be_freed(
    freed: Callable[[Function], str], tmp_path: Path, function: Function, problem: str
) -> None:
    with pytest.raises(FixedBatchError, match=problem):
        freed(function)
    assert litert.make_interpreter(str(tmp_path / "2")).get_input_details()[0]["shape"][0] == 2


def test_constants_that_others_need_stay(
    freed: Callable[[Function], str], images: np.ndarray
) -> None:
    """The shape [2, 10] of a reshape is also a constant that is added; buffers are shared."""

    def function(pixels: tf.Tensor) -> tf.Tensor:
        size = pixels.shape[0]
        shaped = tf.reshape(pixels[:, :20], [size, 2, 10])
        return tf.reshape(tf.reshape(shaped, [size * 2, 10]), [size, 20])[:, :10]

    path = freed(function)
    np.testing.assert_array_equal(litert.predict(path, images[:5]), images[:5, :10])
