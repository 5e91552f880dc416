"""Device models on raw rows on the JVM: the bytes are those of LiteRT in Python."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from apps.android.jvm.classes import jvm_command
from modules.inference import litert
from tests.support.digit_models import DigitModels

COUNT = 100


@pytest.fixture(scope="module")
def run_model(jars: list[Path]) -> list[str]:
    """The beginning of the command."""
    return jvm_command()


def run(command: list[str], *arguments: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run([*command, *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("kernels", ["xnnpack", "builtin"])
@pytest.mark.parametrize("name", ["float32", "float16", "dynamic_range", "int8", "int8_io"])
def test_numbers_are_those_of_python(
    run_model: list[str], digit_models: DigitModels, tmp_path: Path, name: str, kernels: str
) -> None:
    path = digit_models.tflite_paths[name]
    interpreter = litert.make_interpreter(path, xnnpack=kernels == "xnnpack")
    interpreter.allocate_tensors()
    [given], [gives] = interpreter.get_input_details(), interpreter.get_output_details()
    rows = litert.quantize(digit_models.images[:COUNT], given)
    rows.tofile(tmp_path / "rows")
    options = ["--builtin"] if kernels == "builtin" else []
    done = run(run_model, *options, path, tmp_path / "rows", tmp_path / "found")
    assert done.returncode == 0, done.stderr
    assert ("XNNPACK delegate" in done.stderr) == (kernels == "xnnpack")
    found = np.fromfile(tmp_path / "found", gives["dtype"]).reshape(COUNT, -1)
    expected = []
    for row in rows:
        interpreter.set_tensor(given["index"], row[np.newaxis])
        interpreter.invoke()
        expected.append(interpreter.get_tensor(gives["index"])[0].copy())
    if name == "int8_io":
        np.testing.assert_array_equal(found, expected)
    else:
        # Of dynamic_range, TFLite's own kernels round activations by the last bit of their scale.
        atol = 0.1 if (name, kernels) == ("dynamic_range", "builtin") else 1e-5
        np.testing.assert_allclose(found, expected, atol=atol, rtol=1e-6)


def test_no_rows_give_no_rows(
    run_model: list[str], digit_models: DigitModels, tmp_path: Path
) -> None:
    (tmp_path / "rows").touch()
    path = digit_models.tflite_paths["int8_io"]
    assert run(run_model, path, tmp_path / "rows", tmp_path / "found").returncode == 0
    assert (tmp_path / "found").read_bytes() == b""


def test_what_cannot_be_run_is_told(
    run_model: list[str], digit_models: DigitModels, tmp_path: Path
) -> None:
    rows, found, none = tmp_path / "rows", tmp_path / "found", tmp_path / "none"
    rows.write_bytes(bytes(784))
    none.write_bytes(b"no model")
    float32 = digit_models.tflite_paths["float32"]
    personal = digit_models.personal_package / "personal.tflite"
    for arguments, status, message in [
        ((none, rows, found), 3, f"{none}: this is no whole TFLite model"),
        ((personal, rows, found), 3, f"{personal}: it has the signatures ["),
        ((float32, rows, found), 1, f"{rows}: has 784 bytes, expected rows of 3136, as the model"),
        ((float32, tmp_path / "gone", found), 1, f"{tmp_path / 'gone'}: there is no such file"),
        ((tmp_path / "gone", rows, found), 1, f"{tmp_path / 'gone'} (No such file or directory)"),
        ((float32, rows), 1, "usage: RunModel"),
    ]:
        done = run(run_model, *arguments)
        assert done.returncode == status, done.stderr
        assert done.stderr.splitlines()[-1].startswith(message), done.stderr
    assert not found.exists()
