"""Variables as of trained networks."""

import jax
import jax.numpy as jnp
import numpy as np

from modules.models.network import Network
from modules.models.protocol import Variables


def drawn_variables(network: Network) -> Variables:
    """Returns variables without the time that `init` takes to compile, or a training to run.

    Kernels are drawn so that each layer keeps the spread of what it is given; scales and variances
    lie around 1, biases and means around 0.
    """
    random = np.random.default_rng(0)

    def drawn(path: tuple, leaf: jax.ShapeDtypeStruct) -> np.ndarray:
        name, shape = jax.tree_util.keystr(path), leaf.shape
        if not jnp.issubdtype(leaf.dtype, jnp.floating):
            return np.zeros(shape, leaf.dtype)
        if "scale" in name or "var" in name:
            return random.uniform(0.5, 1.5, shape).astype(leaf.dtype)
        deviation = 0.1 if len(shape) < 2 else float(np.prod(shape[:-1])) ** -0.5
        return random.normal(0, deviation, shape).astype(leaf.dtype)

    return jax.tree_util.tree_map_with_path(drawn, network.shapes())
