"""Answers of the device models: their labels, probabilities and times."""

from pathlib import Path

import numpy as np
import pytest

from data.digits import TASK
from data.errors import DataError
from modules.inference import litert
from serve.client import local
from serve.client.answers import Answer, Answers, answer_of, disagrees
from serve.client.package import Package
from tests.support.digit_models import DigitModels


def test_probabilities_are_the_softmax_of_the_logits() -> None:
    answer = answer_of(np.array([1000.0, 1001.0, 999.0], np.float32), 5.0)
    expected = 1 / (1 + np.exp(-1) + np.exp(-2))
    assert answer == Answer(1, pytest.approx(expected), 5.0)


def test_every_model_of_a_package_answers(digit_models: DigitModels, output: Path) -> None:
    names = ("float32", "int8_io")
    files = {name: f"{name}.tflite" for name in names}
    package = Package(TASK, output, output / "device" / "7", files)
    found = local.ask(package, digit_models.images[:9])
    assert [answers.model for answers in found] == list(names)
    for answers in found:
        path = digit_models.tflite_paths[answers.model]
        logits = litert.predict(path, digit_models.images[:9])
        assert [each.label for each in answers.of_images] == logits.argmax(1).tolist()
        for answer, row in zip(answers.of_images, logits, strict=True):
            expected = np.exp(row - row.max()).max() / np.exp(row - row.max()).sum()
            assert answer.probability == pytest.approx(expected, rel=1e-3)
            assert answer.microseconds > 0


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.tflite").write_bytes(b"none")
    with pytest.raises(DataError, match="x.tflite: LiteRT does not run it"):
        local.ask(Package(TASK, tmp_path, tmp_path, {"x": "x.tflite"}), np.zeros((1, 784), "f4"))


def test_models_disagree_where_one_has_another_label() -> None:
    one, two = ((Answer(3, 0.9, 1.0), Answer(label, 0.5, 1.0)) for label in (4, 5))
    models = (Answers("a", one), Answers("b", two), Answers("c", one))
    assert [disagrees(models, image) for image in (0, 1)] == [False, True]
    assert not disagrees(models[:1], 1)
