"""What every runtime says of every device model, on all test images of a data set.

The files are those that a run pushed to OUTPUT, or to the folder of DATASET. Each is run by every
runtime that is installed, one image after the other, in a process of its own, and held against
LiteRT with XNNPACK. Times are those of the processes, their start included, and what else the
machine does meanwhile. Takes some twenty minutes for MNIST; writes
output/bench/runtime_parity.json, which has the table of docs/rounding.md.
"""

import argparse
import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from data.files import PROJECT_ROOT
from data.splits import Split
from modules.export.recipes import RECIPES
from modules.inference.runtimes import running
from modules.inference.runtimes.catalogue import RUNTIMES, STANDARD, installed
from modules.inference.runtimes.running import Answers, NotRunError
from pipeline.settings import config_from_environment
from pipeline.verdict.runtimes import measuring
from serve.client import package

OUTPUT = PROJECT_ROOT / "output" / "bench" / "runtime_parity.json"
_HEADER = (
    "| file | runtime | accuracy | agreement | steps | logits that differ | largest difference | "
    "ms an image |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
)


def compare(model: Path, name: str, images: np.ndarray, labels: np.ndarray) -> list[dict[str, Any]]:
    """Runs one file in every runtime that is installed.

    Args:
      model: the file.
      name: of its recipe.
      images: float32[N, pixels] in [0, 1].
      labels: int64[N].

    Returns:
      By runtime, XNNPACK first, what `measuring.measure` finds, with the share of the logits that
      are not XNNPACK's, of a model whose output is integers; or why it was not run.

    Raises:
      NotRunError: XNNPACK does not run it.
    """
    expected, rows = None, []
    for runtime in installed():
        row: dict[str, Any] = {"runtime": runtime}
        rows.append(row)
        try:
            found = running.run(runtime, model, images)
        except NotRunError as error:
            if runtime == STANDARD:
                raise
            row["not_run"] = str(error)
        else:
            expected = expected or found
            row |= _measured(found, expected, labels, RECIPES[name].tie)
        print(_line(name, row), flush=True)
    return rows


def _measured(found: Answers, expected: Answers, labels: np.ndarray, tie: float) -> dict[str, Any]:
    metrics = measuring.measure(found, expected, labels, np.arange(len(labels)), tie)
    differing = float(np.mean(found.stored != expected.stored)) if found.is_quantized else None
    return {**dataclasses.asdict(metrics), "differing_logits": differing}


def _line(name: str, row: dict[str, Any]) -> str:
    """Returns a row of a table in Markdown."""
    start = f"| `{name}` | {row['runtime']} |"
    if "not_run" in row:
        return f"{start} {row['not_run']} | | | | | |"
    steps = share = ""
    if row["max_step_difference"] is not None:
        steps, share = f"{row['max_step_difference']}", f"{row['differing_logits']:.2%}"
    return (
        f"{start} {row['accuracy']:.2%} | {row['agreement']:.2%} | {steps} | {share}"
        f" | {row['max_logit_difference']:.2g} | {row['ms_per_image']:.2f} |"
    )


def main() -> None:
    """Measures everything, prints it and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=10_000, help="test images (10000)")
    args = parser.parse_args()
    config = config_from_environment(os.environ)
    pushed = package.find(os.environ, has_server=False)
    images, labels = config.dataset.features(Split.EVAL, 0, args.images)
    print(f"{config.dataset.name}, {len(images):,} images, against {STANDARD}\n\n{_HEADER}")
    models = {
        name: compare(Path(pushed.version, file), name, images, labels.reshape(-1))
        for name, file in pushed.files.items()
    }
    result = {
        "dataset": config.dataset.name,
        "images": len(images),
        "load": round(os.getloadavg()[0], 2),
        "runtimes": {name: RUNTIMES[name].version() for name in installed()},
        "not_installed": {
            name: runtime.missing() for name, runtime in RUNTIMES.items() if runtime.missing()
        },
        "models": models,
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"\nwritten to {OUTPUT}")


if __name__ == "__main__":
    main()
