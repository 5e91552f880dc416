"""A run of the pipeline on each data set of the catalogue, or on a stand-in for it.

The data set itself is taken where its files are at hand: MNIST in MNIST_DIR, the others in the
folder of DATA_CACHE that a run keeps them in; nothing is downloaded. Otherwise digits of MNIST
stand in, in files as the data set's own, of its shape, its labels and as many classes. Its
checksums refuse them, so they run as data of one's own, with the data set's least accuracy as
MIN_ACCURACY and the augmentation for such data. Names as arguments choose data sets; their rows
are put into what was written before. Writes output/bench/catalogue.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import stand_ins
from data import cache
from data.catalogue import CATALOGUE, CatalogueEntry
from data.errors import NOT_BLESSED
from data.files import PROJECT_ROOT
from data.mirrors.download import missing_files
from data.resolve import resolve_dataset
from data.splits import Split
from pipeline.verdict.verdict import COMPARISON_FILE

OUTPUT = PROJECT_ROOT / "output" / "bench" / "catalogue.json"
_TRAIN, _TEST = 10_000, 2_000  # images of a stand-in
_EPOCHS = 5
_REAL_EPOCHS = 1  # of some 60,000 images


def read_digits(split: Split, count: int) -> stand_ins.Digits:
    """Returns the first images uint8[count, 28, 28] of MNIST, and their labels int64[count]."""
    dataset = resolve_dataset("mnist", os.environ.get("MNIST_DIR"), cache.named())
    images, labels = dataset.open()[split].read(0, count)
    return images[..., 0], labels


def is_at_hand(entry: CatalogueEntry) -> bool:
    """Returns whether a run finds the files of a data set without a download."""
    if entry.name == "mnist" and os.environ.get("MNIST_DIR"):
        return True
    named = cache.named()
    folders = [named] if named else cache.default_folders()
    return any(not missing_files(entry, folder / entry.name) for folder in folders)


def measure(entry: CatalogueEntry, folder: Path) -> dict[str, Any]:
    """Runs the pipeline once and returns what came of it, as a row.

    Args:
      entry: of the catalogue.
      folder: for the stand-in, and for the run's outputs.
    """
    is_real = is_at_hand(entry)
    settings = {"DATASET": entry.name, "EPOCHS": str(_REAL_EPOCHS if is_real else _EPOCHS)}
    if not is_real:
        made = folder / f"stand-in-{entry.name}"
        digits = (read_digits(Split.TRAIN, _TRAIN), read_digits(Split.EVAL, _TEST))
        stand_ins.write(entry, *digits, made)
        settings["DATASET"] = str(made)
        settings["MIN_ACCURACY"] = str(entry.task.min_accuracy)
    output = folder / "output"
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.local_runner"],
        cwd=PROJECT_ROOT,
        env={**os.environ, **settings, "OUTPUT": str(output)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    seconds = time.perf_counter() - started
    if done.returncode not in (0, NOT_BLESSED):
        raise SystemExit(f"the run on {entry.name} failed:\n{done.stdout[-3000:]}")
    found = json.loads((output / "report" / COMPARISON_FILE).read_text())
    by_name = {model["name"]: model for model in found["models"]}
    server = by_name.pop(found["reference"])
    return {
        "entry": entry.name,
        "is_stand_in": not is_real,
        "files": sorted(path.name for path in made.iterdir()) if not is_real else None,
        "train_images": found["dataset"]["train_examples"],
        "test_images": found["dataset"]["eval_examples"],
        "image_shape": found["image_shape"],
        "classes": len(found["label_names"]),
        "epochs": found["epochs"],
        "accuracy": server["metrics"]["accuracy"],
        "accuracy_interval": server["accuracy_interval"],
        "server_ships": server["pushed_to"] is not None,
        "device_models_that_ship": [name for name in by_name if by_name[name]["pushed_to"]],
        "int8_accuracy": by_name["int8"]["metrics"]["accuracy"],
        "seconds": round(seconds, 1),
    }


def line(row: dict[str, Any]) -> str:
    """Returns a row of the table in docs/data.md."""
    low, high = row["accuracy_interval"]
    ships = row["device_models_that_ship"]
    cells = (
        f"`{row['entry']}`",
        "stand-in" if row["is_stand_in"] else "the data set",
        f"{row['train_images']:,} + {row['test_images']:,} of "
        + "x".join(map(str, row["image_shape"])),
        f"{row['classes']}",
        f"{row['accuracy']:.2%} ({low:.1%} to {high:.1%})",
        "-" if row["int8_accuracy"] is None else f"{row['int8_accuracy']:.2%}",
        ", ".join(f"`{name}`" for name in ships) or "none",
        f"{row['seconds']:.0f} s",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Runs on each data set that is asked for, and prints and writes the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="of the catalogue (all)")
    names = parser.parse_args().names or list(CATALOGUE)
    if unknown := sorted(set(names) - CATALOGUE.keys()):
        parser.error(f"{unknown[0]}: expected names out of {', '.join(CATALOGUE)}")
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    rows = json.loads(OUTPUT.read_text()) if OUTPUT.is_file() else {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            rows[name] = measure(CATALOGUE[name], Path(folder))
        print(line(rows[name]), flush=True)
        ordered = {name: rows[name] for name in CATALOGUE if name in rows}
        OUTPUT.write_text(json.dumps(ordered, indent=2) + "\n")
    print(f"written to {OUTPUT}")


if __name__ == "__main__":
    main()
