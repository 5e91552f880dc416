"""Training on the device, as JAX sees it: heads on features, and steps that keep nothing."""

from modules.personal.heads import Head, linen_head, nnx_head, pure_head

__all__ = ["Head", "linen_head", "nnx_head", "pure_head"]
