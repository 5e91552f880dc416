"""What a SavedModel offers: ours, Keras's, TensorFlow 1's, and what fine-tuning asks for."""

from pathlib import Path

import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from modules.inspection import server_model
from modules.inspection.report import Operator, Parameters, Tensor, Variable
from tests.modules.inspection import made_models
from tests.support.digit_models import DigitModels


def test_the_pipelines_own(digit_models: DigitModels) -> None:
    report = server_model.inspect(digit_models.server_dir)
    signatures = {each.name: each for each in report.signatures}
    assert signatures.keys() == {"serving_default", "predict_images", "predict_features"}
    images = signatures["predict_images"]
    assert images.inputs == (Tensor("image_floats", "float32", (None, 784)),)
    assert images.outputs == (Tensor("logits", "float32", (None, 10)),)
    assert report.tags == ("serve",) and report.tensorflow == tf.__version__
    assert None in report.batch_sizes
    counted = {each.name: each.count for each in report.operators}
    assert counted["XlaCallModule"] >= 1 and "RestoreV2" not in counted
    inside = {each.name: each.count for each in report.stablehlo}
    assert inside["stablehlo.dot_general"] >= 1 and "func.func" not in inside
    numbers = {each.dtype: each.numbers for each in report.parameters}
    assert numbers["float32"] >= 824_458
    assert report.variable_bytes > 4 * 824_458
    assert report.unknown_operators == report.reaching_operators == ()
    assert report.fine_tuning.is_possible
    assert sum(each.numbers for each in report.fine_tuning.trainable) == 824_458


def test_one_that_can_be_fine_tuned(tmp_path: Path) -> None:
    path = made_models.save_reusable(tmp_path / "any")
    report = server_model.inspect(path)
    assert report.fine_tuning.is_possible
    assert report.fine_tuning.trainable == (Variable("kernel", "float32", (4, 3), 12),)
    assert Parameters("float32", 15, 60) in report.parameters
    assert report.batch_sizes == (None,)
    with tf.GradientTape() as tape:  # and that is so
        loaded = tf.saved_model.load(path)
        loss = tf.reduce_sum(loaded(tf.ones([2, 4])))
    [gradient] = tape.gradient(loss, loaded.trainable_variables)
    assert gradient.shape == (4, 3)


@pytest.mark.parametrize(
    ("with_gradient", "keeps_gradient", "reason"),
    [
        (False, True, "exported without gradients"),
        (True, False, "gradients of its own that it has were not saved"),
    ],
)
def test_one_without_its_gradients(
    tmp_path: Path, with_gradient: bool, keeps_gradient: bool, reason: str
) -> None:
    path = made_models.save_reusable(tmp_path / "none", with_gradient, keeps_gradient, size=8)
    report = server_model.inspect(path)
    assert not report.fine_tuning.is_possible and reason in report.fine_tuning.reason
    assert report.batch_sizes == (8,)
    with tf.GradientTape() as tape, pytest.raises((LookupError, TypeError)):
        loaded = tf.saved_model.load(path)
        tape.gradient(tf.reduce_sum(loaded(tf.ones([8, 4]))), loaded.trainable_variables)


def test_one_of_keras(tmp_path: Path) -> None:
    report = server_model.inspect(made_models.save_keras(tmp_path / "keras"))
    assert {each.name for each in report.signatures} == {"serve", "serving_default"}
    assert {"MatMul", "Rsqrt"} <= {each.name for each in report.operators}
    assert report.stablehlo == ()
    assert [each.shape for each in report.fine_tuning.trainable] == [(8, 4), (4,), (4,), (4,)]
    assert not report.fine_tuning.is_possible
    assert "only its signatures" in report.fine_tuning.reason


def test_one_of_tensorflow_1(tmp_path: Path) -> None:
    report = server_model.inspect(made_models.save_old(tmp_path / "old"))
    assert report.parameters == (Parameters("float32", 10, 40),)
    assert report.batch_sizes == (32,)
    assert Operator("MatMul", 1) in report.operators
    assert "TensorFlow 1" in report.fine_tuning.reason


def test_a_call_that_would_read_a_file_is_told_and_not_made(tmp_path: Path) -> None:
    @tf.function(input_signature=[tf.TensorSpec([], tf.string, name="name")])
    def content(name: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"content": tf.io.read_file(name)}

    report = server_model.inspect(made_models.save_module(tmp_path / "reads", content))
    assert report.reaching_operators == ("ReadFile",)
    assert report.parameters == () and report.batch_sizes == ()


def test_an_operator_that_tensorflow_does_not_know(tmp_path: Path) -> None:
    path = made_models.save_reusable(tmp_path / "model")
    file = Path(path, "saved_model.pb")
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for function in saved.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "XlaCallModule":
                node.op = "TheirOwn"
    file.write_bytes(saved.SerializeToString())
    with pytest.raises(Exception, match="TheirOwn"):
        tf.saved_model.load(path)
    assert server_model.inspect(path).unknown_operators == ("TheirOwn",)


def test_jax_functions_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    path = made_models.save_reusable(tmp_path / "model")
    file = Path(path, "saved_model.pb")
    saved = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for function in saved.meta_graphs[0].graph_def.library.function:
        for node in function.node_def:
            if node.op == "XlaCallModule":
                node.attr["module"].s = b"ML\xefRno such bytecode"
    file.write_bytes(saved.SerializeToString())
    assert server_model.inspect(path).stablehlo is None
