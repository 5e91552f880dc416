"""Files of models as users write them."""

from pathlib import Path

# The lines before a test's own; the first of those is line 10.
HEAD = """\
import jax, jax.numpy as jnp, numpy as np
from flax import linen as nn, nnx
from modules.models import linen, nnx_model, pure

class Net(nn.Module):
    n: int
    @nn.compact
    def __call__(self, x):
        x = x.reshape((x.shape[0], -1))
"""
MODEL = "MODEL = linen(lambda task: Net(task.num_classes))\n"  # line 11, after one line more


def write_net(folder: Path, line: str, last: str = MODEL, name: str = "net.py") -> Path:
    """Writes a file whose network ends in a line, and which ends in `last` itself."""
    path = folder / name
    path.write_text(f"{HEAD}        {line}\n{last}")
    return path
