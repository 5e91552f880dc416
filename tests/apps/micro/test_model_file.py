"""The model of a package, and what is not one for microcontrollers."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from apps.micro import model_file
from data.errors import ConfigError, DataError
from modules.inference import litert
from serve.client import package
from serve.client.package import Package
from tests.support.digit_models import DigitModels


@pytest.fixture
def own(pushed: Path, tmp_path: Path) -> Package:
    """A copy of what was pushed, to be spoilt."""
    found = package.find({"OUTPUT": str(pushed)}, False)
    version = Path(shutil.copytree(found.version or "", tmp_path / "7"))
    return Package(found.task, tmp_path, version, found.files)


def test_the_model_of_a_package(own: Package, digit_models: DigitModels) -> None:
    found = model_file.find(own)
    given = litert.make_interpreter(str(found.path)).get_input_details()[0]
    images = digit_models.images[:4]
    expected = litert.quantize(images, given)
    np.testing.assert_array_equal(found.input.integers(images), expected)
    np.testing.assert_allclose(found.input.real(expected), images, rtol=0, atol=1e-6)
    assert found.input.shape == (1, 784) and found.output.shape == (1, 10)
    assert found.operators[0] == "SUB" and found.operators.count("FULLY_CONNECTED") == 2


def test_a_package_without_one(own: Package) -> None:
    other = Package(own.task, own.output, own.version, {"float32": "float32.tflite"})
    with pytest.raises(ConfigError, match="holds float32, expected int8_io.*RECIPES"):
        model_file.find(other)


@pytest.mark.parametrize("content", [b"", b"\x1c\0\0\0TFL3", None])
def test_a_damaged_model(own: Package, content: bytes | None) -> None:
    path = Path(own.version or "", "int8_io.tflite")
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(DataError, match=r"int8_io.tflite: expected a model with one input"):
        model_file.find(own)


def test_a_model_with_floats(own: Package) -> None:
    folder = Path(own.version or "")
    shutil.copy(folder / "float32.tflite", folder / "int8_io.tflite")
    with pytest.raises(DataError, match="expected a model with one input and one output of int8"):
        model_file.find(own)
