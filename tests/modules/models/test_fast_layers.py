"""The layers for a CPU: they compute what Flax's do, forwards and backwards."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from data.task import Task
from modules.models import cnn, fast_layers
from modules.models.network import Network
from tests.modules.training.small_training import assert_close

FAST_TO_COMPILE = {"xla_backend_optimization_level": 0}
TOLERANCE = 1e-5  # of an array's largest value; float32 has 24 bits

# Rows, columns, channels and outputs of a layer, and the batch.
SHAPES = [
    *((28, 28, 1, 32, 5), (14, 14, 32, 64, 3)),  # of our network
    *((4, 10, 1, 1, 5), (5, 4, 1, 7, 1), (3, 7, 1, 4, 5)),
    *((2, 2, 2, 4, 1), (4, 7, 3, 1, 5), (5, 3, 8, 7, 1)),
    *((1, 4, 1, 4, 1), (3, 1, 3, 4, 1)),  # too small for a window
    *((4, 5, 1, 4, 0), (4, 5, 2, 4, 0)),
]


class Plain(nn.Module):
    """The layer as Flax computes it."""

    features: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.relu(nn.Conv(self.features, kernel_size=(3, 3))(x))
        return nn.avg_pool(x, window_shape=(2, 2), strides=(2, 2))


LAYERS_OF_2 = fast_layers.ConvReluPool(2), Plain(2)


def draw(*size: int) -> np.ndarray:
    return np.random.default_rng(size).normal(size=size).astype(np.float32)


@functools.partial(jax.jit, static_argnums=0, compiler_options=FAST_TO_COMPILE)
def compute(layer: nn.Module, params: dict, inputs: jax.Array, weights: jax.Array) -> tuple:
    """Returns the outputs, and the gradients of kernel, bias and inputs.

    Args:
      layer: ours or Flax's.
      params: of either.
      inputs: of the layer.
      weights: of the outputs in what is differentiated, so that each counts in its own way.
    """

    def weighted(params: dict, inputs: jax.Array) -> tuple[jax.Array, jax.Array]:
        kept = {"Conv_0": params} if isinstance(layer, Plain) else params
        found = layer.apply({"params": kept}, inputs)
        return jnp.vdot(found, weights), found

    wanted = (0, 1) if jnp.issubdtype(inputs.dtype, jnp.floating) else (0,)
    (params, *inputs), found = jax.grad(weighted, wanted, has_aux=True)(params, inputs)
    return found, params["kernel"], params["bias"], *inputs


def both(shape: tuple[int, ...], inputs_dtype: str, params_dtype: str) -> list[tuple]:
    """Returns what `compute` does, of ours and of Flax's layer."""
    height, width, channels, outputs, batch = shape
    params = {"kernel": draw(3, 3, channels, outputs), "bias": draw(outputs)}
    params = {name: jnp.asarray(value, params_dtype) for name, value in params.items()}
    inputs = jnp.asarray(draw(batch, height, width, channels), inputs_dtype)
    weights = jnp.asarray(
        draw(batch, height // 2, width // 2, outputs), jnp.promote_types(inputs_dtype, params_dtype)
    )
    layers = fast_layers.ConvReluPool(outputs), Plain(outputs)
    return [compute(layer, params, inputs, weights) for layer in layers]


def assert_alike(found: tuple, expected: tuple, tolerance: float) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        if theirs.size:
            assert_close(np.float32(ours), np.float32(theirs), tolerance)


@pytest.mark.parametrize("shape", SHAPES)
def test_outputs_and_all_gradients_are_those_of_flax(shape: tuple) -> None:
    ours, flax = both(shape, "float32", "float32")
    assert_alike(ours, flax, TOLERANCE)
    if flax[0].size:
        assert all(map(np.any, flax))


@pytest.mark.parametrize(
    ("inputs_dtype", "params_dtype", "channels", "tolerance"),
    [
        ("bfloat16", "float32", 1, 1e-2),  # a gradient of the inputs has their type
        ("float32", "bfloat16", 2, 1e-2),
        ("bfloat16", "bfloat16", 1, 0.1),
        ("float16", "float16", 2, 1e-2),
        ("float16", "bfloat16", 2, 1e-2),
        ("uint8", "float32", 2, TOLERANCE),
    ],
)
def test_types_promote_as_with_flax(
    inputs_dtype: str, params_dtype: str, channels: int, tolerance: float
) -> None:
    ours, flax = both((4, 5, channels, 4, 5), inputs_dtype, params_dtype)
    assert_alike(ours, flax, tolerance)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_shows_where_it_does_with_flax(channels: int, value: float) -> None:
    """At least there, and nowhere beyond the windows next to it."""
    inputs = draw(1, 12, 12, channels)
    inputs[0, 5, 5, 0] = value
    params = {"kernel": np.abs(draw(3, 3, channels, 2)), "bias": draw(2)}
    weights = draw(1, 6, 6, 2)
    ours, flax = (np.asarray(compute(layer, params, inputs, weights)[0]) for layer in LAYERS_OF_2)
    assert np.isfinite(flax).all() == (value == -np.inf)  # which the relu hides
    assert not np.any(np.isfinite(ours) & ~np.isfinite(flax))
    ours, flax = (np.delete(np.delete(found, [2, 3], 1), [2, 3], 2) for found in (ours, flax))
    assert np.isfinite(ours).all()
    np.testing.assert_allclose(ours, flax, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("bias", [np.inf, -np.inf, np.nan])
def test_a_bias_that_is_not_finite_gives_what_flax_does(channels: int, bias: float) -> None:
    params = {"kernel": draw(3, 3, channels, 2), "bias": np.float32([bias, 0])}
    inputs, weights = draw(1, 12, 12, channels), draw(1, 6, 6, 2)
    ours, flax = (compute(layer, params, inputs, weights)[0] for layer in LAYERS_OF_2)
    np.testing.assert_allclose(ours, flax, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [
        ((4, 4, 1), "float32", r"the inputs have the shape \(4, 4, 1\); expected \[B, H, W, C\]"),
        ((2, 1, 4, 4, 1), "float32", r"the shape \(2, 1, 4, 4, 1\); expected"),
        ((1, 4, 4, 1), "complex64", "relu has no meaning for complex64; expected real"),
    ],
)
def test_what_cannot_be_computed_is_told(shape: tuple, dtype: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fast_layers.ConvReluPool(2).init(jax.random.key(0), jnp.zeros(shape, dtype))


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
        jax.jit(cnn.CNN(10, fast_on_cpu=fast).init)(jax.random.key(3), images)
        for fast in (True, False)
    )
    jax.tree.map(np.testing.assert_array_equal, fast, plain)


@pytest.mark.parametrize("shape", [(28, 28, 1), (9, 14, 3)])
def test_whole_network_has_the_logits_and_gradients_of_the_plain_one(
    shape: tuple[int, int, int],
) -> None:
    """On a CPU, the network trains by the one and is exported as the other."""
    network = Network(cnn.MODEL, Task("task", shape, tuple("0123456789")))
    random = np.random.default_rng(1)
    # Fresh biases are zero, which would hide one that is left out.
    variables = jax.tree.map(
        lambda x: (x + random.normal(scale=0.01, size=x.shape)).astype(np.float32), network.init(7)
    )
    pixels = random.normal(size=(7, network.task.num_pixels)).astype(np.float32)
    labels = random.integers(0, 10, 7)

    def loss(variables: dict, fast: bool) -> tuple[jax.Array, jax.Array]:
        if fast:
            logits, _ = network.train_logits(variables, pixels, jax.random.key(0))
        else:
            logits = network.logits(variables, pixels)
        return -logits[jnp.arange(7), labels].mean(), logits

    assert network.loops_fast_on_cpu
    compute = jax.jit(jax.grad(loss, has_aux=True), static_argnums=1)
    (found_gradients, found), (gradients, logits) = (compute(variables, fast) for fast in (1, 0))
    np.testing.assert_allclose(found, logits, atol=TOLERANCE)
    assert_close(found_gradients, gradients, TOLERANCE)


@pytest.mark.parametrize(("sides", "expected"), [((2, 3), True), ((1, 4), False), ((4, 1), False)])
def test_it_serves_where_a_window_fits(sides: tuple[int, int], expected: bool) -> None:
    assert fast_layers.serves(sides) == expected
