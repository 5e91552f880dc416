"""A network as a function of a batch whose size is not known while it is traced."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from modules.export.trained import Inference
from modules.models.protocol import Logits


def for_any_batch(
    inference: Inference, leaves: Sequence[np.ndarray], num_pixels: int
) -> Inference:
    """Returns the same function in a form that JAX can trace for batches of any size.

    A network may want the size to be a number, as `len(images)` does. It is then given its images
    one by one, which JAX makes a batch of again.
    """
    batch = jax.ShapeDtypeStruct(jax.export.symbolic_shape(f"b, {num_pixels}"), np.float32)
    try:
        jax.eval_shape(inference, leaves, batch)
    except Exception:  # whatever a network raises over a size that is none
        return lambda leaves, pixels: _one_by_one(inference, leaves, pixels)
    return inference


def _one_by_one(inference: Inference, leaves: Sequence[Any], pixels: jax.Array) -> Logits:
    return jax.vmap(lambda image: inference(leaves, image[None])[0])(pixels)
