"""Networks of every kind train: state, randomness, narrow types, several devices."""

import dataclasses
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from modules.models.leaves import named_leaves
from modules.training import divergence, loop
from modules.training.config import TrainConfig
from modules.training.saved import checkpoints
from tests.modules.models.networks import MODELS, STATE, network
from tests.modules.training.small_training import start

CONFIG = TrainConfig(epochs=4, batch_size=16, learning_rate=0.05)
NAMES = list(MODELS)


def make_colours() -> tuple[np.ndarray, np.ndarray]:
    """Returns 160 noisy images of SMALL_TASK, each class with a channel brighter than the rest."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 160)
    images = random.normal(scale=0.5, size=(160, 6, 5, 3))
    images[np.arange(160), :, :, labels] += 1.5
    return images.reshape(160, -1).astype(np.float32), labels


@pytest.fixture(scope="module")
def results() -> dict[str, loop.TrainResult]:
    return {name: loop.train(network(name), *make_colours(), CONFIG) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_it_learns_what_is_easy(results: dict[str, loop.TrainResult], name: str) -> None:
    assert results[name].history[-1].validation_accuracy >= 0.75
    accuracy = loop.evaluate(network(name), results[name].variables, *make_colours())[1]
    assert accuracy > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_types_stay_and_all_that_should_move_moves(
    results: dict[str, loop.TrainResult], name: str
) -> None:
    fresh = network(name).init(CONFIG.seed)
    trained = results[name].variables
    assert jax.tree.structure(trained) == jax.tree.structure(fresh)
    still = []
    for (leaf, new), old in zip(named_leaves(trained), jax.tree.leaves(fresh), strict=True):
        assert (new.shape, new.dtype) == (old.shape, old.dtype), leaf
        if np.array_equal(new, old):
            still.append(leaf)
    without_state = name in ("pure",)  # its integer is no parameter
    assert len(still) == without_state, still


def test_batch_statistics_are_those_of_the_images(results: dict[str, loop.TrainResult]) -> None:
    """After training as during it, for the layer that sees them first."""
    variables = results["linen"].variables
    layer, images = variables["params"]["block.1"], make_colours()[0].reshape(-1, 6, 5, 3)
    outputs = jax.lax.conv_general_dilated(
        images, layer["kernel"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    mean = np.mean(outputs + layer["bias"], axis=(0, 1, 2))
    found = variables["batch_stats"]["BatchNorm_0"]["mean"]
    np.testing.assert_allclose(found, mean, atol=0.25)


@pytest.mark.parametrize("name", ["nnx", "linen", "pure with its own training"])
def test_an_interrupted_training_ends_with_the_same_bits(
    results: dict[str, loop.TrainResult], name: str, tmp_path: Path
) -> None:
    """State and randomness go on; keys are integers, names have dots and slashes."""

    class HaltError(Exception):
        pass

    def halt(metrics: loop.EpochMetrics) -> None:
        if metrics.epoch == 2:
            raise HaltError

    with pytest.raises(HaltError):
        saved = checkpoints.Checkpoints(tmp_path, "key", print)
        loop.train(network(name), *make_colours(), CONFIG, on_epoch=halt, checkpoints=saved)
    saved = checkpoints.Checkpoints(tmp_path, "key", print)
    found = loop.train(network(name), *make_colours(), CONFIG, checkpoints=saved)
    assert found.trained_images < results[name].trained_images
    jax.tree.map(np.testing.assert_array_equal, found.variables, results[name].variables)


def test_dropout_draws_anew_in_each_step_and_by_the_seed() -> None:
    images, _ = make_colours()
    same = np.tile(images[:1], (160, 1)), np.zeros(160, int)
    still = dataclasses.replace(
        CONFIG, epochs=1, learning_rate=0.0, max_rotation=0.0, max_shift=0.0, max_scaling=0.0
    )
    losses: list[float] = []
    watch = divergence.Watch.losses

    class Watched(divergence.Watch):
        def losses(self, new: np.ndarray, epoch: int, done: int) -> None:
            losses.extend(new)
            watch(self, new, epoch, done)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "Watch", Watched)
        own = network("pure with its own training")
        loop.train(own, *same, still)
        loop.train(own, *same, dataclasses.replace(still, seed=1))
    assert len(set(losses)) == len(losses) == 18


@pytest.fixture(scope="module")
def two_devices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """The variables of networks that were trained on two devices, by network and leaf."""
    path = tmp_path_factory.mktemp("devices") / "two.npz"
    flags = "--xla_backend_optimization_level=0 --xla_force_host_platform_device_count=2"
    process = start("tests.modules.training.test_networks", path, XLA_FLAGS=flags)
    shown, _ = process.communicate(timeout=900)
    assert process.returncode == 0, shown
    with np.load(path) as saved:
        return dict(saved)


@pytest.mark.parametrize("name", STATE)
def test_two_devices_share_the_state(
    results: dict[str, loop.TrainResult], two_devices: dict[str, np.ndarray], name: str
) -> None:
    """Statistics are means over both, so that they are close to those of a single device."""
    for leaf, value in named_leaves(results[name].variables):
        found = two_devices[f"{name}:{leaf}"]
        assert (found.shape, found.dtype) == (value.shape, value.dtype)
        if "mean" in leaf.split("/"):
            np.testing.assert_allclose(found, value, atol=0.5)
    assert two_devices[f"{name}:accuracy"] > 0.9


def main(path: str) -> None:
    """Trains the networks with state on all devices there are."""
    assert jax.device_count() == 2
    saved = {}
    for name in STATE:
        variables = loop.train(network(name), *make_colours(), CONFIG).variables
        saved |= {f"{name}:{leaf}": value for leaf, value in named_leaves(variables)}
        accuracy = loop.evaluate(network(name), variables, *make_colours())[1]
        saved[f"{name}:accuracy"] = np.array(accuracy)
    np.savez(path, **saved)


if __name__ == "__main__":
    main(*sys.argv[1:])
