"""The ranges of activations: each its own, whatever the converter's memory is used for."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from modules.export import tflite_rewriter
from modules.export.graph import flatbuffer
from modules.export.recipes import INT8, INT8_IO, Recipe
from tests.support.digit_models import DigitModels

LEFT = 0.125  # what is subtracted
# What each operator of `_chain` computes of numbers from 0 to 1.
RANGES = {"SUB": (-LEFT, 1 - LEFT), "ABS": (0, 1 - LEFT), "ADD": (0, 1), "MUL": (0, 8)}


def _chain(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
    """Elementwise operators, of which each may write over what the one before has computed."""
    return {"logits": tf.reshape((tf.abs(pixels - LEFT) + LEFT) * 8.0, [1, 28, 28]) + tf.ones(28)}


def _ranges(path: str) -> dict[str, tuple[float, float]]:
    """Returns what the results of a model's operators reach from and to, by operator."""
    model = flatbuffer.read_model(path)
    graph, found = model.subgraphs[0], {}
    for operator, name in zip(graph.operators, flatbuffer.operator_names(model), strict=True):
        quantization = graph.tensors[operator.outputs[0]].quantization
        if name not in found and quantization is not None and quantization.scale is not None:
            steps = np.array([-128, 127]) - quantization.zeroPoint[0]
            found[name] = tuple(steps * quantization.scale[0])
    return found


@pytest.mark.parametrize("recipe", [INT8, INT8_IO], ids=["int8", "int8_io"])
def test_each_activation_has_its_own_range(tmp_path: Path, recipe: Recipe) -> None:
    spec = tf.TensorSpec([1, 784], tf.float32, name="image_floats")
    signature = tf.function(_chain, input_signature=[spec], autograph=False)
    tf.saved_model.save(
        tf.Module(), str(tmp_path / "saved"), signatures={"serving_default": signature}
    )
    images = np.linspace(0, 1, 784, dtype=np.float32)[np.newaxis]
    path = tflite_rewriter.rewrite(
        str(tmp_path / "saved"), str(tmp_path / "lite"), recipe, images, 1
    )
    found = _ranges(path)
    for name, (lowest, highest) in RANGES.items():
        assert found[name] == pytest.approx((lowest, highest), abs=0.01 * (highest - lowest)), name


@pytest.mark.parametrize("recipe", ["int8", "int8_io"])
def test_normalised_images_keep_all_their_steps(digit_models: DigitModels, recipe: str) -> None:
    """The network's first operator subtracts the mean of pixels from 0 to 1."""
    lowest, highest = _ranges(digit_models.tflite_paths[recipe])["SUB"]
    assert highest - lowest == pytest.approx(1, rel=0.01)
    assert len(flatbuffer.read_model(digit_models.tflite_paths[recipe]).subgraphs[0].outputs) == 1
