"""A multilayer perceptron in JAX alone, as in jax2tf's MNIST example."""

import jax
import jax.numpy as jnp

from data.task import Task
from modules.models import pure

_HIDDEN = (256, 128)
_Layers = list[dict[str, jax.Array]]


def init(key: jax.Array, task: Task) -> _Layers:
    """Returns a kernel float32[in, out] and a bias float32[out] for each layer."""
    sizes = (task.num_pixels, *_HIDDEN, task.num_classes)
    keys = jax.random.split(key, len(sizes) - 1)
    return [
        {
            "kernel": jax.random.normal(key, (inputs, outputs)) * jnp.sqrt(2 / inputs),
            "bias": jnp.zeros(outputs),
        }
        for key, inputs, outputs in zip(keys, sizes[:-1], sizes[1:], strict=True)
    ]


def apply(layers: _Layers, images: jax.Array) -> jax.Array:
    """Maps normalised images float32[B, H, W, C] to logits float32[B, classes]."""
    *hidden, last = layers
    x = images.reshape((images.shape[0], -1))
    for layer in hidden:
        x = jax.nn.relu(x @ layer["kernel"] + layer["bias"])
    return x @ last["kernel"] + last["bias"]


MODEL = pure(init, apply)
