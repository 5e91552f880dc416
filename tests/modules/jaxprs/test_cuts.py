"""A network in two: what its last layers take, and what they make of it."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modules.export.trained import Trained
from modules.jaxprs import cuts
from tests.support.networks import NETWORKS
from tests.support.networks.exports import Exports

PIXELS = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
KERNEL = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32)
LAST = np.random.default_rng(2).normal(size=(4, 3)).astype(np.float32)


def hidden(kernel: jax.Array, pixels: jax.Array) -> jax.Array:
    return jax.nn.relu(pixels @ kernel)


ENDS: dict[str, Callable] = {
    "no bias": lambda last, x: x @ last,
    "a bias and a scale": lambda last, x: (x @ last + 1.5) / 3,
    "a function of its own": jax.jit(lambda last, x: jnp.dot(x, last) - jnp.ones(3)),
    "the kernel first": lambda last, x: jnp.einsum("dc,bd->bc", last, x),
    "in 16 bits": lambda last, x: x.astype(jnp.bfloat16) @ last.astype(jnp.bfloat16),
    "an axis of one": lambda last, x: (x[:, None] @ last)[:, 0],
    "each image by itself": lambda last, x: jax.vmap(lambda row: row @ last)(x),
}


@pytest.mark.parametrize("end", ENDS)
def test_what_the_last_product_takes(end: str) -> None:
    def network(leaves: list, pixels: jax.Array) -> jax.Array:
        return ENDS[end](leaves[1], hidden(leaves[0], pixels)).astype(jnp.float32)

    found = cuts.before_last_dense(network, [KERNEL, LAST], 6)
    assert (found.base.read, found.head.read, found.size) == ([0], [1], 4)
    features = found.base.function([KERNEL], PIXELS)
    np.testing.assert_allclose(
        found.head.function([LAST], features), network([KERNEL, LAST], PIXELS), rtol=1e-5
    )
    tolerance = 0.02 if end == "in 16 bits" else 1e-6
    np.testing.assert_allclose(features, hidden(KERNEL, PIXELS), atol=tolerance, rtol=tolerance)
    assert (features.dtype, features.shape) == (np.float32, (5, 4))


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (lambda last, x: jax.nn.relu(x @ last), "max"),
        (lambda last, x: x @ last + x[:, :3], "add"),
        (lambda last, x: x[:, :3], "slice"),
        (lambda last, x: jnp.ones((len(x), 3)), "not come from the images by a dense layer"),
        (lambda last, x: jnp.outer(x[0], x[1]) @ last, "row of features"),
    ],
)
def test_no_last_layer(end: Callable, reason: str) -> None:
    with pytest.raises(cuts.CutError, match=reason):
        cuts.before_last_dense(
            lambda leaves, pixels: end(leaves[1], hidden(leaves[0], pixels)), [KERNEL, LAST], 6
        )


def test_of_real_networks(exports: Exports) -> None:
    """Most end with a dense layer; the rest say with what."""
    without = {}
    for name, model in NETWORKS.items():
        inference, leaves = exports.trained(model).inference()
        try:
            cuts.before_last_dense(inference, leaves, 768)
        except cuts.CutError as error:
            without[name] = str(error)
    assert len(without) < len(NETWORKS) / 10


def two_layers(leaves: list, pixels: jax.Array) -> jax.Array:
    return jax.nn.relu(hidden(leaves[0], pixels) @ leaves[1]) @ leaves[2]


SECOND = np.random.default_rng(3).normal(size=(3, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("layers", "read", "size"),
    [(1, [2], 3), (2, [1, 2], 4), (3, [0, 1, 2], 6), (None, [0, 1, 2], 6)],
)
def test_before_several_layers(layers: int | None, read: list[int], size: int) -> None:
    leaves = [KERNEL, LAST, SECOND]
    found = cuts.before_last(two_layers, leaves, 6, layers)
    assert (found.head.read, found.size) == (read, size)
    features = found.base.function([leaves[place] for place in found.base.read], PIXELS)
    logits = found.head.function([leaves[place] for place in read], features)
    np.testing.assert_allclose(logits, two_layers(leaves, PIXELS), rtol=1e-5)


def test_where_it_cannot_be_cut() -> None:
    def residual(leaves: list, pixels: jax.Array) -> jax.Array:
        return (pixels @ leaves[0]) @ leaves[1] + pixels[:, :3]

    with pytest.raises(cuts.CutError, match="is needed after them, too"):
        cuts.before_last(residual, [KERNEL, LAST], 6, 1)
    with pytest.raises(cuts.CutError, match="it has 2 layers with a kernel, not 3"):
        cuts.before_last(residual, [KERNEL, LAST], 6, 3)


@pytest.mark.parametrize("layers", [1, 2, 3, 4, None])
def test_the_default_network(trained: Trained, layers: int | None) -> None:
    """Also where feature maps are cut through."""
    inference, leaves = trained.inference()
    found = cuts.before_last(inference, leaves, 784, layers)
    pixels = np.random.default_rng(0).normal(size=(4, 784)).astype(np.float32)
    features = found.base.function([leaves[place] for place in found.base.read], pixels)
    assert features.shape == (4, found.size)
    logits = found.head.function([leaves[place] for place in found.head.read], features)
    np.testing.assert_allclose(logits, inference(leaves, pixels), atol=1e-5)
    assert len(found.head.read) == 2 * (layers or 4)
