"""The layers for a CPU: they compute what Flax's do, forwards and backwards."""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from modules import fast_layers, model
from tests.modules.small_training import assert_close

TOLERANCE = 1e-5  # of an array's largest value; float32 has 24 bits

# Rows, columns, channels and outputs of a layer, and the batch.
ONE_CHANNEL = [(28, 28, 1, 32, 5), (4, 10, 1, 3, 7)]
MORE_CHANNELS = [(14, 14, 32, 64, 3), (2, 2, 2, 1, 1), (6, 4, 5, 3, 7)]


class Plain(nn.Module):
    """The layer as Flax computes it."""

    features: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(self.features, kernel_size=(3, 3))(x))
        return nn.avg_pool(x, window_shape=(2, 2), strides=(2, 2))


@functools.cache
def outputs_and_gradients(shape: tuple[int, ...]) -> list[tuple[jax.Array, dict, jax.Array]]:
    """Returns (outputs, gradients of the parameters, of the inputs) of ours, then of Flax's."""
    height, width, channels, outputs, batch = shape
    random = np.random.default_rng(0)

    def draw(*size: int) -> np.ndarray:
        return random.normal(size=size).astype(np.float32)

    params = {"kernel": draw(3, 3, channels, outputs), "bias": draw(outputs)}
    inputs = draw(batch, height, width, channels)
    weights = draw(batch, height // 2, width // 2, outputs)  # each output counts in its own way

    def ours(params: dict, inputs: jax.Array) -> jax.Array:
        return fast_layers.ConvReluPool(outputs).apply({"params": params}, inputs)

    def plain(params: dict, inputs: jax.Array) -> jax.Array:
        return Plain(outputs).apply({"params": {"Conv_0": params}}, inputs)

    def compute(layer: Callable) -> tuple[jax.Array, dict, jax.Array]:
        def weighted(*arguments: object) -> tuple[jax.Array, jax.Array]:
            found = layer(*arguments)
            return jnp.vdot(found, weights), found

        gradients, found = jax.jit(jax.grad(weighted, (0, 1), has_aux=True))(params, inputs)
        return found, *gradients

    return [compute(ours), compute(plain)]


@pytest.mark.parametrize("shape", [*ONE_CHANNEL, *MORE_CHANNELS])
def test_outputs_and_gradients_of_the_parameters_are_those_of_flax(shape: tuple) -> None:
    (found, found_gradients, _), (expected, gradients, _) = outputs_and_gradients(shape)
    assert found.dtype == np.float32
    assert_close(found, expected, TOLERANCE)
    assert found_gradients.keys() == gradients.keys()
    assert_close(found_gradients, gradients, TOLERANCE)


@pytest.mark.parametrize("shape", MORE_CHANNELS)
def test_gradients_of_the_inputs_are_those_of_flax(shape: tuple) -> None:
    (_, _, found), (_, _, expected) = outputs_and_gradients(shape)
    assert np.count_nonzero(expected)
    assert_close(found, expected, TOLERANCE)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_output_of_exactly_zero_has_no_gradient(channels: int) -> None:
    """As with Flax's relu; such are the outputs on an empty background, with a fresh bias."""
    layer = fast_layers.ConvReluPool(2)
    inputs = jnp.zeros((1, 4, 4, channels))
    params = {"kernel": jnp.ones((3, 3, channels, 2)), "bias": jnp.zeros(2)}
    compute = jax.jit(jax.grad(lambda params: layer.apply({"params": params}, inputs).sum()))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(compute(params)))


def test_parameters_have_the_names_shapes_and_first_values_of_the_plain_network() -> None:
    images = jnp.zeros((1, 28, 28, 1))
    fast, plain = (
        jax.jit(model.CNN(10, fast_on_cpu=fast).init)(jax.random.key(3), images)
        for fast in (True, False)
    )
    jax.tree.map(np.testing.assert_array_equal, fast, plain)


def test_whole_network_has_the_logits_and_gradients_of_the_plain_one(
    params: model.Params,
) -> None:
    random = np.random.default_rng(1)
    # Fresh biases are zero, which would hide one that is left out.
    params = jax.tree.map(lambda x: x + random.normal(scale=0.01, size=x.shape), params)
    params = jax.tree.map(lambda x: x.astype(np.float32), params)
    pixels = random.normal(size=(7, 784)).astype(np.float32)
    labels = random.integers(0, 10, 7)

    def loss(params: model.Params, fast: bool) -> tuple[jax.Array, jax.Array]:
        logits = model.apply_flat(params, pixels, fast_on_cpu=fast)
        return -logits[jnp.arange(7), labels].mean(), logits

    compute = jax.jit(jax.grad(loss, has_aux=True), static_argnums=1)
    (found_gradients, found), (gradients, logits) = compute(params, True), compute(params, False)
    np.testing.assert_allclose(found, logits, atol=TOLERANCE)
    assert_close(found_gradients, gradients, TOLERANCE)
