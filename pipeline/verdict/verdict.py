"""`comparison.json` as types: what was measured of each model, what it had to reach, who may ship.

The Comparison makes a `Verdict` and writes it; the Report adds where the models were pushed to; the
page, the console and the device package are made from what `read` returns.
"""

import dataclasses
import enum
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError, computed_field

from data.errors import DataError

# What the report folder holds: the verdict, and the page that shows it.
COMPARISON_FILE, REPORT_FILE = "comparison.json", "index.html"
SCHEMA_VERSION = 1
REFERENCE = "saved_model"
BATCH_1, BATCH_1_WITHOUT_XNNPACK = "batch_1", "batch_1_without_xnnpack"


class Direction(enum.StrEnum):
    """On which side of its limit a value passes."""

    AT_LEAST = "at least"
    AT_MOST = "at most"
    MUST_BE = "must be"


class Unit(enum.Enum):
    """What the value and the limit of a check count."""

    COUNT = enum.auto()
    SHARE = enum.auto()  # in [0, 1]
    SHARE_DIFFERENCE = enum.auto()
    LOGIT_SPREAD = enum.auto()  # standard deviations of the reference's logits
    NATS = enum.auto()
    BYTES = enum.auto()
    MICROSECONDS = enum.auto()


UNITS = {
    "max_altered_files": Unit.COUNT,
    "min_accuracy": Unit.SHARE,
    "max_drop_from_last": Unit.SHARE_DIFFERENCE,
    "max_accuracy_drop": Unit.SHARE_DIFFERENCE,
    "max_class_accuracy_drop": Unit.SHARE_DIFFERENCE,
    "max_hard_accuracy_drop": Unit.SHARE_DIFFERENCE,
    "max_loss_difference": Unit.NATS,
    "min_agreement": Unit.SHARE,
    "max_logit_scale_error": Unit.SHARE,
    "max_class_logit_shift": Unit.LOGIT_SPREAD,
    "max_rms_logit_difference": Unit.LOGIT_SPREAD,
    "max_logit_difference": Unit.LOGIT_SPREAD,
    "max_nonfinite_answers": Unit.COUNT,
    "max_alone_difference": Unit.LOGIT_SPREAD,
    "max_evaluation_difference": Unit.NATS,
    "max_contradictions": Unit.COUNT,
    "max_bytes": Unit.BYTES,
    "max_latency_us": Unit.MICROSECONDS,
}


@dataclasses.dataclass(frozen=True)
class Check:
    """One value against its limit. The name says the direction: `min_`, `max_`, or neither."""

    name: str
    value: int | float  # a count stays an integer in the file
    limit: int | float

    @property
    def direction(self) -> Direction:
        """On which side of the limit the value passes."""
        sides = {"min": Direction.AT_LEAST, "max": Direction.AT_MOST}
        return sides.get(self.name.partition("_")[0], Direction.MUST_BE)

    @property
    def unit(self) -> Unit | None:
        """What value and limit count; None for a check that is 1 for yes or 0 for no."""
        return UNITS.get(self.name)

    @computed_field
    @property
    def passed(self) -> bool:
        """Whether the value is within its limit; a NaN never is."""
        value, limit = self.value, self.limit
        sides = {Direction.AT_LEAST: value >= limit, Direction.AT_MOST: value <= limit}
        return bool(sides.get(self.direction, value == limit))


@dataclasses.dataclass(frozen=True)
class Metrics:
    """On the test set: a share in [0, 1], and nats."""

    accuracy: float | None
    loss: float | None


@dataclasses.dataclass(frozen=True)
class HardMetrics:
    """On the hard set: `agreement` is the share of images with the reference's answer."""

    accuracy: float | None
    loss: float | None
    agreement: float | None


@dataclasses.dataclass(frozen=True)
class Latency:
    """Percentiles of the time of one image, in microseconds."""

    p50: float | None
    p90: float | None


@dataclasses.dataclass(frozen=True)
class JudgedModel:
    """An element of `models`. Of a refused model nothing was measured: its numbers are None.

    Attributes:
      name: REFERENCE, or that of the recipe.
      model_type: TFMA's name for the format.
      bytes: of the files that are shipped; None where there is no file.
      metrics: on the test set.
      per_class_accuracy: shares on the test set by class, of the classes that occur.
      agreement: share of the test images with the reference's answer.
      max_abs_logit_difference: to the reference, over all test images and classes.
      hard: on the hard set.
      latency_us: by how the model was run: BATCH_1, and for device models that were measured
        BATCH_1_WITHOUT_XNNPACK.
      checks: all that the model has to pass.
      refused: why it was not run; None for a model that was.
      pushed_to: the folder; None for a model that was not pushed, or not yet.
    """

    name: str
    model_type: str
    bytes: int | None
    metrics: Metrics
    per_class_accuracy: Mapping[str, float]
    agreement: float | None
    max_abs_logit_difference: float | None
    hard: HardMetrics
    latency_us: Mapping[str, Latency]
    checks: tuple[Check, ...]
    refused: str | None
    pushed_to: str | None

    @property
    def failed_checks(self) -> tuple[Check, ...]:
        """What stands in the way of a push."""
        return tuple(check for check in self.checks if not check.passed)

    @computed_field
    @property
    def blessed(self) -> bool:
        """Whether the model may be pushed: it passed every check."""
        return not self.failed_checks


@dataclasses.dataclass(frozen=True)
class Dataset:
    """What the models were trained and tested on."""

    name: str
    train_examples: int
    eval_examples: int


@dataclasses.dataclass(frozen=True)
class Training:
    """How the network was trained; `trials` are those of the Tuner, 0 without one."""

    dataset: Dataset
    seed: int
    epochs: int
    trials: int


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The content of `comparison.json`.

    Attributes:
      schema_version: of the file's form.
      reference: the name of the model that the others are compared with.
      models: the reference first, then the device models in the order of their recipes.
      dataset: what the models were trained and tested on.
      seed: of the training.
      epochs: of the training.
      trials: of the Tuner; 0 without one.
      versions: of the packages that the models were made with.
    """

    schema_version: Literal[1]  # SCHEMA_VERSION
    reference: str
    models: tuple[JudgedModel, ...]
    dataset: Dataset
    seed: int
    epochs: int
    trials: int
    versions: Mapping[str, str]


_FORM = TypeAdapter(Verdict)


def write(verdict: Verdict, path: Path) -> None:
    """Writes a verdict as JSON; NaN and infinities are written as Python's `json` spells them."""
    path.write_text(json.dumps(_FORM.dump_python(verdict), indent=2) + "\n")


def read(path: Path) -> Verdict:
    """Reads what `write` wrote.

    What is derived (`passed`, `blessed`) is not taken from the file, but found anew.

    Raises:
      DataError: the file is no JSON, of another schema, or a key is missing or of a wrong type.
    """
    try:
        return _FORM.validate_python(json.loads(path.read_text("utf-8")))
    except json.JSONDecodeError as error:
        reason = f"is no JSON ({error})"
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        reason = f"is not of schema version {SCHEMA_VERSION}: {key}: {first['msg']}"
    raise DataError(f"{path} {reason}; run the pipeline again to write it anew")
