"""The Quantizer: a Trainer's model in, a smaller one out, checked against JAX on real examples."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tensorflow.lite.tools import flatbuffer_utils
from tfx.types.standard_artifacts import Examples, Model, TransformGraph

from data.splits import Split
from modules import export, export_checks, flatbuffer, litert, tflite_checks
from modules.export_checks import ExportMismatchError
from modules.recipes import RECIPES
from pipeline import example_gen
from pipeline.quantizer import Quantizer
from tests.digit_models import NUM_IMAGES, DigitModels


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
    example_gen.write_shard(
        str(files.train_images),
        str(files.train_labels),
        0,
        NUM_IMAGES,
        Split.TRAIN,
        str(folder / "shard.gz"),
    )
    graph.uri = digit_models.tft_output.transform_savedmodel_dir.removesuffix("/transform_fn")
    model.uri = str(Path(digit_models.server_dir).parent)
    return {"examples": [examples], "transform_graph": [graph], "model": [model]}


@pytest.fixture
def quantize(
    inputs: dict[str, list[Examples | TransformGraph | Model]], tmp_path: Path
) -> Callable[[str], Path]:
    """Runs the component as TFX does and returns the folder of its model."""

    def run(recipe: str) -> Path:
        made = Model()
        made.uri = str(tmp_path / "quantized")
        executor = Quantizer.EXECUTOR_SPEC.executor_class()
        executor.Do(inputs, {"quantized_model": [made]}, {"recipe": recipe})
        return Path(made.uri)

    return run


@pytest.mark.parametrize("recipe", ["float16", "dynamic_range", "int8", "int8_io"])
def test_the_trained_parameters_by_another_recipe(
    quantize: Callable[[str], Path], digit_models: DigitModels, recipe: str
) -> None:
    """In the place where TFMA looks for it, and nothing else."""
    folder = quantize(recipe)
    (path,) = (file for file in folder.rglob("*") if file.is_file())
    assert path == folder / "Format-Serving" / "tflite"
    original = digit_models.tflite_paths[recipe]
    assert flatbuffer.operators(str(path)) == flatbuffer.operators(original)
    (taken,) = litert.make_interpreter(str(path)).get_input_details()
    assert taken["dtype"] == (np.int8 if recipe == "int8_io" else np.float32)
    found = litert.predict(str(path), digit_models.images)
    export_checks.check_logits(recipe, digit_models.logits, found, RECIPES[recipe])


def test_unknown_recipe(quantize: Callable[[str], Path], tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="int4"):
        quantize("int4")
    assert not list(tmp_path.iterdir())


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
    save_tflite = export.save_tflite

    def save_and_damage(*args: object) -> str:
        path = save_tflite(*args)
        _reverse_classes(path)
        return path

    monkeypatch.setattr(export, "save_tflite", save_and_damage)
    with pytest.raises(ExportMismatchError, match=f"the {recipe} model differs from JAX"):
        quantize(recipe)


def test_form_is_checked_by_the_recipe(
    quantize: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tflite_checks, "MAX_TFLITE_OPERATORS", 2)
    with pytest.raises(flatbuffer.ConversionError, match="operators, expected at most 2"):
        quantize("float16")
