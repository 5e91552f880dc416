"""The Comparison's executor: runs every model once more on the same examples, and judges."""

import math
import os
import shutil
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter
from tfx.components.util.model_utils import is_model_blessed
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import Artifact
from tfx.types.artifact_utils import get_single_instance
from tfx.utils import path_utils

from data.files import file_sha256
from data.splits import Split
from data.task import Task
from modules import features
from modules.examples import tf_examples as example_files
from modules.export import conversion_record, tflite_checks
from modules.export.graph import flatbuffer
from modules.export.graph.flatbuffer import ConversionError
from modules.export.recipes import RECIPES, Recipe
from pipeline.components.artifacts import CONFUSION_FILE, LOGITS_FILE
from pipeline.components.blessings import bless
from pipeline.verdict import (
    device_package,
    judge,
    refusals,
    run_models,
    tfma_results,
    verdict,
)
from pipeline.verdict.answers import cross_entropies
from pipeline.verdict.limits import limits_from_json
from pipeline.verdict.measured import Labels, Measured, Refused
from pipeline.verdict.origin import Training
from pipeline.verdict.runtimes import compared
from pipeline.verdict.runtimes.compared import ComparedFile
from pipeline.verdict.verdict import REFERENCE, Conversion, Verdict

_PACKAGES = ("tfx", "tensorflow", "jax", "flax", "ai-edge-litert")
MODEL, EVALUATION, BLESSING = "model", "evaluation", "blessing"  # inputs, after a model's name
RUNTIME_ANSWERS = "runtime_answers"  # an input, too
_ALONE = 1000  # test images that each model is also given one by one


class Executor(BaseExecutor):
    """Looks at the files once more, runs the models for agreement and latency, and judges."""

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
        training = TypeAdapter(Training).validate_json(exec_properties["training"])
        server_dir = _serving_dir(inputs, REFERENCE)
        names = [name for name in RECIPES if f"{name}_{MODEL}" in inputs]
        answers = inputs.pop(RUNTIME_ANSWERS, None)
        in_runtimes = compared.read(Path(answers.uri)) if answers else {}
        # The bytes that are looked at, run and shipped are those of one copy.
        with tempfile.TemporaryDirectory() as copies:
            paths, refused = _copy_sound(inputs, names, Path(copies), training.task, in_runtimes)
            measured, labels, confusion = _measure(inputs, server_dir, paths, in_runtimes)
            judged = {
                name: judge.judge(model, measured[REFERENCE], labels, limits)
                for name, model in measured.items()
            }
            judged |= {model.name: judge.refuse(model) for model in refused}
            server, *devices = (judged[name] for name in (REFERENCE, *names))

            folder = Path(outputs["comparison"].uri)
            folder.mkdir(parents=True, exist_ok=True)
            versions = {package: metadata.version(package) for package in _PACKAGES}
            found = Verdict.of(training, (server, *devices), versions)
            verdict.write(found, folder / verdict.COMPARISON_FILE)
            logits = {name: model.logits.test for name, model in measured.items()}
            np.savez(folder / LOGITS_FILE, **logits)
            np.savez(folder / CONFUSION_FILE, **confusion)

            shipped = [model for model in devices if model.blessed]
            package = Path(path_utils.serving_model_path(outputs["device_models"].uri))
            name = Path(training.model).stem  # and no path of this machine
            device_package.pack(package, paths, shipped, training.task, name)
        bless(outputs["server_blessing"], server.blessed, inputs[f"{REFERENCE}_{MODEL}"])
        bless(outputs["device_blessing"], bool(shipped))


def _serving_dir(inputs: Mapping[str, Artifact], name: str) -> str:
    return path_utils.serving_model_path(inputs[f"{name}_{MODEL}"].uri)


