"""The Quantizer: a Trainer's model in, a smaller one out, checked against JAX on real examples."""

import json
from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tensorflow.lite.tools import flatbuffer_utils
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.types.standard_artifacts import Examples, Model, TransformGraph

from data.splits import Split
from modules import run_fn
from modules.export import conversion_record, logit_checks, tflite, tflite_checks
from modules.export.graph import flatbuffer
from modules.export.recipes import RECIPES
from modules.inference import litert
from modules.models.adapters.linen import LinenModel
from modules.training.config import TrainConfig
from modules.training.job import TrainingJob
from pipeline.components.quantizer import Quantizer
from tests.pipeline.components.generated import write_examples
from tests.support.digit_models import NUM_IMAGES, DigitModels


@pytest.fixture(scope="module")
def inputs(
    digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Examples | TransformGraph | Model]]:
    """What ExampleGen, Transform and the Trainer hand on."""
    examples, graph, model = Examples(), TransformGraph(), Model()
    examples.uri = str(tmp_path_factory.mktemp("examples"))
    examples.splits = ["train"]
    folder = Path(examples.path(split="train"))
    folder.mkdir()
    files = digit_models.files
    write_examples(files, 0, NUM_IMAGES, Split.TRAIN, str(folder / "shard.gz"))
    graph.uri = digit_models.tft_output.transform_savedmodel_dir.removesuffix("/transform_fn")
    model.uri = str(Path(digit_models.server_dir).parent)
    return {"examples": [examples], "transform_graph": [graph], "model": [model]}


@pytest.fixture
def quantize(
    inputs: dict[str, list[Examples | TransformGraph | Model]],
    digit_models: DigitModels,
    tmp_path: Path,
) -> Callable[[str], Path]:
    """Runs the component as TFX does and returns the folder of its model."""

    def run(recipe: str) -> Path:
        made = Model()
        made.uri = str(tmp_path / "quantized")
        executor = Quantizer.EXECUTOR_SPEC.executor_class()
        job = TrainingJob(digit_models.files.task, "cnn", TrainConfig())
        parameters = {"recipe": recipe, "job": json.dumps(job.to_config())}
        executor.Do(inputs, {"quantized_model": [made]}, parameters)
        return Path(made.uri)

    return run


@pytest.mark.parametrize("recipe", ["float16", "dynamic_range", "int8", "int8_io"])
def test_the_trained_parameters_by_another_recipe(
    quantize: Callable[[str], Path], digit_models: DigitModels, recipe: str
) -> None:
    """In the place where TFMA looks for it, and nothing else but what was checked of it."""
    folder = quantize(recipe)
    path = folder / "Format-Serving" / "tflite"
    assert {file for file in folder.rglob("*") if file.is_file()} == {path, folder / "checked.json"}
    assert conversion_record.refusal(str(path.parent)) is None
    original = digit_models.tflite_paths[recipe]
    assert flatbuffer.operators(str(path)) == flatbuffer.operators(original)
    (taken,) = litert.make_interpreter(str(path)).get_input_details()
    assert taken["dtype"] == (np.int8 if recipe == "int8_io" else np.float32)
    found = litert.predict(str(path), digit_models.images)
    logit_checks.check_logits(recipe, digit_models.logits, found, RECIPES[recipe])


def test_unknown_recipe(quantize: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="int4"):
        quantize("int4")
    assert not list(tmp_path.iterdir())


def _refusal(folder: Path) -> str:
    """Returns why a model was refused, and that nothing else was left of it."""
    assert [file for file in folder.rglob("*") if file.is_file()] == [folder / "checked.json"]
    reason = conversion_record.refusal(str(folder / "Format-Serving"))
    assert reason is not None
    return reason


def _reverse_classes(path: str) -> None:
    """Puts the rows of the last layer's weights in another order; all else stays sound."""
    converted = flatbuffer_utils.read_model(path)
    (weights,) = (
        tensor
        for tensor in converted.subgraphs[0].tensors
        if list(tensor.shape) == [10, 256] and converted.buffers[tensor.buffer].data is not None
    )
    buffer = converted.buffers[weights.buffer]
    buffer.data = np.asarray(buffer.data, np.uint8).reshape(10, -1)[::-1].ravel()
    flatbuffer_utils.write_model(converted, path)


@pytest.mark.parametrize("recipe", ["float16", "int8_io"])
def test_model_that_answers_otherwise_than_jax(
    quantize: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, recipe: str
) -> None:
    """The file is damaged after its conversion, and so after the checks of its form."""
    save_tflite = tflite.save_tflite

    def save_and_damage(*args: object) -> tflite.Converted:
        converted = save_tflite(*args)
        _reverse_classes(converted.path)
        return converted

    monkeypatch.setattr(tflite, "save_tflite", save_and_damage)
    assert _refusal(quantize(recipe)).startswith(f"the {recipe} model differs from JAX by up to ")


def test_form_is_checked_by_the_recipe(
    quantize: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tflite_checks, "_MAX_SIZE_RATIO", 0.5)
    assert " bytes, expected at most " in _refusal(quantize("float16"))


def test_a_converter_that_fails_is_a_refusal_with_its_reason(
    quantize: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """TFLite has no integer kernel for it, so that its converter gives up."""
    apply = LinenModel.apply

    def transformed(*args: object, **options: object) -> jax.Array:
        return jnp.fft.fft(apply(*args, **options)).real

    monkeypatch.setattr(LinenModel, "apply", transformed)
    reason = _refusal(quantize("int8"))
    assert reason.startswith("TFLite has no operator for `fft`") and "\n" not in reason


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyError("bug")])
def test_what_is_not_the_models_fault_stops_the_run(
    quantize: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr(flatbuffer, "finish", fail)
    with pytest.raises(type(error)):
        quantize("float16")


def test_the_saved_model_is_made_though_its_float32_device_model_is_refused(
    inputs: dict[str, list[Examples | TransformGraph | Model]],
    quantize: Callable[[str], Path],
    digit_models: DigitModels,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And other recipes work on it."""
    monkeypatch.setattr(tflite_checks, "_MAX_SIZE_RATIO", 0.5)
    serving = tmp_path / "trained" / "Format-Serving"
    files = Path(inputs["examples"][0].path(split=Split.TRAIN), "*")
    config = TrainConfig(epochs=1, learning_rate=0.01)
    arguments = FnArgs(
        train_files=[str(files)],
        transform_output=inputs["transform_graph"][0].uri,
        serving_model_dir=str(serving),
        model_run_dir=str(tmp_path / "model_run"),
        custom_config=TrainingJob(digit_models.files.task, "cnn", config).to_config(),
    )
    run_fn.run_fn(arguments)
    assert {path.name for path in serving.iterdir()} >= {"saved_model.pb", "variables"}
    assert not (serving / "tflite").exists() and not list(serving.glob("tmp*"))
    assert " bytes, expected at most " in conversion_record.refusal(str(serving))
    assert conversion_record.altered_files(str(serving)) == []
    monkeypatch.undo()
    trained = Model()
    trained.uri = str(serving.parent)
    monkeypatch.setitem(inputs, "model", [trained])
    made = quantize("float16") / "Format-Serving"
    assert (made / "tflite").is_file() and conversion_record.refusal(str(made)) is None
