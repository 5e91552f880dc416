"""Device models as the Pusher leaves them, without a run that makes them."""

from collections.abc import Mapping
from pathlib import Path

from data import digits
from data.files import folder_sha256
from data.task import Task
from pipeline.storage import versions
from pipeline.verdict import device_package
from pipeline.verdict.verdict import HardMetrics, JudgedModel, Metrics

RECIPES = ("float32", "int8_io")


def record(version: Path) -> None:
    """Makes a version whole, as the Pusher does."""
    files = {
        name: versions.File((version / name).stat().st_size, sha256)
        for name, sha256 in folder_sha256(version).items()
    }
    (version / versions.RECORD).write_text(versions.Record("push", "test", files).to_json())


def push(
    folder: Path,
    paths: Mapping[str, str],
    recipes: tuple[str, ...] = RECIPES,
    task: Task = digits.TASK,
) -> Path:
    """Makes a folder an OUTPUT with pushed device models, version 7, and returns it.

    Args:
      folder: to be made.
      paths: of models, by recipe.
      recipes: those that are pushed.
      task: of the models.
    """
    judged = [
        JudgedModel(
            name=name,
            model_type="tf_lite",
            bytes=1,
            metrics=Metrics(0.99, 0.03),
            accuracy_interval=(0.98, 0.995),
            per_class_accuracy={},
            agreement=1.0,
            max_abs_logit_difference=0.1,
            hard=HardMetrics(0.9, 0.3, agreement=0.99),
            latency_us={},
            checks=(),
            conversion=None,
            refused=None,
            pushed_to=None,
        )
        for name in recipes
    ]
    version = folder / "device" / "7"
    device_package.pack(version, paths, judged, task, "cnn")
    record(version)
    return folder
