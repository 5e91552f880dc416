"""What a TFLite file says of its borders, read without LiteRT."""

from pathlib import Path

import numpy as np
import pytest

from modules.export.recipes import RECIPES
from modules.inference import litert
from modules.inference.runtimes.tensors import NotAModelError, borders
from tests.support.digit_models import DigitModels


@pytest.mark.parametrize("recipe", RECIPES)
def test_they_are_what_litert_says(digit_models: DigitModels, recipe: str) -> None:
    path = digit_models.tflite_paths[recipe]
    interpreter = litert.make_interpreter(path)
    details = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    for found, expected in zip(borders(Path(path)), details, strict=True):
        assert found.dtype == expected["dtype"]
        assert found.width == expected["shape"][-1]
        assert (found.scale or 0.0, found.zero_point) == expected["quantization"]
        assert found.row_bytes == found.dtype.itemsize * found.width


def test_values_go_in_and_come_out_as_litert_has_them(digit_models: DigitModels) -> None:
    entry, result = borders(Path(digit_models.tflite_paths["int8_io"]))
    assert entry.stored(np.array([[0.0, 1.0, 7.0, -3.0]])).tolist() == [[-128, 127, 127, -128]]
    real = result.real(np.array([[0, 1]], np.int8))
    assert real[0, 1] - real[0, 0] == pytest.approx(result.scale)
    floats = borders(Path(digit_models.tflite_paths["float32"]))[0]
    assert floats.stored(np.array([[0.25]])).tobytes() == np.float32(0.25).tobytes()


@pytest.mark.parametrize("content", [b"", b"no model", b"\x1c\0\0\0TFL3" + b"\xff" * 64])
def test_no_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "some.tflite").write_bytes(content)
    with pytest.raises(NotAModelError, match=r"^some.tflite is "):
        borders(tmp_path / "some.tflite")


def test_cut_off_anywhere_it_is_an_error_or_all_there(
    digit_models: DigitModels, tmp_path: Path
) -> None:
    whole = Path(digit_models.tflite_paths["int8_io"])
    content, told = whole.read_bytes(), 0
    for length in np.linspace(8, len(content) - 1, 50, dtype=int):
        (tmp_path / "cut.tflite").write_bytes(content[:length])
        try:
            assert borders(tmp_path / "cut.tflite") == borders(whole)
        except NotAModelError:
            told += 1
    assert told


def test_a_model_of_several_signatures(digit_models: DigitModels) -> None:
    path = digit_models.personal_package / "personal.tflite"
    with pytest.raises(NotAModelError, match=r"personal.tflite has \d+ signatures, expected one"):
        borders(path)
