"""Networks of every kind train by the loop of the project, as a run trains them."""

from collections.abc import Iterator

import jax
import numpy as np
import pytest

from data.errors import ConfigError
from modules.models import checks
from modules.models.leaves import named_leaves
from modules.models.network import Network
from modules.training import loop
from modules.training.config import TrainConfig
from tests.support.networks import NETWORKS
from tests.support.networks.patterns import TASK, make_patterns

# An epoch is a single step, so that a single program is compiled.
CONFIG = TrainConfig(epochs=50, batch_size=56, learning_rate=0.05, validation_share=0.2)
_IMAGES = 70
# Gradients of data-dependent loops are none that JAX knows; and all images give the same.
WITHOUT_GRADIENT, WITHOUT_SIGNAL = "pure JAX: while_loop", "pure JAX: constant output"
# Leaves that no gradient changes: what chooses a branch, and whole numbers.
STILL = {"pure JAX: lax.cond": ["smooth"], "pure JAX: sin, cos, erf": ["1/0"]}


@pytest.fixture(scope="module", autouse=True)
def quickly_compiled() -> Iterator[None]:
    """Has programs compiled in half of the time, which is longer than they run."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray]:
    """Normalised, and their labels."""
    raw, labels = make_patterns(_IMAGES)
    return (raw - raw.mean()) / raw.std(), labels


@pytest.mark.parametrize(
    "name", [name for name in NETWORKS if name not in (WITHOUT_GRADIENT, WITHOUT_SIGNAL)]
)
def test_network_learns_and_all_that_should_move_moves(
    images: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    network = Network(NETWORKS[name], TASK)
    # One program, instead of one for each of its operations.
    fresh = jax.device_get(jax.jit(network.init, static_argnums=0)(CONFIG.seed))
    monkeypatch.setattr(Network, "init", lambda *_: fresh)
    result = loop.train(network, *images, CONFIG)
    first, last = result.history[0].train_loss, result.history[-1].train_loss
    assert last < 0.7 * first, (first, last)
    assert jax.tree.structure(result.variables) == jax.tree.structure(fresh)
    still = []
    pairs = zip(named_leaves(result.variables), jax.tree.leaves(fresh), strict=True)
    for (leaf, trained), old in pairs:
        assert (trained.shape, trained.dtype) == (old.shape, old.dtype), leaf
        if np.array_equal(trained, old):
            still.append(leaf)
    assert still == STILL.get(name, [])


def test_a_network_that_cannot_tell_images_apart_is_said_to_have_learnt_nothing(
    images: tuple[np.ndarray, np.ndarray],
) -> None:
    found = loop.train(Network(NETWORKS[WITHOUT_SIGNAL], TASK), *images, CONFIG)
    assert [note for note in found.notes if note.startswith("the network learnt nothing")]


def test_a_network_without_a_gradient_is_refused_unless_it_is_trained_already() -> None:
    network = Network(NETWORKS[WITHOUT_GRADIENT], TASK)
    with pytest.raises(ConfigError, match=r"others\.py, line \d+.*differentiation does not work"):
        checks.check(network)
    checks.check(network, is_trained=True)
