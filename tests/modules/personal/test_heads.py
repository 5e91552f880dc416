"""Heads of all kinds: what they compute, how they are regularized, and what is no head."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from data.errors import ConfigError
from modules.personal import heads, nnx_head
from modules.personal.loading import load_head

HERE = Path(__file__).parent
FEATURES = np.random.default_rng(0).normal(size=(7, 12)).astype(np.float32)


class Net(nnx.Module):
    def __init__(self, size: int, num_classes: int, rngs: nnx.Rngs):
        self.layer = nnx.Linear(size, num_classes, rngs=rngs)

    def __call__(self, features: jax.Array) -> jax.Array:
        return self.layer(jnp.tanh(features))


@pytest.mark.parametrize("name", ["softmax", "mlp", "flax_net.py", "nnx"])
def test_shapes_and_gradients(name: str) -> None:
    path = str(HERE / name) if name.endswith(".py") else name
    head = nnx_head(Net) if name == "nnx" else load_head(path, 12, 5)
    params = head.init(jax.random.key(0), 12, 5)
    assert head.apply(params, FEATURES, 5).shape == (7, 5)
    for leaf in jax.tree.leaves(params):
        assert leaf.dtype == jnp.float32
    gradients = jax.grad(lambda params: head.apply(params, FEATURES, 5)[:, 0].sum())(params)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradients))
    assert any(np.any(leaf) for leaf in jax.tree.leaves(gradients))


def test_l2_leaves_biases_alone() -> None:
    penalty = heads.l2_penalty(0.5)
    assert penalty({"kernel": jnp.full((2, 3), 2.0), "bias": jnp.ones(3)}) == 0.5 * 24
    assert heads.no_penalty({"kernel": jnp.ones((2, 3))}) == 0


def test_a_keras_head_is_traced_with_its_regularization() -> None:
    head = load_head(str(HERE / "keras_net.py"), 12, 5)
    params = head.init(None, 12, 5)
    kernels = [value for value in params.values() if value.ndim == 2]
    assert [kernel.shape for kernel in kernels] == [(12, 16), (16, 5)]
    expected = 1e-3 * sum(np.square(kernel).sum() for kernel in kernels)
    assert head.penalty(params) == pytest.approx(expected, rel=1e-5)
    first, second = kernels
    logits = np.maximum(FEATURES @ first, 0) @ second  # fresh biases are 0
    np.testing.assert_allclose(head.apply(params, FEATURES, 5), logits, atol=1e-5)
    gradients = jax.grad(lambda params: head.penalty(params))(params)
    np.testing.assert_allclose(gradients[next(iter(params))], 2e-3 * first, rtol=1e-4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "there is no such file"),
        ("HEAD = 3", "HEAD is int, expected what linen_head"),
        ("", "HEAD is NoneType, expected"),
        ("import nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("from modules.personal import keras_head\nHEAD = keras_head(lambda a, b: 1 / 0)",
         "Keras cannot make this head: ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_what_is_no_head(tmp_path: Path, content: str | None, reason: str) -> None:
    path = tmp_path / "mine.py"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=reason):
        load_head(str(path), 12, 5)
    with pytest.raises(ConfigError, match="expected softmax, mlp, or the path"):
        load_head("sofmax", 12, 5)
