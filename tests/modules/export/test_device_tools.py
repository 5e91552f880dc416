"""Device models in other people's tools: Google's quantizer, Arm's compiler, TFLite Micro."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from modules.export.graph import flatbuffer
from modules.export.recipes import RECIPES
from modules.inference import litert
from tests.support import device_tools
from tests.support.digit_models import DigitModels

FEW = 50  # images
MICRO_ARENA_BYTES = {"float32": 140_000, "int8": 40_000, "int8_io": 40_000}


@pytest.fixture(scope="module")
def models(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The device models by recipe, named as a Pusher names them."""
    folder = tmp_path_factory.mktemp("models")
    return {
        name: Path(shutil.copy(path, folder / f"{name}.tflite"))
        for name, path in digit_models.tflite_paths.items()
    }


@pytest.mark.parametrize(
    ("recipe", "weight_bytes", "tolerance"),
    [("dynamic_wi8_afp32", 1, 0.5), ("dynamic_wi4_afp32", 0.5, 4.0), ("static_wi8_ai8", 1, 4.0)],
)
def test_ai_edge_quantizer_makes_smaller_models_of_float32(
    digit_models: DigitModels,
    models: dict[str, Path],
    tmp_path: Path,
    recipe: str,
    weight_bytes: float,
    tolerance: float,
) -> None:
    np.save(tmp_path / "images.npy", digit_models.images[:FEW])
    [path] = device_tools.quantize(
        recipe, [models["float32"]], tmp_path, images=tmp_path / "images.npy"
    )
    assert path.stat().st_size < 1.05 * weight_bytes / 4 * models["float32"].stat().st_size
    expected, found = (
        litert.predict(str(model), digit_models.images) for model in (models["float32"], path)
    )
    # Ranges are averages over the images, so what is far out is cut off.
    cut = np.clip(expected, found.min(), found.max())
    assert 0 < np.abs(found - cut).max() < tolerance
    np.testing.assert_array_equal(found.argmax(axis=1), expected.argmax(axis=1))


@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u65-256", "ethos-u85-256"])
def test_vela_leaves_nothing_of_int8_io_to_the_cpu(
    models: dict[str, Path], tmp_path: Path, accelerator: str
) -> None:
    compiled, report = device_tools.compile_for_npu(models["int8_io"], accelerator, tmp_path)
    assert "CPU operators = 0 (0.0%)" in report
    assert flatbuffer.operators(str(compiled)) == ["CUSTOM:ethos-u"]


@pytest.mark.parametrize("name", MICRO_ARENA_BYTES)
def test_tflite_micro_answers_as_tflites_own_kernels(
    digit_models: DigitModels, models: dict[str, Path], tmp_path: Path, name: str
) -> None:
    """But for a step of the output; XNNPACK rounds in other places."""
    device_tools.needs_tflite_micro()
    interpreter = litert.make_interpreter(str(models[name]), xnnpack=False)
    images = litert.quantize(digit_models.images[:FEW], interpreter.get_input_details()[0])
    images.tofile(tmp_path / "images")
    device_tools.run_tool(
        "micro", "python", device_tools.RUN_MODEL, models[name], tmp_path / "images",
        tmp_path / "logits", str(MICRO_ARENA_BYTES[name]),
    )  # fmt: skip
    made = interpreter.get_output_details()[0]
    found = np.fromfile(tmp_path / "logits", made["dtype"]).reshape(FEW, -1)
    expected = interpreter.get_signature_runner(litert.SIGNATURE)(image_floats=images)["logits"]
    assert found.dtype == expected.dtype and found.shape == expected.shape
    given = litert.make_interpreter(str(models["int8_io"])).get_output_details()[0]
    step = {"float32": 1e-4, "int8": 1.01 * given["quantization"][0], "int8_io": 1}[name]
    np.testing.assert_allclose(found.astype(float), expected.astype(float), rtol=0, atol=step)
    np.testing.assert_array_equal(found.argmax(axis=1), digit_models.logits[:FEW].argmax(axis=1))


def test_ai_edge_quantizer_reads_every_model(models: dict[str, Path], tmp_path: Path) -> None:
    """What is in integers already stays so."""
    found = device_tools.quantize("dynamic_wi8_afp32", [*models.values()], tmp_path)
    operators = {path.stem: flatbuffer.operators(str(path)) for path in found}
    assert list(operators) == list(RECIPES)
    for name, path in models.items():
        assert operators[name] == flatbuffer.operators(str(path))
