"""Artifact types of this pipeline's own components."""

from tfx.types.artifact import Artifact

COMPARISON_FILE = "comparison.json"
LOGITS_FILE = "logits.npz"  # {model: float32[N, classes]} on the eval split, as load_raw sorts it
REPORT_FILE = "index.html"


class ModelComparison(Artifact):
    """A folder with `comparison.json`: what the formats scored, and which may ship; and logits."""

    TYPE_NAME = "ModelComparison"


class ComparisonReport(Artifact):
    """A folder with `index.html` and the final `comparison.json`, push destinations included."""

    TYPE_NAME = "ComparisonReport"
