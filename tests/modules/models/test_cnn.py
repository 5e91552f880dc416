"""The default network: its size, its outputs, and what it is fast for."""

import jax
import numpy as np
import pytest

from data.task import Task
from modules.models import cnn
from modules.models.leaves import named_leaves
from modules.models.network import Network


def network_of(classes: int = 10, shape: tuple[int, int, int] = (28, 28, 1)) -> Network:
    return Network(cnn.MODEL, Task("task", shape, tuple(str(label) for label in range(classes))))


def test_number_of_parameters() -> None:
    shapes = {name: leaf.shape for name, leaf in named_leaves(network_of().shapes())}
    assert shapes == {
        "params/Conv_0/kernel": (3, 3, 1, 32),
        "params/Conv_0/bias": (32,),
        "params/Conv_1/kernel": (3, 3, 32, 64),
        "params/Conv_1/bias": (64,),
        "params/Dense_0/kernel": (3136, 256),
        "params/Dense_0/bias": (256,),
        "params/logits/kernel": (256, 10),
        "params/logits/bias": (10,),
    }
    assert sum(np.prod(shape) for shape in shapes.values()) == 824_458


@pytest.mark.parametrize("num_classes", [2, 10, 26])
def test_outputs_are_those_of_the_last_dense_layer(num_classes: int) -> None:
    network = network_of(num_classes)
    params = network.init(0)["params"]
    pixels = np.random.default_rng(0).normal(size=(3, 784)).astype(np.float32)
    logits = network.logits({"params": params}, pixels)
    assert (logits.shape, logits.dtype) == ((3, num_classes), np.float32)
    twice = {**params, "logits": jax.tree.map(lambda x: 2 * x, params["logits"])}
    np.testing.assert_allclose(network.logits({"params": twice}, pixels), 2 * logits, rtol=1e-6)


def test_parameters_depend_on_the_seed_alone() -> None:
    one, again, other = (network_of().init(seed) for seed in (7, 7, 8))
    jax.tree.map(np.testing.assert_array_equal, one, again)
    assert not np.array_equal(
        one["params"]["Conv_0"]["kernel"], other["params"]["Conv_0"]["kernel"]
    )


@pytest.mark.parametrize(
    ("shape", "fast"),
    [((28, 28, 1), True), ((5, 4, 3), True), ((3, 9, 1), False), ((1, 1, 3), False)],
)
def test_it_takes_images_of_any_size_and_is_fast_where_two_windows_fit(
    shape: tuple[int, int, int], fast: bool
) -> None:
    network = network_of(3, shape)
    assert network.loops_fast_on_cpu == fast
    variables = network.init(0)
    pixels = np.random.default_rng(0).normal(size=(2, network.task.num_pixels)).astype(np.float32)
    logits = network.logits(variables, pixels)
    trained, _ = network.train_logits(variables, pixels, jax.random.key(0))
    assert logits.shape == (2, 3)
    np.testing.assert_allclose(trained, logits, atol=1e-5)
