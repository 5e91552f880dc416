"""`comparison.json` as types: what was measured of each model, what it had to reach, who may ship.

The Comparison makes a `Verdict` and writes it; the Report adds where the models were pushed to; the
page, the console and the device package are made from what `read` returns.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError, computed_field

from data.errors import DataError
from pipeline.verdict.checks import Check, Outcome
from pipeline.verdict.origin import Dataset, Training
from pipeline.verdict.personal.judged import Personal
from pipeline.verdict.runtimes.compared import RuntimeMetrics

# What the report folder holds: the verdict, and the page that shows it.
COMPARISON_FILE, REPORT_FILE = "comparison.json", "index.html"
SCHEMA_VERSION = 2
REFERENCE = "saved_model"
BATCH_1, BATCH_1_WITHOUT_XNNPACK = "batch_1", "batch_1_without_xnnpack"


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
class Conversion:
    """What is known of how a device model was made, where it is not all that its recipe is for.

    Attributes:
      undelegated: the layers that XNNPACK leaves to TFLite's own kernels, by operator.
      kept_in_float: the layers that a recipe for integers leaves in floats, by operator.
      fixed_batch: how many images the model takes at once; None for any number.
    """

    undelegated: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    kept_in_float: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    fixed_batch: int | None = None


@dataclasses.dataclass(frozen=True)
class JudgedModel:
    """An element of `models`. Of a refused model nothing was measured: its numbers are None.

    Attributes:
      name: REFERENCE, or that of the recipe.
      model_type: TFMA's name for the format.
      bytes: of the files that are shipped; None where there is no file.
      metrics: on the test set.
      accuracy_interval: in which the accuracy on all such images is, with 95 % certainty.
      per_class_accuracy: shares on the test set by class, of the classes that occur.
      agreement: share of the test images with the reference's answer.
      max_abs_logit_difference: to the reference, over all test images and classes.
      hard: on the hard set.
      latency_us: by how the model was run: BATCH_1, and for device models that were measured
        BATCH_1_WITHOUT_XNNPACK.
      checks: all that the model has to pass.
      conversion: what is known of it; None where nothing is.
      runtimes: what runtimes say of some test images, by name; nothing where none was asked.
      runtimes_not_run: why others of those that were asked said nothing, in sentences.
      refused: why it was not run; None for a model that was.
      pushed_to: the folder; None for a model that was not pushed, or not yet.
    """

    name: str
    model_type: str
    bytes: int | None
    metrics: Metrics
    accuracy_interval: tuple[float, float] | None
    per_class_accuracy: Mapping[str, float]
    agreement: float | None
    max_abs_logit_difference: float | None
    hard: HardMetrics
    latency_us: Mapping[str, Latency]
    checks: tuple[Check, ...]
    conversion: Conversion | None
    runtimes: Mapping[str, RuntimeMetrics]
    runtimes_not_run: Mapping[str, str]
    refused: str | None
    pushed_to: str | None

    @property
    def failed_checks(self) -> tuple[Check, ...]:
        """What stands in the way of a push."""
        return self._checks(Outcome.FAILED)

    @property
    def undecided_checks(self) -> tuple[Check, ...]:
        """What is beyond its limit, but may be so by chance."""
        return self._checks(Outcome.UNDECIDED)

    @computed_field
    @property
    def blessed(self) -> bool:
        """Whether the model may be pushed: it failed no check."""
        return not self.failed_checks

    @computed_field
    @property
    def outcome(self) -> Outcome:
        """What came of all checks."""
        if not self.blessed:
            return Outcome.FAILED
        return Outcome.UNDECIDED if self.undecided_checks else Outcome.PASSED

    def _checks(self, outcome: Outcome) -> tuple[Check, ...]:
        return tuple(check for check in self.checks if check.outcome == outcome)


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The content of `comparison.json`.

    Attributes:
      schema_version: of the file's form.
      title: of the task, for people.
      model: the network's name.
      image_shape, label_names: of the task: height, width, channels; of the classes 0, 1, ...
      reference: the name of the model that the others are compared with.
      models: the reference first, then the device models in the order of their recipes.
      dataset: what the models were trained and tested on.
      notes: sentences about the data.
      params: where the parameters come from if they were given; None for a training.
      batch_sizes: that the SavedModel takes; none for any.
      seed, epochs: of the training.
      trials: of the Tuner; 0 without one.
      versions: of the packages that the models were made with.
      personal: the model that is trained on the device; None where none was made.
    """

    schema_version: Literal[2]  # SCHEMA_VERSION
    title: str
    model: str
    image_shape: tuple[int, int, int]
    label_names: tuple[str, ...]
    reference: str
    models: tuple[JudgedModel, ...]
    dataset: Dataset
    notes: tuple[str, ...]
    params: str | None
    batch_sizes: tuple[int, ...]
    seed: int
    epochs: int
    trials: int
    versions: Mapping[str, str]
    personal: Personal | None

    @classmethod
    def of(
        cls, training: Training, models: Sequence[JudgedModel], versions: Mapping[str, str]
    ) -> "Verdict":
        """Returns the verdict on models, the reference first, that come from a training."""
        task = training.task
        return cls(
            schema_version=SCHEMA_VERSION,
            title=task.title or task.name,
            model=training.model,
            image_shape=task.image_shape,
            label_names=task.label_names,
            reference=REFERENCE,
            models=tuple(models),
            dataset=training.dataset,
            notes=training.notes,
            params=training.params or None,
            batch_sizes=training.batch_sizes,
            seed=training.seed,
            epochs=training.epochs,
            trials=training.trials,
            versions=versions,
            personal=None,
        )


_FORM = TypeAdapter(Verdict)


def write(verdict: Verdict, path: Path) -> None:
    """Writes a verdict as JSON; NaN and infinities are written as Python's `json` spells them."""
    path.write_text(json.dumps(_FORM.dump_python(verdict), indent=2) + "\n")


def read(path: Path) -> Verdict:
    """Reads what `write` wrote.

    What is derived (`passed`, `blessed`, `outcome`) is not taken from the file, but found anew.

    Raises:
      DataError: the file is no JSON, of another schema, or a key is missing or of a wrong type.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        version = content.get("schema_version") if isinstance(content, dict) else None
        if version in (None, SCHEMA_VERSION):
            return _FORM.validate_python(content)
        reason = f"is of schema version {version}, expected {SCHEMA_VERSION}"
    except json.JSONDecodeError as error:
        reason = f"is no JSON ({error})"
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        reason = f"is not of schema version {SCHEMA_VERSION}: {key}: {first['msg']}"
    raise DataError(f"{path} {reason}; run the pipeline again to write it anew")
