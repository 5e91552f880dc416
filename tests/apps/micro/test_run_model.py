"""`apps/micro/run_model.py`: device models in TensorFlow Lite Micro, and how it ends."""

import json
from pathlib import Path

import numpy as np
import pytest

from modules.inference import litert
from tests.support import device_tools
from tests.support.digit_models import DigitModels

FEW = 8  # images
ARENA_BYTES = {"int8_io": 65536, "float32": 131072}  # the first that does

run_model = device_tools.RUN_MODEL


@pytest.fixture(autouse=True)
def _has_tflite_micro() -> None:
    device_tools.needs_tflite_micro()


@pytest.mark.parametrize("name", ARENA_BYTES)
def test_it_writes_a_row_for_each_row(digit_models: DigitModels, tmp_path: Path, name: str) -> None:
    model = str(digit_models.tflite_paths[name])
    interpreter = litert.make_interpreter(model, xnnpack=False)
    images = litert.quantize(digit_models.images[:FEW], interpreter.get_input_details()[0])
    images.tofile(tmp_path / "inputs")
    printed = json.loads(
        device_tools.run_tool(
            "micro", "python", run_model, model, tmp_path / "inputs", tmp_path / "outputs"
        )
    )
    assert printed["rows"] == FEW and printed["seconds"] > 0
    assert printed["arena_bytes"] == ARENA_BYTES[name]
    expected = interpreter.get_signature_runner(litert.SIGNATURE)(image_floats=images)["logits"]
    found = np.fromfile(tmp_path / "outputs", expected.dtype).reshape(expected.shape)
    tolerance = 1 if name == "int8_io" else 1e-4
    np.testing.assert_allclose(found.astype(float), expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize(
    ("name", "arena", "reason"),
    [
        ("dynamic_range", [], "Hybrid models are not supported on TFLite Micro."),
        ("float16", [], "Node DEQUANTIZE (number 0) failed to prepare"),
        ("int8_io", ["20000"], "Failed to resize buffer."),
    ],
)
def test_status_3_says_why_it_cannot_run_a_model(
    digit_models: DigitModels, tmp_path: Path, name: str, arena: list[str], reason: str
) -> None:
    model = digit_models.tflite_paths[name]
    (tmp_path / "inputs").write_bytes(b"")
    done = device_tools.run(
        "micro", "python", run_model, model, tmp_path / "inputs", tmp_path / "outputs", *arena
    )
    assert done.returncode == 3 and not (tmp_path / "outputs").exists()
    [line] = done.stderr.splitlines()
    assert line.startswith(f"{model}: TensorFlow Lite Micro cannot run it (") and reason in line


def test_other_errors_have_status_1(digit_models: DigitModels, tmp_path: Path) -> None:
    model, odd, none = digit_models.tflite_paths["int8_io"], tmp_path / "odd", tmp_path / "none"
    odd.write_bytes(bytes(785))
    for arguments, sentence in (
        (
            (model, odd, tmp_path / "out"),
            f"{odd}: 785 bytes, expected a multiple of the input's 784",
        ),
        ((odd, odd, tmp_path / "out"), f"{odd}: expected a .tflite file"),
        ((model, none, tmp_path / "out"), f"{none}: No such file or directory"),
        ((model, odd), "usage: run_model.py MODEL INPUTS OUTPUTS [ARENA_BYTES]"),
    ):
        done = device_tools.run("micro", "python", run_model, *arguments)
        assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith(sentence)
        assert not (tmp_path / "out").exists()
