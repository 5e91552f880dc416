"""The Comparison component: evaluations and models in; verdicts, blessing and package out."""

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from tfx.components.evaluator import constants
from tfx.components.util.model_utils import is_model_blessed
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.types import Artifact, BaseChannel, Channel
from tfx.types.artifact_utils import get_single_instance
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing, ModelEvaluation
from tfx.utils import path_utils

from data.splits import Split
from modules import examples as example_files
from modules import features
from modules.recipes import FLOAT32, RECIPES
from pipeline import comparison as compare
from pipeline import device_package, evaluation, evaluation_results, measurement
from pipeline.artifacts import CONFUSION_FILE, LOGITS_FILE, ModelComparison
from pipeline.confusion import confusion_matrix
from pipeline.file_names import COMPARISON_FILE
from pipeline.limits import Limits, VariantLimits

_PACKAGES = ("tfx", "tensorflow", "jax", "flax", "ai-edge-litert")
_MODEL, _EVALUATION, _BLESSING = "model", "evaluation", "blessing"


class Evaluated(NamedTuple):
    """The channels of one model and of what its Evaluator made of it."""

    model: BaseChannel
    evaluation: BaseChannel
    blessing: BaseChannel


def _inputs_of(name: str, optional: bool) -> dict[str, ChannelParameter]:
    types = {_MODEL: Model, _EVALUATION: ModelEvaluation, _BLESSING: ModelBlessing}
    return {
        f"{name}_{kind}": ChannelParameter(type=artifact_type, optional=optional)
        for kind, artifact_type in types.items()
    }


class ComparisonSpec(ComponentSpec):
    """`limits` and `run` are JSON; the inputs are one set of `Evaluated` for each model."""

    PARAMETERS: ClassVar = {name: ExecutionParameter(type=str) for name in ("limits", "run")}
    INPUTS: ClassVar = {
        "examples": ChannelParameter(type=Examples),
        **_inputs_of(compare.REFERENCE, optional=False),
        **{key: value for name in RECIPES for key, value in _inputs_of(name, True).items()},
    }
    OUTPUTS: ClassVar = {
        "comparison": ChannelParameter(type=ModelComparison),
        "device_blessing": ChannelParameter(type=ModelBlessing),
        "device_models": ChannelParameter(type=Model),
    }


class Executor(BaseExecutor):
    """Runs every model once more on the same examples, for agreement and latency, and judges."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `comparison.json`, and a package of the device models that may ship."""
        inputs = {key: get_single_instance(value) for key, value in input_dict.items() if value}
        outputs = {key: get_single_instance(value) for key, value in output_dict.items()}
        limits = limits_from_json(exec_properties["limits"])
        server_dir = path_utils.serving_model_path(inputs[f"{compare.REFERENCE}_{_MODEL}"].uri)
        tflite_paths = {
            name: os.path.join(
                path_utils.serving_model_path(inputs[f"{name}_{_MODEL}"].uri), features.TFLITE_FILE
            )
            for name in RECIPES
            if f"{name}_{_MODEL}" in inputs
        }
        test, hard = (
            [os.path.join(inputs["examples"].path(split=split), "*")]
            for split in (Split.EVAL, Split.HARD)
        )
        logits = measurement.predict_all(server_dir, tflite_paths, _images(test), _images(hard))
        latencies = measurement.latencies(server_dir, tflite_paths, next(_images(test))[:1])

        models, confusion = [], {}
        for name in logits:
            result, baseline = evaluation_results.load_evaluation(
                inputs[f"{name}_{_EVALUATION}"].uri
            )
            confusion[name] = confusion_matrix(
                result.plots, logits[name].test.shape[1], evaluation.EVAL_SLICE
            )
            models.append(
                compare.Measured(
                    name=name,
                    size_bytes=os.path.getsize(tflite_paths[name])
                    if name in tflite_paths
                    else _saved_model_bytes(Path(server_dir)),
                    metrics=evaluation_results.read_metrics(result),
                    evaluator_blessed=is_model_blessed(inputs[f"{name}_{_BLESSING}"]),
                    last_accuracy=baseline and evaluation_results.read_metrics(baseline).accuracy,
                    logits=logits[name],
                    latency_us=latencies[name],
                )
            )
        float32_latency_us = latencies[FLOAT32.name][compare.BATCH_1]["p50"]
        entries = [compare.judge(model, models[0], limits, float32_latency_us) for model in models]

        folder = Path(outputs["comparison"].uri)
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "schema_version": compare.SCHEMA_VERSION,
            "reference": compare.REFERENCE,
            "models": entries,
            **json.loads(exec_properties["run"]),
            "versions": {package: metadata.version(package) for package in _PACKAGES},
        }
        (folder / COMPARISON_FILE).write_text(json.dumps(content, indent=2) + "\n")
        np.savez(folder / LOGITS_FILE, **{name: both.test for name, both in logits.items()})
        np.savez(folder / CONFUSION_FILE, **confusion)

        shipped = [entry for entry in entries[1:] if entry["blessed"]]
        package = Path(path_utils.serving_model_path(outputs["device_models"].uri))
        device_package.pack(package, tflite_paths, shipped)
        _bless(outputs["device_blessing"], bool(shipped))


class Comparison(BaseComponent):
    """Compares device models with the SavedModel they come from; see `Executor`."""

    SPEC_CLASS = ComparisonSpec
    EXECUTOR_SPEC = ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: BaseChannel,
        reference: Evaluated,
        variants: Mapping[str, Evaluated],
        limits: Limits,
        run: Mapping[str, Any],
    ):
        """Takes the channels, and what else decides.

        Args:
          examples: the splits eval and hard, on which every model is run once more.
          reference: the SavedModel, with the float32 device model beside it.
          variants: the device models, by the names of their recipes.
          limits: what a model must reach to be pushed.
          run: "dataset", "seed", "epochs" and "trials", copied into comparison.json.
        """
        channels = {
            f"{name}_{kind}": channel
            for name, model in {compare.REFERENCE: reference, **variants}.items()
            for kind, channel in model._asdict().items()
        }
        super().__init__(
            ComparisonSpec(
                examples=examples,
                **channels,
                limits=json.dumps(dataclasses.asdict(limits)),
                run=json.dumps(run),
                comparison=Channel(type=ModelComparison),
                device_blessing=Channel(type=ModelBlessing),
                device_models=Channel(type=Model),
            )
        )


def _images(file_patterns: list[str]) -> Iterator[np.ndarray]:
    return (images for images, _ in example_files.read_raw(file_patterns))


def limits_from_json(text: str) -> Limits:
    """Returns the limits that `dataclasses.asdict` and JSON made a text of."""
    fields = json.loads(text)
    variants = {name: VariantLimits(**values) for name, values in fields.pop("variants").items()}
    return Limits(**fields, variants=variants)


def _bless(blessing: Artifact, blessed: bool) -> None:
    """Marks the artifact as TFX's Evaluator does, so that TFX's Pusher understands it."""
    value = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    folder = Path(blessing.uri)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()


def _saved_model_bytes(folder: Path) -> int:
    """Returns the size of the SavedModel without the device model that lies beside it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files if path != folder / features.TFLITE_FILE)
