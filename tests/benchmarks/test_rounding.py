"""The roundings of runtimes in numpy: to the integer what LiteRT's kernels compute."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.rounding import operators as cutting
from benchmarks.rounding.__main__ import differences
from benchmarks.rounding.arithmetic import ROUNDINGS, Scales
from benchmarks.rounding.operators import Convolution, Operator
from modules.export.graph import flatbuffer
from modules.inference import litert
from tests.support.digit_models import DigitModels

QUARTERS = Scales(np.float32(0.5), np.float32([0.25]), np.float32(0.5))


@pytest.fixture(scope="module")
def int8_io(digit_models: DigitModels) -> str:
    return digit_models.tflite_paths["int8_io"]


@pytest.fixture(scope="module")
def found(digit_models: DigitModels, int8_io: str) -> list[tuple[Operator, list[np.ndarray]]]:
    """Each operator with what it is given for three images, and XNNPACK's and TFLite's results."""
    details = litert.make_interpreter(int8_io).get_input_details()[0]
    values, results = litert.quantize(digit_models.images[:3], details), []
    for operator in cutting.operators(int8_io):
        model = cutting.cut(int8_io, operator.index, operator.index)
        by_kernels = [_run(model, values, xnnpack) for xnnpack in (True, False)]
        results.append((operator, [values, *by_kernels]))
        values = by_kernels[0]
    return results


def _run(model: bytes, values: np.ndarray, xnnpack: bool) -> np.ndarray:
    """Returns a model's results int8[N, numbers] for int8[N, numbers], one after the other."""
    interpreter = litert.make_interpreter(model, xnnpack=xnnpack)
    run, shape = litert.LoadedModel(interpreter), interpreter.get_input_details()[0]["shape"]
    return np.concatenate([run(row.reshape(shape)).reshape(1, -1) for row in values])


@pytest.mark.parametrize(
    ("rounding", "expected"),
    [
        ("float", [0, 0, 1, 2, -1, 0, 0]),  # halves to even
        ("two steps", [1, 1, 1, 2, -1, -1, 0]),
        ("one step", [0, 1, 1, 2, -1, 0, 0]),
    ],
)
def test_quarters(rounding: str, expected: list[int]) -> None:
    sums = np.array([[1], [2], [3], [6], [-3], [-2], [-1]])
    assert ROUNDINGS[rounding](sums, QUARTERS)[:, 0].tolist() == expected


def test_convolutions_are_rounded_as_the_kernels_round(
    found: list[tuple[Operator, list[np.ndarray]]], int8_io: str
) -> None:
    """XNNPACK in float; TFLite's own kernels in two steps, but for some dense layers."""
    convolutions = [(each, values) for each, values in found if each.is_convolution]
    assert [each.kind for each, _ in convolutions] == [
        "DEPTHWISE_CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "DEPTHWISE_CONV_2D",
        "FULLY_CONNECTED", "FULLY_CONNECTED",
    ]  # fmt: skip
    for operator, (values, by_xnnpack, by_tflite) in convolutions:
        results = Convolution(int8_io, operator).results(values)
        np.testing.assert_array_equal(results["float"], by_xnnpack)
        if operator.kind != "FULLY_CONNECTED":
            np.testing.assert_array_equal(results["two steps"], by_tflite)


def test_shipped_pools_are_the_same_in_every_rounding(
    found: list[tuple[Operator, list[np.ndarray]]], int8_io: str, tmp_path: Path
) -> None:
    """And plain ones are not."""
    plain = tmp_path / "plain.tflite"
    plain.write_bytes(cutting.with_plain_pools(int8_io))
    assert flatbuffer.operators(str(plain)) == flatbuffer.operators(int8_io)
    pools = [(each, values[0]) for each, values in found if each.has_ones]
    assert [each.name for each, _ in pools] == ["average_pool_2d", "average_pool_2d_1"]
    for operator, values in pools:
        shipped = Convolution(int8_io, operator).results(values)
        others = Convolution(str(plain), operator).results(values)
        for rounding in ROUNDINGS:
            np.testing.assert_array_equal(shipped[rounding], shipped["float"])
            assert np.abs(shipped["float"].astype(int) - others[rounding]).max() == 1
        assert np.mean(others["two steps"] != others["float"]) > 0.02


def test_all_operators_together_are_the_model(
    digit_models: DigitModels, int8_io: str, found: list[tuple[Operator, list[np.ndarray]]]
) -> None:
    values = found[0][1][0]
    last = found[-1][0].index
    logits = _run(cutting.cut(int8_io, 0, last), values, xnnpack=True)
    np.testing.assert_array_equal(logits, found[-1][1][1])
    details = litert.make_interpreter(int8_io).get_output_details()[0]
    expected = litert.predict(int8_io, digit_models.images[:3])
    np.testing.assert_array_equal(litert.dequantize(logits, details), expected)


def test_differences() -> None:
    values = np.array([[0, 1, 2, 127]], np.int8)
    others = {"xnnpack": values, "tflm": np.array([[0, 1, 4, -128]], np.int8)}
    assert differences(others) == {"tflm": {"share": 0.5, "max": 255, "mean": -63.25}}
