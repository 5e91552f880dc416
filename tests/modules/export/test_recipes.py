"""What each recipe makes of a trained network: types, size, operators, batches, logits, bytes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from modules.export import logit_checks, tflite
from modules.export.graph import flatbuffer
from modules.export.recipes import RECIPES
from modules.inference import litert
from tests.support.digit_models import DigitModels

NUM_PARAMETERS = 824_458
NETWORK = [
    "SUB", "MUL", "RESHAPE", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "CONV_2D", "AVERAGE_POOL_2D",
    "RESHAPE", "FULLY_CONNECTED", "FULLY_CONNECTED",
]  # fmt: skip

# See modules/export/graph/integer_pooling.py.
INTEGER_NETWORK = [
    "DEPTHWISE_CONV_2D" if operator == "AVERAGE_POOL_2D" else operator for operator in NETWORK
]

every_recipe = pytest.mark.parametrize("name", RECIPES)


def test_the_catalogue_is_read_without_any_library() -> None:
    program = (
        "import sys, modules.export.recipes\n"
        "print(sorted({'numpy', 'jax', 'tensorflow', 'tfx'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert found.stdout == "[]\n", found.stderr
    assert list(RECIPES) == ["float32", "float16", "dynamic_range", "int8", "int8_io"]


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("float32", np.float32),
        ("float16", np.float32),
        ("dynamic_range", np.float32),
        ("int8", np.float32),
        ("int8_io", np.int8),
    ],
)
def test_input_and_output(variants: dict[str, str], name: str, dtype: type) -> None:
    interpreter = litert.make_interpreter(variants[name])
    assert interpreter.get_signature_list() == {
        "serving_default": {"inputs": ["image_floats"], "outputs": ["logits"]}
    }
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (taken["name"], taken["dtype"]) == ("image_floats", dtype)
    assert taken["shape_signature"].tolist() == [-1, 784]
    assert (given["name"], given["dtype"]) == ("logits", dtype)
    assert given["shape_signature"].tolist() == [-1, 10]


@pytest.mark.parametrize(
    ("name", "weight_bytes"),
    [("float32", 4), ("float16", 2), ("dynamic_range", 1), ("int8", 1), ("int8_io", 1)],
)
def test_size_is_that_of_the_weights(
    variants: dict[str, str], name: str, weight_bytes: int
) -> None:
    size = Path(variants[name]).stat().st_size
    assert NUM_PARAMETERS * weight_bytes < size < NUM_PARAMETERS * weight_bytes + 16_000


@pytest.mark.parametrize(
    ("name", "operators"),
    [
        ("float32", NETWORK),
        # One for each kernel and bias, and for the mean and the deviation of Transform's graph.
        ("float16", ["DEQUANTIZE"] * 10 + NETWORK),
        ("dynamic_range", NETWORK),
        ("int8", ["QUANTIZE", *INTEGER_NETWORK, "DEQUANTIZE"]),
        ("int8_io", INTEGER_NETWORK),
    ],
)
def test_operators(variants: dict[str, str], name: str, operators: list[str]) -> None:
    assert flatbuffer.operators(variants[name]) == operators


@every_recipe
def test_any_batch(variants: dict[str, str], images: np.ndarray, name: str) -> None:
    """All at once, not in the batches of `litert.predict`, and by one interpreter."""
    run = litert.make_interpreter(variants[name]).get_signature_runner("serving_default")
    raw = np.resize(images, (256, 784))
    pixels = litert.quantize(raw, run.get_input_details()["image_floats"])
    alone = np.concatenate(
        [run(image_floats=pixels[row : row + 1])["logits"] for row in range(256)]
    )
    assert len(np.unique(alone, axis=0)) > 100
    for size in (1, 7, 256):
        found = run(image_floats=pixels[:size])["logits"]
        np.testing.assert_allclose(found, alone[:size], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("name", "at_least", "at_most"),
    [
        ("float32", 0, 3e-6),
        ("float16", 1e-3, 3e-3),
        ("dynamic_range", 1e-2, 0.055),
        ("int8", 0.1, 0.055),
        ("int8_io", 0.1, 0.055),
    ],
)
def test_logits_are_jaxs_but_for_the_rounding_of_the_recipe(
    digit_models: DigitModels, name: str, at_least: float, at_most: float
) -> None:
    """The lower limit shows that the weights, or the activations, were rounded at all.

    The upper one is a share of the logits' spread, as the steps of 8 bits are.
    """
    expected = digit_models.logits
    found = litert.predict(digit_models.tflite_paths[name], digit_models.images)
    assert np.ptp(expected) > 20
    difference = np.abs(found - expected).max()
    assert at_least <= difference <= at_most * np.ptp(expected)
    np.testing.assert_array_equal(found.argmax(axis=1), expected.argmax(axis=1))
    logit_checks.check_logits(name, expected, found, RECIPES[name])


@every_recipe
def test_converting_twice_gives_the_same_bytes(
    digit_models: DigitModels, tmp_path: Path, name: str
) -> None:
    path = tflite.save_tflite(
        digit_models.trained,
        RECIPES[name],
        str(tmp_path),
        digit_models.images[::4],
        digit_models.tflite_paths["float32"],
    ).path
    assert path == f"{tmp_path}/tflite"
    assert [file.name for file in tmp_path.iterdir()] == ["tflite"]
    assert Path(path).read_bytes() == Path(digit_models.tflite_paths[name]).read_bytes()
