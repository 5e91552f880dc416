"""What is refused after an export: models that answer otherwise than the trained parameters."""

import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
import tensorflow_transform as tft
from tensorflow.lite.tools import flatbuffer_utils

from modules import export, model

LOGITS = np.log(np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.25, 0.25, 0.5]], np.float32))
TIED = np.log(np.array([[0.4, 0.4, 0.2]], np.float32))


def _changed(row: int, column: int, by: float) -> np.ndarray:
    found = LOGITS.copy()
    found[row, column] += by
    return found


@pytest.mark.parametrize("by", [0.0, 9e-5, -9e-5])
def test_logits_within_the_tolerance(by: float) -> None:
    export.check_logits("model", LOGITS, _changed(1, 2, by))


@pytest.mark.parametrize("by", [1.2e-4, -1.2e-4, 5.0, np.nan, np.inf, -np.inf])
def test_wrong_logit_names_the_example(by: float) -> None:
    with pytest.raises(
        export.ExportMismatchError,
        match=r"the model differs .* logits of example 2 by .* \(0.0001\)",
    ):
        export.check_logits("model", LOGITS, _changed(2, 0, by))


def test_nan_is_not_hidden_by_a_larger_difference() -> None:
    found = _changed(0, 0, np.nan)
    found[1] += 5
    with pytest.raises(export.ExportMismatchError, match="logits of example 0 by nan"):
        export.check_logits("model", LOGITS, found)


@pytest.mark.parametrize(("by", "is_right"), [(2.4e-4, True), (2.7e-4, False)])
def test_beyond_100_the_tolerance_grows_with_the_logit(by: float, is_right: bool) -> None:
    expected = np.array([[0.0, -256.0, -90.0]], np.float64)
    found = expected + np.array([0, by, 0])
    if is_right:
        export.check_logits("model", expected, found)
    else:
        with pytest.raises(export.ExportMismatchError, match="example 0"):
            export.check_logits("model", expected, found)


def test_other_argmax_within_the_tolerance() -> None:
    """Two classes 4e-5 apart: each logit may differ by 1e-4, but not the answer."""
    expected = np.concatenate([LOGITS, TIED])
    expected[3, 1] += 4e-5
    found = expected.copy()
    found[3, 0] += 8e-5
    with pytest.raises(
        export.ExportMismatchError, match="disagree on 1 of 4 examples, first on example 3"
    ):
        export.check_logits("model", expected, found)


@pytest.mark.parametrize("winner", [0, 1])
def test_exact_tie_may_go_either_way(winner: int) -> None:
    found = TIED.copy()
    found[0, winner] += 5e-5
    export.check_logits("model", TIED, found)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (3, 3, 1)])
def test_other_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(export.ExportMismatchError, match=r"logits of shape .*, JAX \(3, 3\)"):
        export.check_logits("model", LOGITS, np.zeros(shape, np.float32))


def test_models_that_agree(models_dir: str, images: np.ndarray, jax_logits: np.ndarray) -> None:
    export.check_models(models_dir, images, jax_logits)


@pytest.fixture(scope="module")
def others_dir(tmp_path_factory: pytest.TempPathFactory, tft_output: tft.TFTransformOutput) -> str:
    """Both formats of other parameters."""
    folder = str(tmp_path_factory.mktemp("others"))
    export.save_models(model.init_params(jax.random.key(8), 10), tft_output, folder)
    return folder


@pytest.fixture
def mixed_dir(tmp_path: Path, models_dir: str) -> Path:
    """A copy of the models, to be tampered with."""
    return Path(shutil.copytree(models_dir, tmp_path / "models"))


def test_tflite_of_other_parameters(
    mixed_dir: Path, others_dir: str, images: np.ndarray, jax_logits: np.ndarray
) -> None:
    shutil.copy(f"{others_dir}/tflite", mixed_dir / "tflite")
    with pytest.raises(export.ExportMismatchError, match="the TFLite model differs"):
        export.check_models(str(mixed_dir), images, jax_logits)


def test_saved_model_of_other_parameters(
    mixed_dir: Path, others_dir: str, images: np.ndarray, jax_logits: np.ndarray
) -> None:
    shutil.rmtree(mixed_dir / "variables")
    shutil.copytree(f"{others_dir}/variables", mixed_dir / "variables")
    with pytest.raises(export.ExportMismatchError, match="the SavedModel differs"):
        export.check_models(str(mixed_dir), images, jax_logits)


def test_tflite_with_permuted_outputs(
    mixed_dir: Path, images: np.ndarray, jax_logits: np.ndarray
) -> None:
    """The rows of the last layer in another order: every logit is right, but in a wrong place."""
    path = str(mixed_dir / "tflite")
    flatbuffer = flatbuffer_utils.read_model(path)
    swapped = 0
    for tensor in flatbuffer.subgraphs[0].tensors:
        if list(tensor.shape) in ([10], [10, 256]) and tensor.buffer:
            data = flatbuffer.buffers[tensor.buffer].data
            if data is not None:
                rows = np.asarray(data, np.uint8).reshape(10, -1)
                flatbuffer.buffers[tensor.buffer].data = rows[::-1].ravel()
                swapped += 1
    assert swapped
    flatbuffer_utils.write_model(flatbuffer, path)
    with pytest.raises(export.ExportMismatchError, match="the TFLite model differs"):
        export.check_models(str(mixed_dir), images, jax_logits)


def test_more_classes(
    tmp_path: Path, tft_output: tft.TFTransformOutput, images: np.ndarray
) -> None:
    params = jax.device_get(model.init_params(jax.random.key(1), 26))
    export.save_models(params, tft_output, str(tmp_path))
    assert export.predict_saved_model(str(tmp_path), images[:3]).shape == (3, 26)
