"""TFX's Evaluator, but its memory does not grow with the examples, and it skips refused models."""

import copy
import fnmatch
import json
import os
from collections.abc import Collection
from typing import Any

import numpy as np
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tensorflow_model_analysis.proto import config_pb2
from tfx.components import Evaluator as TFXEvaluator
from tfx.components.evaluator import executor
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec
from tfx.dsl.io import fileio
from tfx.types import Artifact
from tfx.types.artifact_utils import get_single_instance
from tfx.types.standard_component_specs import (
    BASELINE_MODEL_KEY,
    BLESSING_KEY,
    EVAL_CONFIG_KEY,
    EVALUATION_KEY,
    EXAMPLE_SPLITS_KEY,
    EXAMPLES_KEY,
    MODEL_KEY,
)
from tfx.utils import path_utils

from modules import features
from modules.export import conversion_record, saved_model
from modules.inference import litert
from pipeline.components.blessings import bless
from pipeline.verdict import refusals
from pipeline.verdict.tfma_config import TF_LITE


class Executor(executor.Executor):
    """TFX's executor, but it reads several splits as if they were one and skips refused models.

    TFX reads each split by itself and joins them with a Flatten. Beam's in-memory runner collects
    the whole input of a Flatten before it goes on: 27 KB for each image of MNIST's test set.
    """

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates, see TFX's executor; or, if the device model is refused, writes why."""
        if _is_tf_lite(exec_properties):
            model = get_single_instance(input_dict[MODEL_KEY])
            if reason := _refusal(model):
                refusals.write(get_single_instance(output_dict[EVALUATION_KEY]).uri, reason)
                bless(get_single_instance(output_dict[BLESSING_KEY]), False, model)
                return
            baselines = input_dict.get(BASELINE_MODEL_KEY, [])
            if any(_refusal(baseline) for baseline in baselines):  # its SavedModel alone was pushed
                input_dict = {**input_dict, BASELINE_MODEL_KEY: []}
        examples = copy.deepcopy(input_dict[EXAMPLES_KEY])
        splits = json.loads(exec_properties[EXAMPLE_SPLITS_KEY])
        present = {split for artifact in examples for split in artifact.splits}
        if pattern := one_pattern(splits, present):
            splits = [pattern]
            for artifact in examples:
                artifact.split_names = json.dumps(splits)
        changed = {EXAMPLE_SPLITS_KEY: json.dumps(splits)}
        if not _is_tf_lite(exec_properties):
            changed[EVAL_CONFIG_KEY] = _with_signatures(exec_properties, input_dict)
        super().Do(
            {**input_dict, EXAMPLES_KEY: examples}, output_dict, {**exec_properties, **changed}
        )


class Evaluator(TFXEvaluator):
    """TFX's component with this module's executor."""

    EXECUTOR_SPEC = BeamExecutorSpec(Executor)


def _is_tf_lite(exec_properties: dict[str, Any]) -> bool:
    config = json_format.Parse(exec_properties[EVAL_CONFIG_KEY], config_pb2.EvalConfig())
    return config.model_specs[0].model_type == TF_LITE


def _with_signatures(exec_properties: dict[str, Any], input_dict: dict[str, list[Artifact]]) -> str:
    """Returns the EvalConfig with the signature of each SavedModel that takes any batch."""
    config = tfma.utils.update_eval_config_with_defaults(
        json_format.Parse(exec_properties[EVAL_CONFIG_KEY], config_pb2.EvalConfig()),
        has_baseline=bool(input_dict.get(BASELINE_MODEL_KEY)),
        rubber_stamp=True,
    )
    for spec in config.model_specs:
        key = BASELINE_MODEL_KEY if spec.is_baseline else MODEL_KEY
        uri = get_single_instance(input_dict[key]).uri
        spec.signature_name = saved_model.evaluation_signature(path_utils.serving_model_path(uri))
    return json_format.MessageToJson(config, preserving_proto_field_name=True)


def _refusal(model: Artifact) -> str | None:
    """Returns why the device model in an artifact cannot be evaluated, None when it can."""
    folder = path_utils.serving_model_path(model.uri)
    if reason := conversion_record.refusal(folder):
        return reason
    try:
        with fileio.open(os.path.join(folder, features.TFLITE_FILE), "rb") as file:
            run = litert.BatchRunner(litert.make_interpreter(file.read()))
        shape = run.inputs[features.IMAGE_FLOATS]["shape"][1:]
        images = np.zeros((2, *shape), np.float32)
        logits = run({features.IMAGE_FLOATS: images})[features.LOGITS]
    except (RuntimeError, ValueError, KeyError) as error:  # what LiteRT raises
        return f"LiteRT cannot run it: {' '.join(str(error).split())}"
    if logits.ndim != 2 or len(logits) != 2:
        return f"for two images it gives logits of shape {logits.shape}"
    return None


def one_pattern(wanted: Collection[str], present: Collection[str]) -> str | None:
    """Returns a pattern that matches the wanted names and no other that is present, if it can.

    It has a class of characters for each place, as [eh][av][ar][dl] for "eval" and "hard".
    """
    places = (sorted(set(letters)) for letters in zip(*wanted, strict=False))
    pattern = "".join(f"[{''.join(letters)}]" for letters in places)
    matched = {name for name in present if fnmatch.fnmatchcase(name, pattern)}
    return pattern if matched == set(wanted) else None
