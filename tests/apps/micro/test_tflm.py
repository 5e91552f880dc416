"""TensorFlow Lite Micro for the command: answers, arenas, and what cannot be run."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from apps.micro import tflm
from apps.micro.writing import Found
from data.errors import DataError
from tests.apps.micro.conftest import Made
from tests.support.digit_models import DigitModels


def test_the_answers_of_a_model(found: Found) -> None:
    answers = tflm.ask(found.model, found.samples.inputs)
    assert answers.outputs.shape == (3, 10) and answers.outputs.dtype == np.int8
    assert answers.outputs.argmax(axis=1).tolist() == list(found.samples.labels)
    assert answers.seconds > 0 and answers.arena_bytes == 64 * 1024


def test_the_arena_does_and_a_bit_less_does_not(made: Made, found: Found) -> None:
    arena_bytes = json.loads((made.folder / "micro.json").read_text())["arena_bytes"]
    image = found.samples.inputs[:1]
    assert tflm.ask(found.model, image, arena_bytes).arena_bytes == arena_bytes
    with pytest.raises(tflm.DoesNotFitError, match="cannot run it"):
        tflm.ask(found.model, image, arena_bytes - 16)


def test_a_model_that_it_does_not_run(found: Found, digit_models: DigitModels) -> None:
    path = Path(digit_models.tflite_paths["dynamic_range"])
    with pytest.raises(tflm.DoesNotFitError, match="Hybrid models are not supported"):
        tflm.ask(dataclasses.replace(found.model, path=path), found.samples.inputs)


def test_a_file_that_is_no_model(found: Found, tmp_path: Path) -> None:
    path = tmp_path / "none.tflite"
    path.write_bytes(b"none")
    with pytest.raises(DataError, match="expected a .tflite file") as raised:
        tflm.ask(dataclasses.replace(found.model, path=path), found.samples.inputs)
    assert not isinstance(raised.value, tflm.DoesNotFitError)
