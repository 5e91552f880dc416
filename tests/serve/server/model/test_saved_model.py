"""Any SavedModel as a function from images to logits, also one that is made for some batches."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from serve.server.model import saved_model
from serve.server.model.pushed import RefusedError
from serve.server.model.saved_model import SavedModel
from tests.support.serving import CLASSES, PIXELS, images

SIZES = (1, 4)


class Fixed(tf.Module):
    """Takes batches of some sizes, each traced by itself, and says so where it gets another."""

    @tf.function(autograph=False)
    def __call__(self, image_floats: tf.Tensor) -> tf.Tensor:
        return image_floats[:, :CLASSES] * 2


@pytest.fixture(scope="module")
def fixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SavedModel whose root is called with one of the sizes alone."""
    module = Fixed()
    made = {
        size: module.__call__.get_concrete_function(
            tf.TensorSpec([size, PIXELS], tf.float32, name="image_floats")
        )
        for size in SIZES
    }

    @tf.function(
        autograph=False, input_signature=[tf.TensorSpec([None, PIXELS], name="image_floats")]
    )
    def predict_images(image_floats: tf.Tensor) -> dict[str, tf.Tensor]:
        size = tf.shape(image_floats)[0]
        known = tf.Assert(tf.reduce_any(tf.equal(size, SIZES)), [f"takes {SIZES}, got", size])
        with tf.control_dependencies([known]):
            branches = [
                lambda one=one, size=size: made[size](tf.ensure_shape(one, [size, PIXELS]))
                for size, one in ((size, image_floats) for size in SIZES)
            ]
            logits = tf.switch_case(tf.cast(tf.equal(size, SIZES[1]), tf.int32), branches)
        return {"logits": tf.ensure_shape(logits, [None, CLASSES])}

    folder = tmp_path_factory.mktemp("fixed")
    tf.saved_model.save(module, str(folder), signatures={"predict_images": predict_images})
    return folder


@pytest.mark.parametrize("count", [1, 2, 4, 5, 11])
def test_a_model_of_fixed_sizes_gets_those_alone(fixed: Path, count: int) -> None:
    model = SavedModel(fixed)
    assert model.batch_sizes == SIZES
    with pytest.raises(Exception, match="takes"):
        model._run(images(2))
    given = images(count)
    np.testing.assert_array_equal(model.logits(given), given[:, :CLASSES] * 2)
    model.warm_up()


def test_a_model_of_any_size_gets_no_more_than_the_largest(
    served_model: Callable[[float], Path],
) -> None:
    loaded = SavedModel(served_model(1.0))
    assert (loaded.batch_sizes, loaded.takes_examples) == ((), True)
    assert (loaded.signature, loaded.input, loaded.output) == (
        *("predict_images", "image_floats", "logits"),
    )
    assert (loaded.pixels, loaded.classes) == (PIXELS, CLASSES)
    given = images(saved_model.LARGEST_BATCH * 2 + 1)
    np.testing.assert_allclose(loaded.logits(given)[:, 0], given.sum(axis=1), rtol=1e-6)


def test_sizes_that_run_gets() -> None:
    seen = []

    def run(batch: np.ndarray) -> np.ndarray:
        seen.append(len(batch))
        return batch

    given = images(10)
    np.testing.assert_array_equal(saved_model.in_batches(run, given, (1, 4), 99), given)
    np.testing.assert_array_equal(saved_model.in_batches(run, given, (), 8), given)
    assert seen == [4, 4, 4, 8, 2]


def test_a_root_that_takes_any_batch_has_no_fixed_sizes() -> None:
    module = Fixed()
    module.__call__.get_concrete_function(tf.TensorSpec([None, PIXELS], tf.float32))
    assert saved_model.fixed_batch_sizes(module) == ()
    assert saved_model.fixed_batch_sizes(tf.Module()) == ()


def test_what_takes_no_images_is_refused(tmp_path: Path) -> None:
    module = tf.Module()
    module.double = tf.function(
        lambda words: {"a": words, "b": words}, input_signature=[tf.TensorSpec([None], tf.string)]
    )
    tf.saved_model.save(module, str(tmp_path), signatures={"words": module.double})
    with pytest.raises(RefusedError, match=r"no signature predict_images .* but \['words'\]"):
        SavedModel(tmp_path)


def test_a_plain_serving_default_will_do(tmp_path: Path) -> None:
    module = tf.Module()
    module.halve = tf.function(
        lambda x: {"halves": x / 2}, input_signature=[tf.TensorSpec([None, 4], name="x")]
    )
    tf.saved_model.save(module, str(tmp_path), signatures=module.halve)
    loaded = SavedModel(tmp_path)
    assert (loaded.signature, loaded.input, loaded.output) == ("serving_default", "x", "halves")
    assert not loaded.takes_examples
