"""What a `.tflite` offers: ours, TensorFlow's own and ai-edge-quantizer's."""

from pathlib import Path

import pytest
from tensorflow.lite.tools import flatbuffer_utils

from modules.export.graph import flatbuffer
from modules.inference import litert
from modules.inspection import device_model
from modules.inspection.report import Operator, Parameters, Tensor
from tests.modules.inspection import made_models
from tests.support import device_tools
from tests.support.digit_models import DigitModels


@pytest.fixture(scope="module")
def cumsum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_models.convert_cumsum(tmp_path_factory.mktemp("made") / "cumsum.tflite")


def test_a_float_model(digit_models: DigitModels) -> None:
    path = digit_models.tflite_paths["float32"]
    report = device_model.inspect(path)
    [signature] = report.signatures
    assert signature.name == "serving_default"
    assert signature.inputs == (Tensor("image_floats", "float32", (None, 784)),)
    assert signature.outputs == (Tensor("logits", "float32", (None, 10)),)
    assert report.parameters == (Parameters("float32", 824_460, 4 * 824_460),)
    names = flatbuffer.operators(path)
    assert {each.name: each.count for each in report.operators} == {
        name: names.count(name) for name in names
    }
    assert all(each.xnnpack == each.count for each in report.operators)
    assert report.operators[0].count == max(each.count for each in report.operators)
    assert (report.bytes, report.problem) == (Path(path).stat().st_size, "")


def test_an_integer_model_has_its_quantization(digit_models: DigitModels) -> None:
    path = digit_models.tflite_paths["int8_io"]
    report = device_model.inspect(path)
    [entry] = litert.make_interpreter(path).get_input_details()
    [tensor] = report.signatures[0].inputs
    assert tensor.dtype == "int8"
    found = (tensor.quantization.scales[0], tensor.quantization.zero_points[0])
    assert found == pytest.approx(entry["quantization"])
    parameters = {each.dtype: each for each in report.parameters}
    assert parameters.keys() == {"int8", "int32"}  # kernels, and biases
    # Beside the network's own kernels, that of the pooling is a convolution here.
    assert parameters["int8"].bytes == parameters["int8"].numbers > 820_000


def test_what_xnnpack_leaves_is_told(cumsum: Path) -> None:
    report = device_model.inspect(str(cumsum))
    assert report.operators == (Operator("CUMSUM", 1, 0), Operator("FULLY_CONNECTED", 1, 1))
    assert report.description == "MLIR Converted."


@pytest.mark.parametrize(("bits", "dtype"), [(8, "int8"), (4, "int4")])
def test_a_model_of_ai_edge_quantizer(cumsum: Path, tmp_path: Path, bits: int, dtype: str) -> None:
    [path] = device_tools.quantize(f"dynamic_wi{bits}_afp32", [cumsum], tmp_path)
    report = device_model.inspect(str(path))
    assert report.parameters == (Parameters(dtype, 2048, 2048 * bits // 8),)
    assert Operator("FULLY_CONNECTED", 1, 1) in report.operators


def test_a_model_without_signatures_has_that_of_its_graph(cumsum: Path, tmp_path: Path) -> None:
    model = flatbuffer_utils.read_model(str(cumsum))
    model.signatureDefs = None
    path = str(tmp_path / "bare.tflite")
    flatbuffer_utils.write_model(model, path)
    [signature] = device_model.inspect(path).signatures
    assert signature.name == ""
    assert [tensor.shape for tensor in (*signature.inputs, *signature.outputs)] == [
        (None, 64),
        (None, 32),
    ]


def test_an_operator_that_nobody_knows_is_counted(cumsum: Path, tmp_path: Path) -> None:
    model = flatbuffer_utils.read_model(str(cumsum))
    [code] = [each for each in model.operatorCodes if each.builtinCode == 128]  # CUMSUM
    code.builtinCode = code.deprecatedBuiltinCode = 32  # CUSTOM
    code.customCode = b"TheirOwn"
    path = str(tmp_path / "custom.tflite")
    flatbuffer_utils.write_model(model, path)
    report = device_model.inspect(path)
    assert Operator("CUSTOM:TheirOwn", 1, None) in report.operators
    assert "TheirOwn" in report.problem
