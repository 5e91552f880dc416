"""The features that a network's last dense layer takes."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modules.export.reusable import last_layer
from modules.export.trained import Trained
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

    found = last_layer.before_last_layer(network, [KERNEL, LAST], 6)
    assert (found.read, found.size) == ([0], 4)
    features = found.function([KERNEL], PIXELS)
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
    with pytest.raises(last_layer.NoLastLayerError, match=reason):
        last_layer.before_last_layer(
            lambda leaves, pixels: end(leaves[1], hidden(leaves[0], pixels)), [KERNEL, LAST], 6
        )


def test_of_real_networks(exports: Exports) -> None:
    """Most end with a dense layer; the rest say with what."""
    without = {}
    for name, model in NETWORKS.items():
        inference, leaves = exports.trained(model).inference()
        try:
            last_layer.before_last_layer(inference, leaves, 768)
        except last_layer.NoLastLayerError as error:
            without[name] = str(error)
    print(without)
    assert len(without) < len(NETWORKS) / 10


def test_the_default_network_s_features_give_its_logits(trained: Trained, exports: Exports) -> None:
    inference, leaves = trained.inference()
    found = last_layer.before_last_layer(inference, leaves, 784)
    pixels = np.random.default_rng(0).normal(size=(4, 784)).astype(np.float32)
    features = found.function([leaves[place] for place in found.read], pixels)
    last = trained.variables["params"]["logits"]
    np.testing.assert_allclose(
        features @ last["kernel"] + last["bias"], inference(leaves, pixels), atol=1e-5
    )
