"""Where runtimes begin to differ on an integer model: operator by operator, and why.

Takes the pushed int8_io model that OUTPUT or DATASET lead to, and test images of that data set.
Each operator runs alone on what TensorFlow Lite Micro computed up to it (XNNPACK where that is not
installed), so that nothing adds up, and after all that stand before it, so that it does. Of
convolutions, the exact sums are also rounded in numpy in each way that runtimes have, and compared
with each runtime's results, integer by integer. All of it is done a second time with the pools
written as convolutions by 1. Takes some ten minutes; writes output/bench/rounding.json.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rounding import operators as cutting
from benchmarks.rounding.operators import Convolution, Operator
from data.files import PROJECT_ROOT
from data.splits import Split
from modules.export.recipes import INT8_IO
from modules.inference.runtimes import running, tensors
from modules.inference.runtimes.catalogue import RUNTIMES, STANDARD, installed
from modules.inference.runtimes.running import NotRunError, Prepared
from pipeline.settings import config_from_environment
from serve.client import package

OUTPUT = PROJECT_ROOT / "output" / "bench" / "rounding.json"
_MICRO = "tflm"


class Runner:
    """Runs models in all runtimes that are installed, on integers as they are."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.names = installed()

    def __call__(self, model: bytes, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Returns the results int8[N, numbers] of each runtime that runs a model, by its name.

        Args:
          model: with int8 input and output.
          rows: int8[N, numbers].
        """
        path, inputs = self._folder / "model.tflite", self._folder / "inputs"
        path.write_bytes(model)
        rows.tofile(inputs)
        question = Prepared(path, inputs, len(rows), *tensors.borders(path))
        answers = running.run_all([(name, question) for name in self.names], self._folder)
        found = {}
        for name, answer in zip(self.names, answers, strict=True):
            if isinstance(answer, NotRunError):
                print(answer)
            else:
                found[name] = answer.stored
        return found


def differences(found: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Returns how the results int8[N, numbers] of each runtime differ from XNNPACK's.

    Returns:
      By runtime the share of results that differ, the largest and the mean difference, in steps.
    """
    ours = found[STANDARD].astype(int)
    steps = {name: values.astype(int) - ours for name, values in found.items()}
    return {
        name: {
            "share": float(np.mean(step != 0)),
            "max": int(np.abs(step).max()),
            "mean": float(step.mean()),
        }
        for name, step in steps.items()
        if name != STANDARD
    }


def by_operator(path: str, rows: np.ndarray, run: Runner) -> Iterator[dict[str, Any]]:
    """Yields for each operator of a model what its runtimes make of it.

    Args:
      path: of the model.
      rows: what the model is given, int8[N, pixels].
      run: the runtimes.
    """
    before = rows
    for operator in cutting.operators(path):
        alone = run(cutting.cut(path, operator.index, operator.index), before)
        together = run(cutting.cut(path, 0, operator.index), rows)
        row = {"operator": operator.name, "kind": operator.kind}
        row["results"] = alone[STANDARD].size
        row["alone"], row["together"] = differences(alone), differences(together)
        if operator.is_convolution:
            row["not_as_rounded"] = _not_as_rounded(path, operator, before, alone)
        before = alone.get(_MICRO, alone[STANDARD])
        yield row


def _not_as_rounded(
    path: str, operator: Operator, rows: np.ndarray, found: dict[str, np.ndarray]
) -> dict[str, dict[str, int]]:
    """Returns by runtime and rounding how many results are others than that rounding gives."""
    counts: dict[str, dict[str, int]] = {name: {} for name in found}
    convolution = Convolution(path, operator)
    parts = [convolution.results(part) for part in np.array_split(rows, len(rows) // 50 or 1)]
    for rounding in parts[0]:
        expected = np.concatenate([part[rounding] for part in parts])
        for name, values in found.items():
            counts[name][rounding] = int(np.sum(values != expected))
    return counts


def measure(path: Path, rows: np.ndarray, few: int) -> dict[str, Any]:
    """Measures a model as it is shipped, and with plain pools.

    Args:
      path: of the model.
      rows: what it is given, int8[N, pixels].
      few: how many of them each operator is given.
    """
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="rounding-") as name:
        run = Runner(Path(name))
        plain = Path(name, "plain_pools.tflite")
        plain.write_bytes(cutting.with_plain_pools(str(path)))
        for title, each in (("shipped", path), ("plain pools", plain)):
            print(f"\n{title}")
            table = []
            for row in by_operator(str(each), rows[:few], run):
                _print(row)
                table.append(row)
            logits = run(each.read_bytes(), rows)
            whole = differences(logits)
            best = {name: values.argmax(axis=1) for name, values in logits.items()}
            for name, row in whole.items():
                row["other_argmax"] = int(np.sum(best[name] != best[STANDARD]))
                print(f"logits of {len(rows):,} images, {name}: {row}")
            found[title] = {"operators": table, "logits": whole}
    return found


def _print(row: dict[str, Any]) -> None:
    print(f"{row['operator']} ({row['kind']}), {row['results']:,} results")
    for name, alone in row["alone"].items():
        together = row["together"][name]
        print(
            f"  {name:<10} alone {alone['share']:>9.4%}, up to {alone['max']}, "
            f"mean {alone['mean']:+.4f};  after the others {together['share']:>9.4%}, "
            f"up to {together['max']}, mean {together['mean']:+.4f}"
        )
    for name, counts in row.get("not_as_rounded", {}).items():
        print(f"  {name:<10} not as rounded: {counts}")


def main() -> None:
    """Measures everything, prints it and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000, help="for the logits (10000)")
    parser.add_argument("--few", type=int, default=300, help="for each operator (300)")
    args = parser.parse_args()
    config = config_from_environment(os.environ)
    pushed = package.find(os.environ, has_server=False)
    if INT8_IO.name not in pushed.files:
        raise SystemExit(f"{pushed.version} has no {INT8_IO.name} model; run `make run` first")
    path = pushed.version / pushed.files[INT8_IO.name]
    images, _ = config.dataset.features(Split.EVAL, 0, args.images)
    rows = tensors.borders(path)[0].stored(images)
    result = {
        "dataset": config.dataset.name,
        "images": len(rows),
        "images_for_each_operator": min(args.few, len(rows)),
        "versions": {name: RUNTIMES[name].version() for name in installed()},
        **measure(path, rows, args.few),
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"written to {OUTPUT}")


if __name__ == "__main__":
    main()
