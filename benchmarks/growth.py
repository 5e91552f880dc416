"""Seconds and peak memory of each component with 1, 2, 5 and 10 times as many images as MNIST.

Each component runs in a process of its own, forked from one that has imported TFX, so that its peak
is its own; one epoch, two device models. The images are those of `benchmarks.larger_data`, from the
data set of DATASET and MNIST_DIR. Writes output/bench/growth.json.
"""

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfx.dsl.compiler.compiler import Compiler
from tfx.proto.orchestration import pipeline_pb2

from data import cache, growth
from data.dataset import Dataset
from data.files import PROJECT_ROOT
from data.resolve import resolve_dataset
from modules.export.recipes import FLOAT32, INT8
from modules.training.config import TrainConfig
from pipeline.config import PipelineConfig
from pipeline.create import create_pipeline
from pipeline.running.nodes import NodeRunner
from pipeline.verdict.limits import Limits

_SIZES = (1, 2, 5, 10)
_MAX_TIME_RATIO = 1.1  # of the seconds to those with the smallest size, over the ratio of the sizes
_MAX_MEMORY_RATIO = 1.3
_LONG_S = 1.0  # what is over sooner with the largest size is not judged by its time
_TRAINER = "Trainer"
OUTPUT = PROJECT_ROOT / "output" / "bench" / "growth.json"

Figures = dict[str, float]  # "seconds" and "peak_mib"


def measure(definition: pipeline_pb2.Pipeline, node_id: str, log_file: Path) -> Figures:
    """Runs a node in a process of its own; returns its seconds and its peak of resident MiB."""
    started = time.perf_counter()
    child = os.fork()
    if not child:
        with open(log_file, "a") as log:
            os.dup2(log.fileno(), sys.stdout.fileno())
            os.dup2(log.fileno(), sys.stderr.fileno())
        status = 1
        try:
            NodeRunner(definition, "growth").run(node_id)
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"{node_id} failed:\n{log_file.read_text()[-3000:]}")
    return {
        "seconds": round(time.perf_counter() - started, 2),
        "peak_mib": round(usage.ru_maxrss / 2**10, 1),
    }


def run(files: Dataset, folder: Path) -> dict[str, Figures]:
    """Runs the pipeline on a data set; returns the figures of each node."""
    config = PipelineConfig(
        dataset=files,
        output=folder,
        train=TrainConfig(epochs=1),
        recipes=(FLOAT32.name, INT8.name),
        limits=Limits(min_accuracy=0),
    )
    definition = Compiler().compile(create_pipeline(config))
    found = {}
    for node in definition.nodes:
        name = node.pipeline_node.node_info.id
        found[name] = measure(definition, name, folder / "growth.log")
        print(f"  {name:<22} {found[name]['seconds']:>7.1f} s {found[name]['peak_mib']:>7,.0f} MiB")
    return found


def judge(sizes: Sequence[int], figures: dict[int, dict[str, Figures]]) -> dict[str, Any]:
    """Returns how each node grew from the smallest size to the largest, and the targets."""
    first, last = figures[sizes[0]], figures[sizes[-1]]
    ratios = {
        name: {what: round(last[name][what] / first[name][what], 2) for what in last[name]}
        for name in last
    }
    limit = round(_MAX_TIME_RATIO * sizes[-1] / sizes[0], 1)
    slow = [
        name
        for name in ratios
        if ratios[name]["seconds"] > limit and last[name]["seconds"] > _LONG_S
    ]
    large = [
        name for name in ratios if ratios[name]["peak_mib"] > _MAX_MEMORY_RATIO and name != _TRAINER
    ]
    return {
        "ratios": ratios,
        "targets": {
            f"every component takes at most {limit} times as long": not slow,
            f"every peak but the {_TRAINER}'s is at most {_MAX_MEMORY_RATIO} times": not large,
        },
        "missed_by": sorted({*slow, *large}),
    }


def main() -> None:
    """Measures all sizes and prints how the components grow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES)
    sizes = sorted(parser.parse_args().sizes)
    wanted = os.environ.get("DATASET") or "mnist"
    files = resolve_dataset(wanted, os.environ.get("MNIST_DIR") or None, cache.named())
    baseline_mib = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10, 1)
    figures = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="growth-") as folder:
            grown = growth.grow(files, size, Path(folder, "data"))
            print(f"{size} x {files.name}: {grown.train_examples + grown.eval_examples:,} images")
            figures[size] = run(grown, Path(folder))
    result = {
        "dataset": files.name,
        "imports_mib": baseline_mib,  # of every peak
        "figures": figures,
        **judge(sizes, figures),
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"from {sizes[0]} to {sizes[-1]} times:")
    for name, ratio in result["ratios"].items():
        print(f"  {name:<22} {ratio['seconds']:>6.2f} x time {ratio['peak_mib']:>6.2f} x memory")
    for target, reached in result["targets"].items():
        print(f"{target}: {'reached' if reached else 'MISSED'}")
    print(f"written to {OUTPUT}")


if __name__ == "__main__":
    main()
