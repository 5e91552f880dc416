"""Depthwise convolutions as sums of shifted products, against XLA's own."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from modules.training.convolutions import with_fast_depthwise


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def convolutions(function: object, *arguments: object) -> int:
    """How many convolutions there are in what JAX traces of a function."""
    return str(jax.make_jaxpr(function)(*arguments)).count("conv_general_dilated")


@pytest.mark.parametrize(
    ("window", "changes"),
    [
        ((3, 3), {}),
        ((3, 3), {"strides": (2, 2)}),
        ((5, 2), {"strides": (1, 3), "padding": "VALID"}),
        ((3, 1), {"kernel_dilation": (2, 1)}),
        ((2, 2), {"padding": ((0, 3), (2, 1))}),
        ((3, 3), {"features": 8}),  # twice as many outputs as channels
        ((1, 1), {"use_bias": False}),
    ],
)
def test_outputs_and_gradients_are_those_of_xla(window: tuple[int, int], changes: dict) -> None:
    layer = nn.Conv(**{"features": 4, "kernel_size": window, "feature_group_count": 4, **changes})
    images = draw(3, 9, 7, 4)
    variables = layer.init(jax.random.key(0), images)

    def loss(variables: dict, images: jax.Array, fast: bool) -> tuple[jax.Array, jax.Array]:
        apply = with_fast_depthwise(layer.apply) if fast else layer.apply
        outputs = apply(variables, images)
        return jnp.vdot(outputs, jnp.cos(jnp.arange(outputs.size)).reshape(outputs.shape)), outputs

    compute = jax.grad(loss, (0, 1), has_aux=True)
    found, expected = (compute(variables, images, fast) for fast in (True, False))
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-4), found, expected)
    assert convolutions(with_fast_depthwise(layer.apply), variables, images) == 0


@pytest.mark.parametrize(
    ("shape", "kernel", "changes"),
    [
        ((2, 4, 4, 4), (3, 3, 2, 4), {"feature_group_count": 2}),
        ((2, 4, 4, 4), (3, 3, 4, 4), {}),
        ((2, 4, 4, 1), (3, 3, 1, 4), {}),
        ((2, 9, 9, 4), (8, 8, 1, 4), {"feature_group_count": 4}),
        ((2, 4, 4, 4), (3, 3, 1, 4), {"feature_group_count": 4, "lhs_dilation": (2, 2)}),
    ],
)
def test_other_convolutions_are_left_to_xla(shape: tuple, kernel: tuple, changes: dict) -> None:
    convolve = partial(
        jax.lax.conv_general_dilated,
        window_strides=(1, 1),
        padding="SAME" if "lhs_dilation" not in changes else ((1, 1), (1, 1)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        **changes,
    )
    arguments = draw(*shape), draw(*kernel)
    assert convolutions(with_fast_depthwise(convolve), *arguments) == 1
    np.testing.assert_array_equal(with_fast_depthwise(convolve)(*arguments), convolve(*arguments))


@pytest.mark.parametrize("numbers", [("NCHW", "OIHW", "NCHW"), ("HWNC", "IHWO", "CNHW")])
def test_any_order_of_axes_will_do(numbers: tuple[str, str, str]) -> None:
    sizes = [{"N": 2, "H": 5, "W": 6, "C": 3}, {"H": 3, "W": 2, "I": 1, "O": 3}]
    arguments = [
        draw(*(size[axis] for axis in axes)) for size, axes in zip(sizes, numbers, strict=False)
    ]

    def convolve(images: jax.Array, kernel: jax.Array) -> jax.Array:
        return jax.lax.conv_general_dilated(
            images, kernel, (1, 2), "SAME", dimension_numbers=numbers, feature_group_count=3
        )

    found = with_fast_depthwise(convolve)(*arguments)
    np.testing.assert_allclose(found, convolve(*arguments), rtol=1e-4, atol=1e-5)
    assert convolutions(with_fast_depthwise(convolve), *arguments) == 0


def test_what_is_around_them_stays_as_it_is() -> None:
    """Loops, branches, functions with gradients of their own, several results, literals."""

    @jax.jit
    def inner(x: jax.Array) -> tuple[jax.Array, dict]:
        x = nn.relu(x) * 2
        x, sums = jax.lax.scan(lambda x, y: (x + y, x.sum()), x, jnp.arange(3.0))
        return jax.lax.cond(x.sum() > 0, jnp.sin, jnp.cos, x), {"sums": sums, "one": 1.0}

    def function(x: jax.Array) -> tuple:
        kernel = jnp.ones((3, 3, 1, 4)) / 9
        conv = partial(jax.lax.conv_general_dilated, window_strides=(1, 1), padding="SAME")
        numbers = ("NHWC", "HWIO", "NHWC")
        return inner(conv(x, kernel, dimension_numbers=numbers, feature_group_count=4)), x

    images = draw(2, 4, 4, 4)
    found, expected = with_fast_depthwise(function)(images), function(images)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5), found, expected)
    grads = [
        jax.grad(lambda x, each=each: each(x)[0][0].sum())(images)
        for each in (function, with_fast_depthwise(function))
    ]
    np.testing.assert_allclose(*grads, rtol=1e-4, atol=1e-5)


def test_types_are_those_of_xla() -> None:
    layer = nn.Conv(4, (3, 3), feature_group_count=4, dtype=jnp.bfloat16)
    variables = layer.init(jax.random.key(0), draw(1, 4, 4, 4))
    found = with_fast_depthwise(layer.apply)(variables, draw(1, 4, 4, 4))
    expected = layer.apply(variables, draw(1, 4, 4, 4))
    assert found.dtype == expected.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.float32(found), np.float32(expected), atol=0.05)
