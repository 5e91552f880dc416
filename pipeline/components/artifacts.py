"""Artifact types of this pipeline's own components."""

from tfx.types.artifact import Artifact

# Kubeflow wants names of the form namespace.Title.
_NAMESPACE = "pipeline"

LOGITS_FILE = "logits.npz"  # {model: float32[N, classes]} on the eval split, as read_raw yields it
CONFUSION_FILE = "confusion.npz"  # {model: int64[classes, classes]}, rows are actual classes


class ModelComparison(Artifact):
    """A folder with `comparison.json`: what the formats scored, and which may ship; and logits."""

    TYPE_NAME = f"{_NAMESPACE}.ModelComparison"


class PersonalEvaluation(Artifact):
    """A folder with `personal.json`: what simulated people gained of a personal model."""

    TYPE_NAME = f"{_NAMESPACE}.PersonalEvaluation"


class RuntimeAnswers(Artifact):
    """A folder with `runtimes.json`: what each device model answers in other runtimes."""

    TYPE_NAME = f"{_NAMESPACE}.RuntimeAnswers"


class ComparisonReport(Artifact):
    """A folder with `index.html` and the final `comparison.json`, push destinations included."""

    TYPE_NAME = f"{_NAMESPACE}.ComparisonReport"
