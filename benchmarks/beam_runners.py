"""What Beam's runners take for the same pipeline, and whether they come to the same results.

Each runs in a process of its own, one after the other, on the data set of DATASET and MNIST_DIR,
with one epoch and the float32 device model: in memory, on the portable runner and, where its job
server and Java are there, on a Flink of its own. Writes output/bench/beam_runners.json.
"""

import dataclasses
import json
import math
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow_metadata.proto.v0 import statistics_pb2

from benchmarks.pipeline_overhead import measure
from data.files import PROJECT_ROOT
from modules.export.recipes import FLOAT32
from pipeline.beam import job_server
from pipeline.verdict import verdict

_TOLERANCE = 1e-6  # absolute for metrics, which are about 1; relative for statistics
_BEAM_COMPONENTS = ("FileBasedExampleGen", "StatisticsGen", "Transform", "Evaluator")
OUTPUT = PROJECT_ROOT / "output" / "bench" / "beam_runners.json"


def results(output: Path) -> dict[str, float]:
    """Returns what the last run came to, by name: examples, statistics, and every metric."""
    found = {}
    for model in verdict.read(output / "report" / verdict.COMPARISON_FILE).models:
        of_model = dataclasses.asdict(model)
        for part in ("metrics", "per_class_accuracy", "hard"):
            for name, value in of_model[part].items():
                found[f"{model.name}/{part}/{name}"] = value
    found |= results_of_data(output)
    return {name: value for name, value in found.items() if isinstance(value, int | float)}


def results_of_data(output: Path) -> dict[str, float]:
    """Returns those that there are before any model: examples and statistics."""
    return _examples(output) | _statistics(output)


def _examples(output: Path) -> dict[str, float]:
    """Returns how many examples ExampleGen wrote into each split."""
    counts = {}
    for split in newest(output / "pipeline" / "FileBasedExampleGen" / "examples").glob("Split-*"):
        files = sorted(str(path) for path in split.iterdir())
        records = tf.data.TFRecordDataset(files, compression_type="GZIP")
        counts[f"examples/{split.name}"] = sum(1 for _ in records)
    return counts


def _statistics(output: Path) -> dict[str, float]:
    """Returns the statistics that are no approximations, as quantiles are."""
    found = {}
    for split in newest(output / "pipeline" / "StatisticsGen" / "statistics").glob("Split-*"):
        statistics = statistics_pb2.DatasetFeatureStatisticsList()
        statistics.ParseFromString((split / "FeatureStats.pb").read_bytes())
        for feature in statistics.datasets[0].features:
            kind = feature.WhichOneof("stats")
            stats = getattr(feature, kind)
            name = f"statistics/{split.name}/{feature.path.step[0]}"
            fields = ("num_non_missing", "num_missing", "min_num_values", "max_num_values")
            found |= {f"{name}/{key}": getattr(stats.common_stats, key) for key in fields}
            if kind == "num_stats":
                fields = ("mean", "std_dev", "num_zeros", "min", "max")
            else:
                fields = ("unique", "avg_length")
            found |= {f"{name}/{key}": getattr(stats, key) for key in fields}
    return found


def newest(folder: Path) -> Path:
    """Returns the last of the numbered folders that TFX made in this one."""
    return max(folder.iterdir(), key=lambda path: int(path.name))


def differences(ours: Mapping[str, float], theirs: Mapping[str, float]) -> dict[str, float]:
    """Returns the relative differences that are not 0, absolute ones of what is below 1.

    What only one of them has differs infinitely.
    """
    found = dict.fromkeys(ours.keys() ^ theirs.keys(), math.inf)
    for name in ours.keys() & theirs.keys():
        found[name] = abs(ours[name] - theirs[name]) / max(1, abs(ours[name]))
    return {name: value for name, value in sorted(found.items()) if value != 0}


def run(runner: str, output: Path, module: str = "pipeline.local_runner") -> dict[str, Any]:
    """Runs the pipeline; returns seconds in all and of each component of Beam's, and results."""
    figures = measure(module, str(output), FLOAT32.name, BEAM_RUNNER=runner)
    beam = {
        name: seconds
        for name, seconds in figures["components"].items()
        if name.startswith(_BEAM_COMPONENTS)
    }
    return {
        "total_s": figures["total_s"],
        "training_s": figures["training_s"],
        "peak_gib": figures["peak_gib"],
        "beam_s": round(sum(beam.values()), 1),
        "components": beam,
        "results": results(output),
    }


def report(runs: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Prints the figures of each runner against those in memory; returns all for JSON."""
    reference = runs["in_memory"]
    for name, figures in runs.items():
        worst = differences(reference["results"], figures["results"])
        figures["largest_difference"] = max(worst.values(), default=0.0)
        figures["same_results"] = all(value <= _TOLERANCE for value in worst.values())
        parts = ", ".join(f"{part} {s:.1f}" for part, s in figures["components"].items())
        print(f"{name:<10} {figures['beam_s']:>6.1f} s of Beam: {parts}")
        print(
            f"{'':<10} {len(figures['results'])} counts, statistics and metrics "
            f"{'agree' if figures['same_results'] else 'DO NOT AGREE'} with those in memory: "
            f"largest difference {figures['largest_difference']:.1g}"
        )
    target = f"every runner within {_TOLERANCE} of the results in memory"
    reached = all(figures["same_results"] for figures in runs.values())
    print(f"{target}: {'reached' if reached else 'MISSED'}")
    return {"runs": runs, "targets": {target: reached}}


def main() -> int:
    """Runs all that can be run here; returns 1 when results differ."""
    names = ["in_memory", "portable"]
    if job_server.jar_path("flink").exists() and shutil.which("java"):
        names.append("flink")
    else:
        print("no Flink: `make flink-jar` takes Beam's job server, which also needs Java")
    with tempfile.TemporaryDirectory() as folder:
        figures = report({name: run(name, Path(folder, name)) for name in names})
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"written to {OUTPUT}")
    return 0 if all(figures["targets"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
