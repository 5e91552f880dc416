"""What is refused after an export: models that answer otherwise than the trained parameters."""

import dataclasses
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from tensorflow.lite.tools import flatbuffer_utils

from modules.export import saved_model, tflite
from modules.export.logit_checks import ExportMismatchError, check_logits
from modules.export.recipes import FLOAT32, INT8, Recipe
from modules.export.trained import Trained
from modules.inference import litert

LOGITS = np.log(np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.25, 0.25, 0.5]], np.float32))
SPREAD = float(LOGITS.std())  # 0.52
COARSE = Recipe("coarse", "", 1, max_logit_difference=2.0, tie=0.3, min_agreement=0.75)


def _changed(row: int, column: int, by: float) -> np.ndarray:
    """The logits with one of them changed by so many spreads."""
    found = LOGITS.copy()
    found[row, column] += by * SPREAD
    return found


@pytest.mark.parametrize("by", [0.0, 9e-5, -9e-5])
def test_logits_within_the_tolerance(by: float) -> None:
    check_logits("model", LOGITS, _changed(1, 2, by))


@pytest.mark.parametrize("by", [1.2e-4, -1.2e-4, 5.0])
def test_wrong_logit_is_told_in_spreads(by: float) -> None:
    with pytest.raises(
        ExportMismatchError,
        match=rf"^the model differs from JAX by up to {abs(by):g}.* times the spread .*\(at most "
        r"0.0001\), most for example 2$",
    ):
        check_logits("model", LOGITS, _changed(2, 0, by))


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize(("by", "is_right"), [(9e-5, True), (1.2e-4, False)])
def test_networks_of_other_ranges_are_treated_alike(
    factor: float, by: float, is_right: bool
) -> None:
    expected, found = LOGITS * factor, _changed(1, 2, by) * factor
    if is_right:
        check_logits("model", expected, found)
    else:
        with pytest.raises(ExportMismatchError, match="differs from JAX"):
            check_logits("model", expected, found)


@pytest.mark.parametrize(("by", "is_right"), [(-1.9, True), (-2.1, False)])
def test_tolerance_is_the_recipes(by: float, is_right: bool) -> None:
    found = _changed(1, 2, by)
    if is_right:
        check_logits("model", LOGITS, found, COARSE)
    else:
        with pytest.raises(ExportMismatchError, match=r"by up to 2.1 times .* \(at most 2\), most"):
            check_logits("model", LOGITS, found, COARSE)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("is_of_jax", [False, True])
def test_what_is_no_number(value: float, is_of_jax: bool) -> None:
    """A quantized model would not show what JAX had."""
    damaged = LOGITS.copy()
    damaged[1, 0] = value
    damaged[0] += 5
    pair = (damaged, LOGITS) if is_of_jax else (LOGITS, damaged)
    with pytest.raises(ExportMismatchError, match="not finite, first for example 1"):
        check_logits("model", *pair, INT8)


@pytest.mark.parametrize(("by", "is_right"), [(0.9e-6, True), (1.2e-6, False)])
def test_logits_that_hardly_differ_may_be_rounded(by: float, is_right: bool) -> None:
    """Of a constant output there is no spread."""
    expected = np.full((4, 3), 256.0)
    found = expected + np.array([0, by * 256, 0])
    if is_right:
        check_logits("model", expected, found)
    else:
        with pytest.raises(ExportMismatchError, match="differs"):
            check_logits("model", expected, found)


def test_logits_that_are_all_zero() -> None:
    zeros = np.zeros((4, 3), np.float32)
    check_logits("model", zeros, zeros)


@pytest.mark.parametrize(("apart", "is_right"), [(0.29, True), (0.31, False)])
def test_classes_that_jax_has_close_together_are_a_tie(apart: float, is_right: bool) -> None:
    """Here everywhere, as where a network has learned nothing."""
    expected = np.resize(LOGITS, (60, 3))
    expected[:, 1] = expected[:, 0] + apart * SPREAD
    expected[:, 2] = expected[:, 0] - 1
    found = expected.copy()
    found[:, 0] += 0.4 * SPREAD
    recipe = dataclasses.replace(COARSE, tie=0.3 * SPREAD / float(expected.std()))
    if is_right:
        check_logits("model", expected, found, recipe)
    else:
        with pytest.raises(ExportMismatchError, match="disagree on 60 of 60 examples .* 75.0%"):
            check_logits("model", expected, found, recipe)


@pytest.mark.parametrize(
    ("examples", "others", "is_right"),
    [(9, 1, True), (9, 2, False), (40, 2, True), (40, 3, False), (400, 3, True), (400, 5, False)],
)
def test_few_other_answers_are_forgiven_where_not_all_have_to_agree(
    examples: int, others: int, is_right: bool
) -> None:
    expected = np.resize(LOGITS[:1], (examples, 3))
    found = expected.copy()
    found[:others, 0] += 1.5
    strict = dataclasses.replace(COARSE, max_logit_difference=5, min_agreement=0.99)
    if is_right:
        check_logits("model", expected, found, strict)
    else:
        with pytest.raises(ExportMismatchError, match=f"disagree on {others} of {examples} "):
            check_logits("model", expected, found, strict)


def test_float32_forgives_no_other_answer() -> None:
    expected = np.resize(LOGITS, (300, 3)) * np.float32(1e3)
    found = expected.copy()
    found[7] = found[7, ::-1]
    with pytest.raises(ExportMismatchError, match="differs|disagree"):
        check_logits("model", expected, found)


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
    tmp_path: Path, trained: Trained, images: np.ndarray, jax_logits: np.ndarray
) -> None:
    others = Trained(trained.network, jax.device_get(trained.network.init(8)), trained.tft_output)
    saved_model.save_saved_model(others, str(tmp_path))
    path = tflite.save_tflite(others, FLOAT32, str(tmp_path)).path
    for found in (
        saved_model.predict_saved_model(str(tmp_path), images),
        litert.predict(path, images),
    ):
        with pytest.raises(ExportMismatchError, match="the model differs from JAX by up to"):
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
