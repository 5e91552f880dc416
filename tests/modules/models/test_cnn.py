"""The network: its size, its outputs, its shapes."""

import jax
import numpy as np
import pytest

from modules.models import cnn


def test_number_of_parameters(params: cnn.Params) -> None:
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == 824_458
    shapes = {
        f"{layer}/{name}": leaf.shape
        for layer, leaves in params.items()
        for name, leaf in leaves.items()
    }
    assert shapes == {
        "Conv_0/kernel": (3, 3, 1, 32),
        "Conv_0/bias": (32,),
        "Conv_1/kernel": (3, 3, 32, 64),
        "Conv_1/bias": (64,),
        "Dense_0/kernel": (3136, 256),
        "Dense_0/bias": (256,),
        "logits/kernel": (256, 10),
        "logits/bias": (10,),
    }


@pytest.mark.parametrize("num_classes", [2, 10, 26])
def test_outputs_are_those_of_the_last_dense_layer(num_classes: int) -> None:
    params = cnn.init_params(jax.random.key(0), num_classes)
    pixels = np.random.default_rng(0).normal(size=(3, 784)).astype(np.float32)
    logits = cnn.apply_flat(params, pixels)
    assert (logits.shape, logits.dtype) == ((3, num_classes), np.float32)
    twice = {**params, "logits": jax.tree.map(lambda x: 2 * x, params["logits"])}
    np.testing.assert_allclose(cnn.apply_flat(twice, pixels), 2 * logits, rtol=1e-6)


def test_pixels_are_row_major(params: cnn.Params) -> None:
    pixels = np.random.default_rng(0).normal(size=(2, 784)).astype(np.float32)
    images = pixels.reshape(2, 28, 28, 1)
    expected = cnn.CNN(10).apply({"params": params}, images)
    np.testing.assert_array_equal(cnn.apply_flat(params, pixels), expected)
    turned = images.transpose(0, 2, 1, 3).reshape(2, 784)
    assert np.abs(cnn.apply_flat(params, turned) - expected).max() > 1e-3


def test_parameters_depend_on_the_key_alone(params: cnn.Params) -> None:
    again = cnn.init_params(jax.random.key(7), 10)
    jax.tree.map(np.testing.assert_array_equal, params, again)
    other = cnn.init_params(jax.random.key(8), 10)
    assert not np.array_equal(params["Conv_0"]["kernel"], other["Conv_0"]["kernel"])
