"""Networks by name, and the adapters that make a model of what people write in JAX."""

from modules.models.adapters.linen import linen
from modules.models.adapters.nnx import nnx_model
from modules.models.adapters.pure import pure

__all__ = ["linen", "nnx_model", "pure"]
