"""The Evaluator that reads all splits as one, against TFX's own."""

import json
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.portability.common_urns import primitives
from google.protobuf import json_format
from tfx.components.evaluator import executor as tfx_executor
from tfx.components.util.model_utils import is_model_blessed
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing, ModelEvaluation, Schema

from data.splits import Split
from modules.export import conversion_record
from modules.inference import tflite_extractor
from pipeline.beam import engines
from pipeline.components import evaluator
from pipeline.components.validation import curated_schema
from pipeline.verdict import refusals, tfma_config, tfma_results
from pipeline.verdict.limits import Limits
from tests.pipeline.components.generated import write_examples
from tests.support.digit_models import DigitModels

COUNT = 50


@pytest.fixture(scope="module")
def inputs(
    digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Examples | Model | Schema]]:
    """Examples of three splits in two files each, a model and a schema."""
    folder = tmp_path_factory.mktemp("inputs")
    examples, model, schema = Examples(), Model(), Schema()
    examples.uri, schema.uri = str(folder / "examples"), str(folder / "schema")
    model.uri = str(Path(digit_models.server_dir).parent)
    examples.splits = list(Split)
    files = digit_models.files
    for number, split in enumerate(Split):
        Path(examples.path(split=split)).mkdir(parents=True)
        for start in (0, COUNT):
            first, path = start + number, f"{examples.path(split=split)}/{start}.gz"
            write_examples(files, first, first + COUNT, split, path)
    Path(schema.uri).mkdir()
    Path(schema.uri, "schema.pbtxt").write_text(curated_schema(files.task))
    return {"examples": [examples], "model": [model], "schema": [schema]}


@pytest.fixture
def pipelines(monkeypatch: pytest.MonkeyPatch) -> list[beam.Pipeline]:
    """The Beam pipelines that executors make, as they are made."""
    made: list[beam.Pipeline] = []
    make = BaseBeamExecutor._make_beam_pipeline

    def make_and_keep(executor: BaseBeamExecutor) -> beam.Pipeline:
        made.append(make(executor))
        return made[-1]

    monkeypatch.setattr(BaseBeamExecutor, "_make_beam_pipeline", make_and_keep)
    return made


def _evaluate(
    executor: type[tfx_executor.Executor], inputs: dict[str, list[Any]], folder: Path
) -> tfma_results.EvaluatorMetrics:
    """Returns what an executor measures on the test set and the hard set."""
    measured, _ = _run(executor, inputs, folder)
    result, _ = tfma_results.load_evaluation(measured.uri)
    return tfma_results.read_metrics(result)


def _run(
    executor: type[tfx_executor.Executor], inputs: dict[str, list[Any]], folder: Path
) -> tuple[ModelEvaluation, ModelBlessing]:
    """Runs an executor on the test set and the hard set."""
    measured, blessing = ModelEvaluation(), ModelBlessing()
    measured.uri, blessing.uri = str(folder / "evaluation"), str(folder / "blessing")
    limits = Limits(min_accuracy=0.0, max_drop_from_last=1.0)
    config = tfma_config.eval_config(tfma_config.TF_LITE, 10, 2 * COUNT, limits)
    context = BaseBeamExecutor.Context(
        beam_pipeline_args=list(engines.IN_MEMORY), tmp_dir=str(folder / "tmp")
    )
    executor(context).Do(
        inputs,
        {"evaluation": [measured], "blessing": [blessing]},
        {
            "eval_config": json_format.MessageToJson(config),
            "example_splits": json.dumps([Split.EVAL, Split.HARD]),
            "module_path": tflite_extractor.__name__,
        },
    )
    return measured, blessing


def _sources(pipeline: beam.Pipeline) -> int:
    """Counts what the examples of an evaluation are joined of."""
    transforms = pipeline.to_runner_api().components.transforms.values()
    (flatten,) = (each for each in transforms if each.unique_name == "FlattenExamples")
    assert flatten.spec.urn == primitives.FLATTEN.urn
    return len(flatten.inputs)


def test_measures_what_tfx_measures_from_one_source(
    inputs: dict[str, list[Any]], pipelines: list[beam.Pipeline], tmp_path: Path
) -> None:
    """With one, the examples flow through the Flatten; with two, they wait in memory."""
    expected = _evaluate(tfx_executor.Executor, inputs, tmp_path / "tfx")
    found = _evaluate(evaluator.Executor, inputs, tmp_path / "ours")
    assert [_sources(pipeline) for pipeline in pipelines] == [2, 1]
    assert found.examples == found.hard_examples == 2 * COUNT
    assert 0.9 < found.accuracy <= 1
    for name, value in vars(expected).items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-6), name
    assert inputs["examples"][0].splits == list(Split)


def test_a_refused_model_is_passed_over_and_a_refused_baseline_left_out(
    inputs: dict[str, list[Any]], pipelines: list[beam.Pipeline], tmp_path: Path
) -> None:
    """A device model that was never made must not stop what is made in its place."""
    refused = Model()
    refused.uri, refused.id = str(tmp_path / "refused"), 17
    folder = Path(refused.uri, "Format-Serving")
    folder.mkdir(parents=True)
    conversion_record.record(str(folder), "there is no kernel")
    measured, blessing = _run(evaluator.Executor, {**inputs, "model": [refused]}, tmp_path / "a")
    assert pipelines == []
    assert refusals.read(measured.uri) == "there is no kernel"
    assert not is_model_blessed(blessing)
    assert blessing.get_int_custom_property("current_model_id") == 17
    assert [path.name for path in Path(blessing.uri).iterdir()] == ["NOT_BLESSED"]

    with_baseline = {**inputs, "baseline_model": [refused]}
    measured, blessing = _run(evaluator.Executor, with_baseline, tmp_path / "b")
    assert refusals.read(measured.uri) is None and is_model_blessed(blessing)
    assert tfma_results.load_evaluation(measured.uri)[1] is None


@pytest.mark.parametrize(
    ("wanted", "present", "pattern"),
    [
        (["eval"], ["train", "eval"], "[e][v][a][l]"),
        (["eval", "hard"], ["train", "eval", "hard"], "[eh][av][ar][dl]"),
        (["a-b", "a_b"], ["a-b", "a_b", "acb"], "[a][-_][b]"),
        (["eval", "hard"], ["eval", "hard", "herd"], "[eh][av][ar][dl]"),
        (["ab", "cd"], ["ab", "cd", "ad"], None),
        (["eval", "hardest"], ["eval", "hardest"], None),
        (["eval", "hard"], ["eval"], None),
    ],
)
def test_one_pattern(wanted: list[str], present: list[str], pattern: str | None) -> None:
    assert evaluator.one_pattern(wanted, present) == pattern
