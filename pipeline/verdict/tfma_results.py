"""Reads what an Evaluator measured from TFMA's output."""

import dataclasses
import os

import tfx.components  # noqa: F401 - TFMA imports completely only after it

# isort: split
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.writers import eval_config_writer
from tfx.dsl.io import fileio

from modules import features
from pipeline.verdict.tfma_config import EVAL_SLICE, HARD_SLICE, class_slice

_REFUSED_FILE = "refused.txt"  # what an Evaluator writes instead of metrics


@dataclasses.dataclass(frozen=True)
class Metrics:
    """What an Evaluator measured: shares in [0, 1], losses in nats."""

    accuracy: float
    loss: float
    examples: int
    per_class_accuracy: dict[str, float]  # {"0": ...}, of the classes that occur
    class_examples: dict[str, int]
    hard_accuracy: float
    hard_loss: float
    hard_examples: int


def write_refusal(uri: str, reason: str) -> None:
    """Writes, in the place of metrics, why an Evaluator passed over its model."""
    fileio.makedirs(uri)
    with fileio.open(os.path.join(uri, _REFUSED_FILE), "wb") as file:
        file.write(reason.encode())


def refusal(uri: str) -> str | None:
    """Returns why an Evaluator passed over its model, None when it measured it."""
    path = os.path.join(uri, _REFUSED_FILE)
    if not fileio.exists(path):
        return None
    with fileio.open(path, "rb") as file:
        return file.read().decode()


def load_evaluation(uri: str) -> tuple[tfma.EvalResult, tfma.EvalResult | None]:
    """Loads what an Evaluator wrote of the candidate and, where there was one, of the baseline."""
    config, *_ = eval_config_writer.load_eval_run(uri)
    if tfma.BASELINE_KEY not in {spec.name for spec in config.model_specs}:
        return tfma.load_eval_result(uri), None
    return (
        tfma.load_eval_result(uri, model_name=tfma.CANDIDATE_KEY),
        tfma.load_eval_result(uri, model_name=tfma.BASELINE_KEY),
    )


def read_metrics(result: tfma.EvalResult) -> Metrics:
    """Reads an Evaluator's output.

    Raises:
      ValueError: a slice or a metric is missing.
    """
    slices = _values(result)
    try:
        test, hard = slices[EVAL_SLICE], slices[HARD_SLICE]
        classes = {
            str(label): slices[class_slice(label)]
            for label in sorted(_labels(slices))
            if slices[class_slice(label)]["example_count"] > 0
        }
        if not classes:
            raise KeyError(features.IMAGE_CLASS)
        return Metrics(
            accuracy=test["accuracy"],
            loss=test["loss"],
            examples=round(test["example_count"]),
            per_class_accuracy={label: values["accuracy"] for label, values in classes.items()},
            class_examples={
                label: round(values["example_count"]) for label, values in classes.items()
            },
            hard_accuracy=hard["accuracy"],
            hard_loss=hard["loss"],
            hard_examples=round(hard["example_count"]),
        )
    except KeyError as error:
        raise ValueError(
            f"an evaluation lacks {error}: expected the metrics and slices of "
            f"pipeline/verdict/tfma_config.py, found {sorted(slices)}"
        ) from error


def _values(result: tfma.EvalResult) -> dict[tuple, dict[str, float]]:
    """Returns the metrics that are single numbers, by slice."""
    return {
        slice_key: {
            name: float(metric["doubleValue"])  # TFMA spells NaN "NaN"
            for name, metric in outputs[""][""].items()
            if "doubleValue" in metric
        }
        for slice_key, outputs in result.slicing_metrics
    }


def _labels(slices: dict[tuple, dict[str, float]]) -> set[int]:
    return {value for key in slices for column, value in key if column == features.IMAGE_CLASS}