def _copy_sound(
    inputs: Mapping[str, Artifact],
    names: list[str],
    folder: Path,
    task: Task,
    in_runtimes: Mapping[str, ComparedFile],
) -> tuple[dict[str, str], list[Refused]]:
    """Copies the device models that are what was checked, and checks their form once more.

    Returns:
      Their paths by name, and why the others are refused.
    """
    paths, refused = {}, []
    for name in names:
        serving_dir = _serving_dir(inputs, name)
        original, copy = Path(serving_dir, features.TFLITE_FILE), folder / f"{name}.tflite"
        reason = conversion_record.refusal(serving_dir) or refusals.read(
            inputs[f"{name}_{EVALUATION}"].uri
        )
        facts = conversion_record.facts(serving_dir)
        if not reason and facts is None:
            reason = f"{conversion_record.RECORD_FILE} does not say what its network needs"
        if not reason:
            shutil.copyfile(original, copy)
            try:
                tflite_checks.check_tflite(str(copy), RECIPES[name], task, facts.baseline)
                found = len(flatbuffer.operators(str(copy)))
                if found != facts.operators:
                    reason = (
                        f"it has {found} operators, and had {facts.operators} when it was converted"
                    )
            except ConversionError as error:
                reason = str(error).removeprefix(f"{copy}: ")
        if not reason and name in in_runtimes and file_sha256(copy) != in_runtimes[name].sha256:
            reason = "it is not the file that was run in other runtimes"
        if reason:
            size = original.stat().st_size if original.is_file() else None
            refused.append(Refused(name, size, reason))
        else:
            paths[name] = str(copy)
    return paths, refused


def _measure(
    inputs: Mapping[str, Artifact],
    server_dir: str,
    paths: Mapping[str, str],
    in_runtimes: Mapping[str, ComparedFile],
) -> tuple[dict[str, Measured], Labels, dict[str, np.ndarray]]:
    """Returns all that is known of the models, the true classes, and confusion matrices."""
    results = {
        name: tfma_results.load_evaluation(inputs[f"{name}_{EVALUATION}"].uri)
        for name in (REFERENCE, *paths)
    }
    metrics = {name: tfma_results.read_metrics(result) for name, (result, _) in results.items()}
    test, hard = (
        [os.path.join(inputs["examples"].path(split=split), "*")]
        for split in (Split.EVAL, Split.HARD)
    )
    answers = run_models.predict_all(
        server_dir,
        paths,
        example_files.read_raw(test),
        example_files.read_raw(hard),
        stride=math.ceil(metrics[REFERENCE].examples / _ALONE),
    )
    latencies = run_models.latencies(server_dir, paths, answers.first_image)
    measured, confusion = {}, {}
    for name, (result, baseline) in results.items():
        is_reference, logits = name == REFERENCE, answers.logits[name]
        confusion[name] = tfma_results.confusion_of_test(result, logits.test.shape[1])
        measured[name] = Measured(
            name=name,
            size_bytes=_saved_model_bytes(Path(server_dir))
            if is_reference
            else os.path.getsize(paths[name]),
            altered_files=len(conversion_record.altered_files(server_dir)) if is_reference else 0,
            metrics=metrics[name],
            evaluator_blessed=is_model_blessed(inputs[f"{name}_{BLESSING}"]),
            last_accuracy=baseline and tfma_results.read_metrics(baseline).accuracy,
            logits=logits,
            own_loss=float(cross_entropies(logits.test, answers.labels.test).mean()),
            contradictions=answers.contradictions if is_reference else None,
            latency_us=latencies[name],
            compared=in_runtimes.get(name),
            **({} if is_reference else _conversion(_serving_dir(inputs, name), RECIPES[name])),
        )
    return measured, answers.labels, confusion


def _conversion(serving_dir: str, recipe: Recipe) -> dict[str, Any]:
    """Returns what `Measured` holds of how a device model was converted."""
    facts = conversion_record.facts(serving_dir)
    conversion = Conversion(
        undelegated=facts.undelegated,
        kept_in_float=facts.kept_in_float,
        fixed_batch=1 if facts.fixed_batch else None,
    )
    needed = tflite_checks.most_bytes(recipe, facts.baseline, facts.operators)
    return {"conversion": conversion, "needed_bytes": needed}


def _saved_model_bytes(folder: Path) -> int:
    """Returns the size of the SavedModel without the device model that lies beside it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sum(path.stat().st_size for path in files if path != folder / features.TFLITE_FILE)
