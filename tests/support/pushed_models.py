"""Device models as the Pusher leaves them."""

from collections.abc import Iterable
from pathlib import Path

from data import digits
from data.files import folder_sha256
from pipeline.storage import versions
from pipeline.verdict import device_package
from pipeline.verdict.verdict import HardMetrics, JudgedModel, Metrics
from tests.support.digit_models import DigitModels


def record(version: Path) -> None:
    """Makes a version whole, as the Pusher does."""
    files = {
        name: versions.File((version / name).stat().st_size, sha256)
        for name, sha256 in folder_sha256(version).items()
    }
    (version / versions.RECORD).write_text(versions.Record("push", "test", files).to_json())


def push(version: Path, models: DigitModels, recipes: Iterable[str]) -> None:
    """Writes a version of these device models; what was measured of them is made up."""
    judged = [
        JudgedModel(
            name=name,
            model_type="tf_lite",
            bytes=Path(models.tflite_paths[name]).stat().st_size,
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
    device_package.pack(version, models.tflite_paths, judged, digits.TASK, "cnn")
    record(version)
