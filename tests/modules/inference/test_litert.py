"""Running TFLite files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modules.inference import litert


@pytest.fixture
def pixel_details(variants: dict[str, str]) -> dict[str, Any]:
    """Of an int8 input with scale 1/255 and zero point -128."""
    (details,) = litert.make_interpreter(variants["int8_io"]).get_input_details()
    assert details["quantization"] == (pytest.approx(1 / 255), -128)
    return details


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"no TFLite model at {tmp_path}/none"):
        litert.make_interpreter(str(tmp_path / "none"))


@pytest.mark.parametrize("content", [b"", b"no model at all, but long enough to be one"])
def test_no_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model").write_bytes(content)
    for model in (str(tmp_path / "model"), content):
        with pytest.raises(ValueError, match=r"."):
            litert.make_interpreter(model)


def test_delegate_only_when_wanted(variants: dict[str, str]) -> None:
    for xnnpack in (True, False):
        interpreter = litert.make_interpreter(variants["float32"], xnnpack=xnnpack)
        interpreter.allocate_tensors()
        operators = [entry["op_name"] for entry in interpreter._get_ops_details()]
        assert ("DELEGATE" in operators) == xnnpack


def test_quantize_rounds_to_even_and_clips(pixel_details: dict[str, Any]) -> None:
    steps = np.array([[0, 0.49, 0.5, 0.51, 1.5, 2.5], [63, 255, 255.6, 300, -0.6, -9]])
    parameters = pixel_details["quantization_parameters"]
    scale = np.array([2**-8], np.float32)  # with which a half is one exactly
    details = {**pixel_details, "quantization_parameters": {**parameters, "scales": scale}}
    found = litert.quantize(steps / 2**8, details)
    assert (found.dtype, found.shape) == (np.int8, (2, 6))
    assert found.tolist() == [
        [-128, -128, -128, -127, -126, -126],
        [-65, 127, 127, 127, -128, -128],
    ]


def test_every_grey_level_survives(pixel_details: dict[str, Any]) -> None:
    levels = np.arange(256, dtype=np.float32) / 255
    integers = litert.quantize(levels, pixel_details)
    np.testing.assert_array_equal(integers, np.arange(-128, 128))
    back = litert.dequantize(integers, pixel_details)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, levels, atol=1e-7)


def test_without_quantization_only_the_width_changes(variants: dict[str, str]) -> None:
    (details,) = litert.make_interpreter(variants["float32"]).get_input_details()
    values = np.array([0.1, 300.7])
    for found in (litert.quantize(values, details), litert.dequantize(values, details)):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, values)
    integers = {**details, "dtype": np.int64}
    assert litert.quantize(np.array([3], np.int32), integers).dtype == np.int64
    with pytest.raises(TypeError, match="float64.*int64"):
        litert.quantize(values, integers)


def test_quantization_is_tflites_own(variants: dict[str, str], images: np.ndarray) -> None:
    """`int8` holds the operators QUANTIZE and DEQUANTIZE, which `int8_io` leaves to us."""
    random = np.random.default_rng(0)
    halves = (random.integers(0, 255, images.shape) + 0.5) / 255
    out_of_range = random.normal(0.5, 1, images.shape)
    raw = np.concatenate([images, halves, out_of_range]).astype(np.float32)
    expected = litert.predict(variants["int8"], raw)
    found = litert.predict(variants["int8_io"], raw)
    assert (found.dtype, found.shape) == (np.float32, (600, 10))
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found, axis=0)) > 100


@pytest.mark.parametrize("name", ["float32", "int8_io"])
def test_predictions_do_not_depend_on_the_batches(
    variants: dict[str, str], images: np.ndarray, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Each batch has its own results, though the interpreter reuses its memory."""
    monkeypatch.setattr(litert, "BATCH_SIZE", 200)
    at_once = litert.predict(variants[name], images)
    assert (at_once.shape, at_once.dtype) == ((200, 10), np.float32)
    monkeypatch.setattr(litert, "BATCH_SIZE", 64)
    content = Path(variants[name]).read_bytes()
    in_batches = litert.predict(content, images[:193], num_threads=2)
    np.testing.assert_allclose(in_batches, at_once[:193], atol=1e-4)
    assert len(np.unique(at_once, axis=0)) > 150


def test_no_images(variants: dict[str, str], images: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"no examples to run the model on: .*image_floats"):
        litert.predict(variants["float32"], images[:0])


@pytest.mark.parametrize("xnnpack", [True, False])
@pytest.mark.parametrize(("name", "dtype"), [("float32", np.float32), ("int8_io", np.int8)])
def test_loaded_for_one_image(
    variants: dict[str, str], images: np.ndarray, name: str, dtype: type, xnnpack: bool
) -> None:
    model = litert.load(variants[name], xnnpack=xnnpack)
    interpreter = litert.make_interpreter(variants[name], xnnpack=xnnpack)
    (output,) = interpreter.get_output_details()
    expected = litert.BatchRunner(interpreter)({"image_floats": images[:3]})["logits"]
    for row in range(3):
        prepared = model.prepare(images[row : row + 1])
        found = model(prepared)
        assert prepared.dtype == found.dtype == dtype
        np.testing.assert_allclose(
            litert.dequantize(found, output), expected[row : row + 1], atol=1e-4
        )
