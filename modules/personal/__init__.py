"""Training on the device, as JAX sees it: heads on features, and steps that keep nothing."""

from modules.personal.heads import Head, l2_penalty, linen_head, nnx_head, pure_head
from modules.personal.keras_heads import keras_head

__all__ = ["Head", "keras_head", "l2_penalty", "linen_head", "nnx_head", "pure_head"]
