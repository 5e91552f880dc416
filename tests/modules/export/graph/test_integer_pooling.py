"""8-bit pooling as a convolution: the same numbers, from operators that XNNPACK runs."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tensorflow.lite.tools import flatbuffer_utils

from modules.export import tflite
from modules.export.graph import flatbuffer, integer_pooling
from modules.export.recipes import INT8
from modules.inference import delegation, litert
from modules.inference.runtimes import running
from modules.inference.runtimes.catalogue import STANDARD, installed
from tests.support.digit_models import DigitModels


class _StopError(Exception):
    pass


@pytest.fixture(scope="module")
def unfinished_int8(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An int8 model as TFLite's converter leaves it."""
    folder = tmp_path_factory.mktemp("unfinished")

    def stop(path: str, *_: object) -> None:
        shutil.copy(path, folder / "kept")
        raise _StopError

    float32 = digit_models.tflite_paths["float32"]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(_StopError):
        patch.setattr(flatbuffer, "finish", stop)
        tflite.save_tflite(digit_models.trained, INT8, str(folder), digit_models.images, float32)
    return folder / "kept"


@pytest.mark.parametrize(
    ("variant", "pools", "convolutions"),
    [("float32", 2, 1), ("dynamic_range", 2, 1), ("int8", 0, 3), ("int8_io", 0, 3)],
)
def test_only_8_bit_pooling_is_replaced(
    variants: dict[str, str], variant: str, pools: int, convolutions: int
) -> None:
    names = flatbuffer.operators(variants[variant])
    assert names.count("AVERAGE_POOL_2D") == pools
    assert names.count("DEPTHWISE_CONV_2D") == convolutions


def test_the_convolution_gives_what_the_pooling_gave(
    digit_models: DigitModels,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    unfinished_int8: Path,
) -> None:
    pooled, convolved = tmp_path / "pooled", tmp_path / "convolved"
    for path in (pooled, convolved):
        path.write_bytes(unfinished_int8.read_bytes())
    flatbuffer.finish(str(convolved))
    monkeypatch.setattr(integer_pooling, "pool_by_convolution", lambda model, operator: None)
    flatbuffer.finish(str(pooled))
    assert "AVERAGE_POOL_2D" in flatbuffer.operators(str(pooled))
    pairs = digit_models.images.reshape((-1, 2, 784))  # as the converter was told
    by_convolution, by_pooling = (
        np.concatenate([litert.predict(str(path), pair) for pair in pairs])
        for path in (convolved, pooled)
    )
    # Halves may be rounded the other way, which is a step or some of the output in the end.
    assert np.abs(by_convolution - by_pooling).max() <= 0.5
    errors = [np.abs(found - digit_models.logits).mean() for found in (by_convolution, by_pooling)]
    assert errors[0] <= 1.1 * errors[1]


def _pool(window: tuple[int, int]) -> bytes:
    """Returns a model of one pool in int8, with as many rows and columns of windows as channels."""
    shape = [1, 16 * window[0], 16 * window[1], 16]

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32)])
    def pooled(images: tf.Tensor) -> tf.Tensor:
        return tf.nn.avg_pool2d(images, window, window, "VALID")

    converter = tf.lite.TFLiteConverter.from_concrete_functions([pooled.get_concrete_function()])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([np.full(shape, x, np.float32)] for x in (-1, 1))
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


@pytest.mark.parametrize("window", [(2, 2), (1, 2), (3, 3), (2, 3), (6, 6), (7, 7)])
def test_every_runtime_rounds_a_mean_alike(tmp_path: Path, window: tuple[int, int]) -> None:
    """To the nearest integer, and halves up and down, by channel."""
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(_pool(window)))
    [pool] = model.subgraphs[0].operators
    integer_pooling.pool_by_convolution(model, pool)
    path = str(tmp_path / "model.tflite")
    flatbuffer_utils.write_model(model, path)
    assert flatbuffer.operators(path) == ["DEPTHWISE_CONV_2D"]
    assert delegation.undelegated(litert.make_interpreter(path)) == {}

    height, width = window
    pixels = np.random.default_rng(0).integers(-128, 128, (16, height, 16, width, 16))
    pixels[0], pixels[1] = -128, 127
    pixels[2] = np.linspace(-128, -125, 16, dtype=int)  # as after a relu
    sums = pixels.sum(axis=(1, 3))
    halves = np.mod(2 * sums, 2 * height * width) == height * width
    assert halves.any() == (height * width % 2 == 0)
    means = sums / (height * width)
    expected = np.floor(means + 0.5)
    expected[..., 1::2] = np.ceil(means - 0.5)[..., 1::2]
    images = pixels.reshape(1, 16 * height, 16 * width, 16).astype(np.int8)
    for kernels in (
        OpResolverType.BUILTIN,
        OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        OpResolverType.BUILTIN_REF,
    ):
        run = litert.LoadedModel(Interpreter(path, experimental_op_resolver_type=kernels))
        np.testing.assert_array_equal(run(images)[0], expected)


def test_runtimes_differ_by_a_step_at_most(
    digit_models: DigitModels, variants: dict[str, str]
) -> None:
    """And in few logits: what is left is the rounding of convolutions and dense layers."""
    images = digit_models.images[:50]
    expected = running.run(STANDARD, Path(variants["int8_io"]), images).stored.astype(int)
    for name in installed(("builtin", "reference", "tflm")):
        steps = running.run(name, Path(variants["int8_io"]), images).stored - expected
        assert np.abs(steps).max() <= 1, name
        assert np.mean(steps != 0) < 0.1, name


def test_padded_pooling_stays(unfinished_int8: Path) -> None:
    """Where it is padded, a pool divides by fewer than height * width pixels at the border."""
    model = flatbuffer_utils.read_model(str(unfinished_int8))
    [pool, _] = [
        operator
        for operator, name in zip(
            model.subgraphs[0].operators, flatbuffer.operators(str(unfinished_int8)), strict=True
        )
        if name == "AVERAGE_POOL_2D"
    ]
    pool.builtinOptions.padding = integer_pooling.schema.Padding.SAME
    before = (pool.opcodeIndex, len(model.buffers), list(pool.inputs))
    integer_pooling.pool_by_convolution(model, pool)
    assert (pool.opcodeIndex, len(model.buffers), list(pool.inputs)) == before
