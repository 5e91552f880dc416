"""The networks by name: for images of any size, in any number of classes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from data.task import Task
from modules.models import loading
from modules.models.network import Network

NAMES = loading.names()
SHAPES = [(28, 28, 1), (32, 32, 3), (9, 5, 1), (2, 3, 3)]


def task_of(shape: tuple[int, int, int], classes: int = 10) -> Task:
    return Task("task", shape, tuple(str(label) for label in range(classes)))


def test_all_of_them_are_known() -> None:
    assert NAMES == ["cnn", "lstm", "mlp", "mobilenet", "resnet", "vit"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("classes", [3, 100])
def test_logits_are_of_any_images(name: str, shape: tuple[int, int, int], classes: int) -> None:
    """Traced only, in training and at inference."""
    network = Network(loading.load(name), task_of(shape, classes))
    shapes = network.shapes()
    pixels = jax.ShapeDtypeStruct((7, network.task.num_pixels), jnp.float32)
    logits = jax.eval_shape(network.logits, shapes, pixels)
    trained, changed = jax.eval_shape(network.train_logits, shapes, pixels, jax.random.key(0))
    assert logits.shape == trained.shape == (7, classes)
    assert jax.tree.structure(changed) == jax.tree.structure(shapes)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("cnn", 824_458),
        ("lstm", 48_970),
        ("mlp", 235_146),
        ("mobilenet", 21_418),
        ("resnet", 78_746),
        ("vit", 105_482),
    ],
)
def test_they_are_as_small_as_they_say(name: str, parameters: int) -> None:
    shapes = Network(loading.load(name), task_of((28, 28, 1))).shapes()
    assert sum(leaf.size for leaf in jax.tree.leaves(shapes)) == parameters


def operations(name: str) -> str:
    network = Network(loading.load(name), task_of((28, 28, 1)))
    pixels = jnp.zeros((1, 784))
    return str(jax.make_jaxpr(network.logits)(network.shapes(), pixels))


@pytest.mark.parametrize("name", NAMES)
def test_at_inference_there_is_nothing_that_devices_lack(name: str) -> None:
    """No loop, no branch, no gather, no error function."""
    text = operations(name)
    for operation in ("while", "scan", "cond", "gather", "dynamic_slice", "erf", "rng", "sort"):
        assert f" {operation}[" not in text and f" {operation} " not in text, operation


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mobilenet", "feature_group_count=48"),
        ("resnet", "tanh"),
        ("vit", "exp"),
        ("lstm", "logistic"),
        ("mlp", "dot_general"),
    ],
)
def test_they_are_what_they_are_called(name: str, expected: str) -> None:
    assert expected in operations(name)


def test_the_answer_of_the_transformer_comes_from_all_patches_through_its_class_token() -> None:
    network = Network(loading.load("vit"), task_of((28, 28, 1)))
    variables = network.init(0)
    pixels = np.zeros((1, 784), np.float32)
    gradient = jax.grad(lambda pixels: network.logits(variables, pixels)[0, 0])(pixels)
    patches = np.abs(gradient.reshape(4, 7, 4, 7)).max(axis=(1, 3))
    assert (patches > 0).all()


def test_the_lstm_reads_rows_and_remembers_the_first() -> None:
    network = Network(loading.load("lstm"), task_of((28, 28, 1)))
    variables = network.init(0)
    pixels = np.random.default_rng(0).normal(size=(1, 784)).astype(np.float32)
    gradient = jax.grad(lambda pixels: network.logits(variables, pixels)[0, 0])(pixels)
    rows = np.abs(gradient.reshape(28, 28)).max(axis=1)
    assert (rows > 0).all() and rows[-1] > 10 * rows[0]
