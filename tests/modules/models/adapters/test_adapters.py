"""Each adapter: training and inference, state, randomness, and what gradients change."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen as nn

from modules.models import cnn, linen
from modules.models.leaves import named_leaves
from modules.models.network import Network
from tests.modules.models.networks import MODELS, RANDOM, SMALL_TASK, STATE, network

PIXELS = np.random.default_rng(0).normal(size=(8, SMALL_TASK.num_pixels)).astype(np.float32)


@pytest.mark.parametrize("name", MODELS)
def test_variables_are_a_plain_tree_that_depends_on_the_seed(name: str) -> None:
    variables, again, other = (network(name).init(seed) for seed in (0, 0, 1))
    jax.tree.map(np.testing.assert_array_equal, variables, again)
    assert any(
        np.any(ours != theirs)
        for ours, theirs in zip(jax.tree.leaves(variables), jax.tree.leaves(other), strict=True)
    )
    plain = jax.tree.map(np.asarray, variables)
    assert {type(node) for node in nodes(plain)} <= {dict, list, tuple, np.ndarray}
    shapes = network(name).shapes()
    assert jax.tree.structure(shapes) == jax.tree.structure(variables)
    assert all(
        (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        for ours, theirs in zip(jax.tree.leaves(shapes), jax.tree.leaves(variables), strict=True)
    )


def nodes(tree: object) -> list:
    """Returns a tree and all that is in it."""
    below = (
        tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list | tuple) else ()
    )
    return [tree, *(node for each in below for node in nodes(each))]


@pytest.mark.parametrize("name", MODELS)
def test_logits_are_float32_and_inference_is_of_each_image_alone(name: str) -> None:
    own = network(name)
    variables = own.init(0)
    logits = own.logits(variables, PIXELS)
    assert (logits.shape, logits.dtype) == ((8, 3), jnp.float32)
    alone = jnp.concatenate([own.logits(variables, PIXELS[i : i + 1]) for i in range(8)])
    np.testing.assert_allclose(alone, logits, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("name", MODELS)
def test_training_changes_state_and_draws_by_its_key(name: str) -> None:
    own = network(name)
    variables = own.init(0)
    found = [own.train_logits(variables, PIXELS, jax.random.key(key)) for key in (1, 1, 2)]
    (logits, changed), (again, _), (other, _) = found
    assert logits.dtype == jnp.float32
    np.testing.assert_array_equal(logits, again)
    assert np.array_equal(logits, other) == (name not in RANDOM)
    assert jax.tree.structure(changed) == jax.tree.structure(variables)
    leaves = zip(named_leaves(changed), jax.tree.leaves(variables), strict=True)
    differ = {leaf for (leaf, new), old in leaves if not np.array_equal(new, old)}
    assert len(differ) == STATE.get(name, 0), differ
    marks = dict(named_leaves(own.trainable(variables)))
    assert not any(marks[leaf] for leaf in differ)


@pytest.mark.parametrize("name", ["linen", "nnx"])
def test_statistics_move_to_those_of_the_batch_and_inference_uses_them(name: str) -> None:
    own = network(name)
    variables = own.init(0)
    before = own.logits(variables, PIXELS)
    for step in range(30):
        _, variables = own.train_logits(variables, PIXELS * 3 + 1, jax.random.key(step))
    assert np.abs(own.logits(variables, PIXELS) - before).max() > 0.1


@pytest.mark.parametrize("name", MODELS)
def test_gradients_change_what_is_trainable_and_no_more(name: str) -> None:
    variables = network(name).init(0)
    marks = dict(named_leaves(network(name).trainable(variables)))
    expected = {
        leaf: jnp.issubdtype(value.dtype, jnp.floating)
        and not any(part in leaf for part in ("batch_stats", "state/"))
        for leaf, value in named_leaves(variables)
    }
    assert marks == expected


@pytest.mark.parametrize(
    ("argument", "in_training"),
    [("train", True), ("training", True), ("is_training", True), ("deterministic", False)],
)
def test_a_linen_module_is_told_of_training_as_it_asks(argument: str, in_training: bool) -> None:
    class Asking(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array, **told: bool) -> jax.Array:
            sign = 1 if told[argument] == in_training else -1
            return sign * nn.Dense(3, kernel_init=nn.initializers.ones)(x.reshape((len(x), -1)))

    source = f"def call(self, x, *, {argument}): return self.ask(x, {argument}={argument})"
    space: dict = {}
    exec(source, space)
    told = type("Told", (Asking,), {"__call__": space["call"], "ask": Asking.__call__})
    own = Network(linen(lambda task: told()), SMALL_TASK)
    variables = own.init(0)
    trained, _ = own.train_logits(variables, PIXELS, jax.random.key(0))
    np.testing.assert_allclose(trained, -own.logits(variables, PIXELS), rtol=1e-6)


def test_the_fast_module_is_for_training_on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def of(scale: float) -> nn.Module:
        return nn.Sequential(
            [lambda x: scale * x.reshape((x.shape[0], -1)), nn.Dense(3, name="out")]
        )

    own = Network(linen(lambda task: of(1.0), fast=lambda task: of(2.0)), SMALL_TASK)
    assert own.loops_fast_on_cpu
    variables = own.init(0)
    logits = own.logits(variables, PIXELS)

    def trained() -> jax.Array:
        return own.train_logits(variables, PIXELS, jax.random.key(0))[0]

    np.testing.assert_allclose(trained(), 2 * logits, rtol=1e-4, atol=1e-5)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    np.testing.assert_allclose(trained(), logits, rtol=1e-4, atol=1e-5)


def test_a_fast_module_may_step_aside() -> None:
    own = Network(linen(lambda task: cnn.CNN(3), fast=lambda task: None), SMALL_TASK)
    assert not own.loops_fast_on_cpu
    variables = own.init(0)
    logits, _ = own.train_logits(variables, PIXELS, jax.random.key(0))
    np.testing.assert_allclose(logits, own.logits(variables, PIXELS), atol=1e-5)


def test_pixels_are_row_major() -> None:
    own = network("linen")
    variables = own.init(0)
    images = PIXELS.reshape(8, 6, 5, 3)
    expected = MODELS["linen"].apply(variables, images, SMALL_TASK)
    np.testing.assert_array_equal(own.logits(variables, PIXELS), expected)
