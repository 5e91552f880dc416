"""What a run costs besides the training itself, against the same steps with stock components.

With one device model, as the stock pipeline has it, and with all of them. Each runs in a process of
its own, one after the other, on the data set of DATASET and MNIST_DIR, one epoch; the import of TFX
counts. With `--against FOLDER`, another checkout of this project takes the place of the stock
components, with all device models. Writes output/bench/pipeline_overhead.json.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from data.errors import NOT_BLESSED
from data.files import PROJECT_ROOT
from modules.export.recipes import FLOAT32

_MAX_ADDED_S = 90
OUTPUT = PROJECT_ROOT / "output" / "bench" / "pipeline_overhead.json"


def measure(
    module: str,
    output: str,
    recipes: str = "",
    project: Path = PROJECT_ROOT,
    **settings: str,
) -> dict[str, Any]:
    """Runs `python -m module` and returns its seconds, less those of the training loop.

    Args:
      module: that runs the pipeline.
      output: its folder.
      recipes: of the device models; "" for all.
      project: the checkout whose code runs.
      **settings: further ones.

    Returns:
      "total_s", "training_s", "rest_s", "peak_gib" of resident memory and, where the terminal
      shows them, "components" by name in seconds.
    """
    ours = {"OUTPUT": output, "EPOCHS": "1", "MIN_ACCURACY": "0", "RECIPES": recipes}
    environment = {**os.environ, **ours, **settings, "PYTHONPATH": str(project)}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    total = time.perf_counter() - started
    # With one epoch, a model may well miss a limit.
    if os.waitstatus_to_exitcode(status) not in (0, NOT_BLESSED):
        raise SystemExit(f"{module} failed:\n{text[-3000:]}")
    training = float(re.search(r"trained in ([\d.]+) s", text)[1])
    components = re.findall(r"^\[ *\d+/\d+\] (\S+) +([\d.]+) s$", text, re.MULTILINE)
    return {
        "total_s": round(total, 1),
        "training_s": training,
        "rest_s": round(total - training, 1),
        "peak_gib": round(usage.ru_maxrss / 2**20, 2),
        "components": {name: float(seconds) for name, seconds in components},
    }


def compare_checkouts(other: Path, rounds: int) -> dict[str, Any]:
    """Measures both checkouts in turn, and returns and prints the medians of what they take."""
    runs: dict[str, list[float]] = {"ours": [], "other": []}
    for turn in range(rounds):
        projects = {"ours": PROJECT_ROOT, "other": other}
        for name in list(projects)[:: -1 if turn % 2 else 1]:
            with tempfile.TemporaryDirectory() as folder:
                found = measure("pipeline.local_runner", folder, project=projects[name])
            runs[name].append(found["rest_s"])
            print(f"{name:<6} {found['rest_s']:>6.1f} s besides the training", flush=True)
    medians = {name: statistics.median(seconds) for name, seconds in runs.items()}
    print(f"ratio to {other}: {medians['ours'] / medians['other']:.2f}")
    return {"runs_s": runs, "medians_s": medians}


def main() -> None:
    """Measures both and prints the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="another checkout of this project")
    parser.add_argument("--rounds", type=int, default=3, help="of both checkouts (3)")
    options = parser.parse_args()
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    if options.against:
        found = compare_checkouts(options.against.resolve(), options.rounds)
        OUTPUT.write_text(json.dumps(found, indent=2) + "\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        ours = measure("pipeline.local_runner", f"{folder}/ours", FLOAT32.name)
        all_recipes = measure("pipeline.local_runner", f"{folder}/all")
        stock_output = f"{folder}/stock"
        subprocess.run(
            [sys.executable, "-m", "benchmarks.stock_pipeline", "write"],
            env={**os.environ, "OUTPUT": stock_output},
            check=True,
            stderr=subprocess.DEVNULL,
        )
        stock = measure("benchmarks.stock_pipeline", stock_output)
    result = {
        "ours": ours,
        "all_recipes": all_recipes,
        "stock": stock,
        "ratio_of_rest": round(ours["rest_s"] / stock["rest_s"], 2),
        "added_by_recipes_s": round(all_recipes["rest_s"] - ours["rest_s"], 1),
    }
    evaluators = {
        name: seconds
        for name, seconds in all_recipes["components"].items()
        if name.startswith("Evaluator")
    }
    targets = {
        f"the other device models add at most {_MAX_ADDED_S} s": (
            result["added_by_recipes_s"] <= _MAX_ADDED_S
        ),
        "no Evaluator takes longer than the SavedModel's": (
            max(evaluators.values()) == evaluators["Evaluator"]
        ),
    }
    result["targets"] = targets
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    for name, figures in (
        ("one device model", ours),
        ("stock components", stock),
        ("all device models", all_recipes),
    ):
        print(
            f"{name:<18} {figures['rest_s']:>6.1f} s besides the training "
            f"({figures['training_s']:.1f} s), peak {figures['peak_gib']:.2f} GiB"
        )
    for name, seconds in evaluators.items():
        print(f"  {name:<24} {seconds:>5.1f} s")
    for target, reached in targets.items():
        print(f"{target}: {'reached' if reached else 'MISSED'}")
    print(
        f"ratio to stock {result['ratio_of_rest']}; the other device models add "
        f"{result['added_by_recipes_s']} s; written to {OUTPUT}"
    )


if __name__ == "__main__":
    main()
