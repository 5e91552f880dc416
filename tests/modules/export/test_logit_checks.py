"""What is refused after an export: models that answer otherwise than the trained parameters."""

import dataclasses
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
import tensorflow_transform as tft
from tensorflow.lite.tools import flatbuffer_utils

from modules.export import saved_model, tflite
from modules.export.logit_checks import ExportMismatchError, check_logits
from modules.export.recipes import FLOAT32, INT8, Recipe
from modules.inference import litert
from modules.models import cnn

LOGITS = np.log(np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.25, 0.25, 0.5]], np.float32))
TIED = np.log(np.array([[0.4, 0.4, 0.2]], np.float32))
COARSE = Recipe("coarse", "", 1, max_logit_difference=2.0, min_agreement=0.75)


def _changed(row: int, column: int, by: float) -> np.ndarray:
    found = LOGITS.copy()
    found[row, column] += by
    return found


@pytest.mark.parametrize("by", [0.0, 9e-5, -9e-5])
def test_logits_within_the_tolerance(by: float) -> None:
    check_logits("model", LOGITS, _changed(1, 2, by))


@pytest.mark.parametrize("by", [1.2e-4, -1.2e-4, 5.0, np.nan, np.inf, -np.inf])
def test_wrong_logit_names_the_example(by: float) -> None:
    with pytest.raises(
        ExportMismatchError,
        match=r"the model differs .* logits of example 2 by .* \(0.0001\)",
    ):
        check_logits("model", LOGITS, _changed(2, 0, by))


@pytest.mark.parametrize(("by", "is_right"), [(-1.9, True), (-2.1, False), (np.nan, False)])
def test_tolerance_is_the_recipes(by: float, is_right: bool) -> None:
    found = _changed(1, 2, by)
    if is_right:
        check_logits("model", LOGITS, found, COARSE)
    else:
        with pytest.raises(ExportMismatchError, match=r"example 1 by .* times .* \(2\): "):
            check_logits("model", LOGITS, found, COARSE)


def test_nan_is_not_hidden_by_a_larger_difference() -> None:
    found = _changed(0, 0, np.nan)
    found[1] += 5
    with pytest.raises(ExportMismatchError, match="logits of example 0 by nan"):
        check_logits("model", LOGITS, found)


def test_nan_of_jax_is_refused_though_a_quantized_model_does_not_show_it() -> None:
    with pytest.raises(ExportMismatchError, match="logits of example 1 by nan"):
        check_logits("model", _changed(1, 0, np.nan), LOGITS, INT8)


@pytest.mark.parametrize(("by", "is_right"), [(2.4e-4, True), (2.7e-4, False)])
def test_beyond_100_the_tolerance_grows_with_the_logit(by: float, is_right: bool) -> None:
    expected = np.array([[0.0, -256.0, -90.0]], np.float64)
    found = expected + np.array([0, by, 0])
    if is_right:
        check_logits("model", expected, found)
    else:
        with pytest.raises(ExportMismatchError, match="example 0"):
            check_logits("model", expected, found)


def test_other_argmax_within_the_tolerance() -> None:
    """Two classes 4e-5 apart: each logit may differ by 1e-4, but not the answer."""
    expected = np.concatenate([LOGITS, TIED])
    expected[3, 1] += 4e-5
    found = expected.copy()
    found[3, 0] += 8e-5
    with pytest.raises(
        ExportMismatchError,
        match=r"disagree on 1 of 4 examples \(at least 100.0% .*\), first on example 3",
    ):
        check_logits("model", expected, found)


@pytest.mark.parametrize(("others", "is_right"), [(1, True), (2, False)])
def test_share_of_other_answers_is_the_recipes(others: int, is_right: bool) -> None:
    expected = np.concatenate([LOGITS, LOGITS[:1]])
    found = expected.copy()
    found[1 : 1 + others, 0:3] = np.log([0.3, 0.4, 0.3])
    if is_right:
        check_logits("model", expected, found, COARSE)
    else:
        with pytest.raises(
            ExportMismatchError,
            match=r"disagree on 2 of 4 examples \(at least 75.0% .*\), first on example 1: ",
        ):
            check_logits("model", expected, found, COARSE)


def test_one_other_answer_is_allowed_where_not_all_have_to_agree() -> None:
    found = LOGITS.copy()
    found[1] = np.log([0.3, 0.4, 0.3])
    strict = dataclasses.replace(COARSE, min_agreement=0.99)
    check_logits("model", LOGITS, found, strict)
    found[0] = np.log([0.4, 0.3, 0.3])
    with pytest.raises(ExportMismatchError, match="disagree on 2 of 3 examples"):
        check_logits("model", LOGITS, found, strict)


@pytest.mark.parametrize("winner", [0, 1])
def test_exact_tie_may_go_either_way(winner: int) -> None:
    found = TIED.copy()
    found[0, winner] += 5e-5
    check_logits("model", TIED, found)


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (3, 3, 1)])
def test_other_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ExportMismatchError, match=r"logits of shape .*, JAX \(3, 3\)"):
        check_logits("model", LOGITS, np.zeros(shape, np.float32))


def test_models_of_the_parameters(
    models_dir: str, images: np.ndarray, jax_logits: np.ndarray
) -> None:
    check_logits("SavedModel", jax_logits, saved_model.predict_saved_model(models_dir, images))
    check_logits("TFLite model", jax_logits, litert.predict(f"{models_dir}/tflite", images))


def test_models_of_other_parameters(
    tmp_path: Path, tft_output: tft.TFTransformOutput, images: np.ndarray, jax_logits: np.ndarray
) -> None:
    others = jax.device_get(cnn.init_params(jax.random.key(8), 10))
    saved_model.save_saved_model(others, tft_output, str(tmp_path))
    path = tflite.save_tflite(others, tft_output, FLOAT32, str(tmp_path))
    for found in (
        saved_model.predict_saved_model(str(tmp_path), images),
        litert.predict(path, images),
    ):
        with pytest.raises(ExportMismatchError, match="the model differs from JAX in the logits"):
            check_logits("model", jax_logits, found)


def test_tflite_with_permuted_outputs(
    tmp_path: Path, models_dir: str, images: np.ndarray, jax_logits: np.ndarray
) -> None:
    """The rows of the last layer in another order: every logit is right, but in a wrong place."""
    path = str(shutil.copy(f"{models_dir}/tflite", tmp_path / "tflite"))
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
    with pytest.raises(ExportMismatchError, match="the TFLite model differs"):
        check_logits("TFLite model", jax_logits, litert.predict(path, images))
