"""The four trainings: which weights they move, and that they go by the same images."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import pytest
import tensorflow as tf

from data.dataset import Dataset
from examples.reuse import methods
from examples.reuse.tasks import classes_of, make_pool


def test_each_method_moves_what_it_should(base: str, digits: Dataset) -> None:
    """Looked at in the function that is called, of which the layer might have a copy."""
    pool = make_pool(digits, classes_of(digits, "567"), 10)
    images, labels = pool.draw(24, 0)
    saved = tf.saved_model.load(base).feature_extractor
    training = methods.Training(base, (28, 28, 1), 3, steps=6, seed=0)
    found = {}
    for name, model in methods.trained(training, images, labels):
        assert model(images).shape == (24, 3)
        for layer in model.layers:
            if isinstance(layer, keras.layers.TFSMLayer):
                read = layer._reloaded_obj.feature_extractor.variables
                pairs = zip(read, saved.variables, strict=True)
                found[name] = [bool(np.any(new.numpy() != old.numpy())) for new, old in pairs]
    assert found == {methods.ON_EXTRACTOR: [False] * 6, methods.THEN_ALL: [True] * 6}


@pytest.mark.parametrize(
    ("trainable", "moves", "fault"),
    [
        (True, True, None),
        (False, False, None),
        (True, False, "the weight kernel of the base was to be trained, and did not move"),
        (False, True, "the weight kernel of the base moved, and was to stay"),
    ],
)
def test_moved_weights_are_told(trainable: bool, moves: bool, fault: str | None) -> None:
    layer = keras.layers.Dense(2, use_bias=False, trainable=trainable)
    layer.build((None, 3))
    before = [weight.numpy() - moves for weight in layer.weights]
    if fault:
        with pytest.raises(RuntimeError, match=f"^{fault}$"):
            methods.check_moved(layer, before)
    else:
        methods.check_moved(layer, before)


def test_a_base_without_trainable_weights() -> None:
    with pytest.raises(RuntimeError, match="none of its weights can be"):
        methods.check_moved(keras.layers.ReLU(), [])


def test_batches_go_through_all_images_again_and_again() -> None:
    training = methods.Training("", (1, 1, 1), 2, steps=5, seed=0)
    few = methods._batches(10, training)
    assert few.shape == (5, 10) and all(sorted(rows) == list(range(10)) for rows in few)
    assert len({tuple(rows) for rows in few}) == 5
    many = methods._batches(100, training)
    assert many.shape == (5, methods.BATCH_SIZE)
    assert len(set(many.reshape(-1)[:100])) == 100


def test_from_scratch_is_the_network_of_the_base(base: str) -> None:
    saved = tf.saved_model.load(base)
    scratch = methods.from_scratch(methods.Training("", (28, 28, 1), 10, steps=1, seed=0))
    theirs = sorted(tuple(variable.shape) for variable in saved.variables)
    assert sorted(tuple(weight.shape) for weight in scratch.weights) == theirs
