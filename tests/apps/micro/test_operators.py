"""Names of operators in TensorFlow Lite Micro."""

import pytest

from apps.micro import operators
from data.errors import DataError


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("CONV_2D", "AddConv2D"),
        ("DEPTHWISE_CONV_2D", "AddDepthwiseConv2D"),
        ("L2_NORMALIZATION", "AddL2Normalization"),
        ("SPACE_TO_BATCH_ND", "AddSpaceToBatchNd"),
        ("RELU6", "AddRelu6"),
        ("SPLIT_V", "AddSplitV"),
        ("PADV2", "AddPadV2"),
        ("CUMSUM", "AddCumSum"),
        ("BATCH_MATMUL", "AddBatchMatMul"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "AddUnidirectionalSequenceLSTM"),
    ],
)
def test_the_method_of_an_operator(name: str, method: str) -> None:
    assert operators.methods([name]) == (method,)


def test_each_stands_there_once_and_in_order() -> None:
    assert operators.methods(["SUB", "MUL", "SUB"]) == ("AddMul", "AddSub")


@pytest.mark.parametrize("name", ["FlexErf", "ADD(); system(1); //", "", "Custom_x"])
def test_what_is_no_builtin_operator(name: str) -> None:
    with pytest.raises(DataError, match="expected one of TFLite's built-in ones"):
        operators.methods([name])
