"""Networks written for training on devices: the same values and gradients as JAX's own."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn
from jax import lax

from modules.jaxprs import rewriting
from modules.jaxprs.gradients import trainable

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.normal(size=(3, 9, 8, 4)).astype(np.float32)
DIMENSIONS = ("NHWC", "HWIO", "NHWC")


def kernel(height: int, width: int, channels: int = 4) -> np.ndarray:
    return RANDOM.normal(size=(height, width, channels, 5)).astype(np.float32)


def primitives(function: Callable, *args: np.ndarray) -> set[str]:
    jaxpr = jax.make_jaxpr(function)(*args).jaxpr
    return {equation.primitive.name for equation in rewriting.equations(jaxpr)}


def same_with_gradients(function: Callable, *args: np.ndarray) -> None:
    """Compares the results, and the gradients by all arguments."""
    weights = RANDOM.normal(size=jax.eval_shape(function, *args).shape).astype(np.float32)

    def with_gradients(function: Callable) -> list:
        places = tuple(range(len(args)))
        total = lambda *args: jnp.sum(function(*args) * weights)  # noqa: E731
        return [function(*args), *jax.grad(total, places)(*args)]

    both = zip(with_gradients(trainable(function)), with_gradients(function), strict=True)
    for found, expected in both:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def convolution(padding: object, strides: tuple[int, int] = (1, 1), groups: int = 1) -> Callable:
    return lambda images, kernel: lax.conv_general_dilated(
        images,
        kernel,
        strides,
        padding,
        dimension_numbers=DIMENSIONS,
        feature_group_count=groups,
    )


@pytest.mark.parametrize(
    ("padding", "sides"),
    [("SAME", (3, 3)), ("VALID", (3, 2)), ([(2, 0), (0, 1)], (3, 4)), ("SAME", (1, 1))],
)
def test_convolutions_are_products(padding: object, sides: tuple[int, int]) -> None:
    function, weights = convolution(padding), kernel(*sides)
    same_with_gradients(function, IMAGES, weights)
    total = lambda *args: trainable(function)(*args).sum()  # noqa: E731
    used = primitives(jax.grad(total, (0, 1)), IMAGES, weights)
    assert "dot_general" in used
    assert "conv_general_dilated" not in used


@pytest.mark.parametrize(
    ("function", "weights"),
    [
        (convolution("SAME", strides=(2, 2)), kernel(3, 3)),
        (convolution("SAME", groups=2), kernel(3, 3, 2)[..., :4]),
        (convolution([(3, 3), (3, 3)]), kernel(3, 3)),
        (convolution("SAME"), kernel(6, 6)),
    ],
)
def test_other_convolutions_stay(function: Callable, weights: np.ndarray) -> None:
    assert "conv_general_dilated" in primitives(trainable(function), IMAGES, weights)
    same_with_gradients(function, IMAGES, weights)


@pytest.mark.parametrize("pool", [nn.avg_pool, nn.max_pool])
@pytest.mark.parametrize("window", [(2, 2), (3, 1), (1, 4)])
def test_pools_are_the_same_without_broadcasts_of_gradients(
    pool: Callable, window: tuple[int, int]
) -> None:
    def function(images: jax.Array) -> jax.Array:
        return pool(images, window, strides=window)

    same_with_gradients(function, IMAGES)
    gradient = jax.grad(lambda images: jnp.sum(trainable(function)(images) ** 2))
    assert "concatenate" in primitives(gradient, IMAGES)
    assert not primitives(gradient, IMAGES) & {"reduce_window_sum", "select_and_scatter_add"}


def test_all_that_are_the_highest_of_a_window_share_its_gradient() -> None:
    pool = trainable(lambda images: nn.max_pool(images, (2, 2), strides=(2, 2)))
    gradient = jax.grad(lambda images: pool(images).sum())(np.ones((1, 2, 2, 1), np.float32))
    np.testing.assert_allclose(gradient, 0.25)
