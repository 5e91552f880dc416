"""8-bit pooling as a convolution: the same numbers, from operators that XNNPACK runs."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from tensorflow.lite.tools import flatbuffer_utils

from modules.export import tflite
from modules.export.graph import flatbuffer, integer_pooling
from modules.export.recipes import INT8
from modules.inference import litert
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
