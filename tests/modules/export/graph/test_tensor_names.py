"""Names of the tensors in device models: short, a layer's own, the same in all recipes."""

import re
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest
import tensorflow as tf
from flax import linen as nn
from jax.experimental import jax2tf
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from modules.export.graph import flatbuffer
from modules.export.recipes import RECIPES
from tests.support.digit_models import DigitModels

NETWORK = [
    "sub", "mul", "reshape", "Conv_0", "average_pool_2d", "Conv_1", "average_pool_2d_1",
    "reshape_1", "Dense_0", "logits",
]  # fmt: skip

every_recipe = pytest.mark.parametrize("recipe", RECIPES)


def _tensors(path: str) -> dict[str, schema.TensorT]:
    """The tensors by their names, which are no two the same."""
    tensors = flatbuffer.read_model(path).subgraphs[0].tensors
    named = {tensor.name.decode("ascii"): tensor for tensor in tensors}
    assert len(named) == len(tensors)
    return named


def _computed(path: str) -> list[str]:
    """The names of what the operators compute, in the order of execution."""
    graph = flatbuffer.read_model(path).subgraphs[0]
    return [graph.tensors[operator.outputs[0]].name.decode() for operator in graph.operators]


@every_recipe
def test_every_operator_and_parameter_has_the_same_name_in_all_recipes(
    digit_models: DigitModels, recipe: str
) -> None:
    path = digit_models.tflite_paths[recipe]
    of_layers = [name for name in _computed(path) if not name.endswith(("/int8", "/float32"))]
    assert of_layers == NETWORK
    assert _tensors(digit_models.tflite_paths["float32"]).keys() <= _tensors(path).keys()


@pytest.mark.parametrize(
    ("recipe", "more"),
    [
        ("dynamic_range", set()),
        ("int8", {"image_floats/int8", "logits/int8"}),
        ("int8_io", set()),
        ("float16", {"Conv_1/kernel/float32", "logits/bias/float32", "sub/constant/float32"}),
    ],
)
def test_names_of_what_a_recipe_adds(variants: dict[str, str], recipe: str, more: set[str]) -> None:
    added = _tensors(variants[recipe]).keys() - _tensors(variants["float32"]).keys()
    pools = {f"average_pool_2d{n}/{part}" for n in ("", "_1") for part in ("kernel", "bias")}
    if recipe == "float16":
        assert more < added
        assert all(name.endswith("/float32") for name in added)
    else:
        assert added == more | (pools if "int8" in recipe else set())


def test_the_constants_of_a_layer_are_the_parameters_of_that_name(
    digit_models: DigitModels,
) -> None:
    path = digit_models.tflite_paths["float32"]
    tensors, buffers = _tensors(path), flatbuffer.read_model(path).buffers
    for layer, parameters in digit_models.variables["params"].items():
        for part, values in parameters.items():
            constant = buffers[tensors[f"{layer}/{part}"].buffer].data
            np.testing.assert_array_equal(  # TFLite's order of the axes is another
                np.sort(np.frombuffer(bytes(constant), np.float32)), np.sort(values, axis=None)
            )


@every_recipe
def test_names_take_less_than_a_kilobyte(
    variants: dict[str, str], tmp_path: Path, recipe: str
) -> None:
    model = flatbuffer.read_model(variants[recipe])
    for tensor in model.subgraphs[0].tensors:
        tensor.name = None
    flatbuffer_utils.write_model(model, str(tmp_path / "nameless"))
    sizes = [Path(path).stat().st_size for path in (tmp_path / "nameless", variants[recipe])]
    assert 0 < sizes[1] - sizes[0] < 1024


class Block(nn.Module):
    """A residual block; one of its parts has a name that is no word."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        return x + self._branch(x)

    def _branch(self, x: jax.Array) -> jax.Array:
        return nn.Dense(16, name="größe.1")(nn.tanh(nn.Dense(16)(x)))


class Network(nn.Module):
    """A layer that the next is folded into, two blocks, and one that becomes several operators."""

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        x = nn.Conv(16, (28, 28), padding="VALID", name="stem")(x.reshape((-1, 28, 28, 1)))
        x = nn.BatchNorm(use_running_average=True)(x).reshape((-1, 16))
        for _ in range(2):
            x = Block()(x)
        return nn.Dense(10, name="logits")(nn.LayerNorm()(x))


@pytest.fixture
def finish(tmp_path: Path) -> Callable[[Callable[[jax.Array], jax.Array]], str]:
    """Converts a function of JAX's and finishes the file."""

    def run(function: Callable[[jax.Array], jax.Array]) -> str:
        traced = jax2tf.convert(function, with_gradient=False)
        spec = tf.TensorSpec([1, 784], tf.float32, name="image_floats")
        signature = tf.function(
            lambda image_floats: {"logits": traced(image_floats)},
            input_signature=[spec],
            autograph=False,
        )
        tf.saved_model.save(tf.Module(), str(tmp_path), signatures={"serving_default": signature})
        converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path))
        path = tmp_path / "converted"
        path.write_bytes(converter.convert())
        flatbuffer.finish(str(path))
        return str(path)

    return run


def test_layers_in_blocks(finish: Callable[..., str]) -> None:
    network = Network()
    params = jax.jit(network.init)(jax.random.key(0), np.zeros((1, 784), np.float32))
    path = finish(lambda pixels: network.apply(params, pixels))
    blocks = [
        f"Block_{number}/{name}"
        for number in range(2)
        for name in ("Dense_0", "tanh", "gr__e.1", "add")  # the sum is the block's own
    ]
    computed = _computed(path)
    assert computed[:11] == ["reshape", "stem", "reshape_1", *blocks]
    assert computed[-2:] == ["LayerNorm_0", "logits"]
    assert len(computed) > 17
    assert all(re.fullmatch(r"LayerNorm_0/[a-z]+(_\d)?", name) for name in computed[11:-2])
    kernels = {name for name in _tensors(path) if name.endswith("/kernel")}
    layers = {"stem", "logits", *(block for block in blocks if "Dense" in block or "gr" in block)}
    assert kernels == {f"{layer}/kernel" for layer in layers}


def test_functions_without_layers(finish: Callable[..., str]) -> None:
    """Nothing is known of them but the operators; the constants belong to these."""
    first, second = np.random.default_rng(0).normal(size=(2, 784, 784)).astype(np.float32)
    path = finish(lambda pixels: jax.numpy.tanh(jax.numpy.tanh(pixels @ first) @ second)[:, :10])
    assert _computed(path) == [
        "fully_connected", "tanh", "fully_connected_1", "tanh_1", "logits",
    ]  # fmt: skip
    assert {"fully_connected/kernel", "fully_connected_1/kernel"} < _tensors(path).keys()
