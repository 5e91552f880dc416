"""What personalization gives simulated people, what it costs, and what its peers do.

The people write the test images of the data set of DATASET and MNIST_DIR; the model is the newest
SavedModel that a run pushed to OUTPUT. They have other seeds than those that the learning rates and
the number of epochs were chosen by. Takes some minutes; writes output/bench/personalization.json.
"""

import argparse
import dataclasses
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import personal_peers, personal_steps
from data.dataset import Dataset
from data.files import PROJECT_ROOT
from data.splits import Split
from modules.export.personalize import bases, package
from modules.export.personalize.bases import Base
from modules.export.reusable.reading import read_trained
from modules.export.trained import Trained
from modules.inference.personal import simulation
from modules.inference.personal.simulation import Images, Learn, Simulated, personal_model
from modules.models import loading
from modules.personal.optimizers import OPTIMIZERS
from modules.personal.options import Options
from pipeline.settings import config_from_environment
from pipeline.storage import versions

OUTPUT = PROJECT_ROOT / "output" / "bench" / "personalization.json"
_FIRST_SEED = 0  # the choices were made on the people from 1000 on
_LOW = 0.95  # who starts below is to gain
_JUDGED = 50  # samples
_LABELLED = 5000  # training images, as `make personalize` takes them
_FEW_SAMPLES = (20, 50)


def make_packages(
    trained: Trained, images: np.ndarray, labels: np.ndarray, folder: Path
) -> tuple[dict[str, Path], Base]:
    """Writes a package of each head and optimizer, and one of the whole network.

    Returns:
      The packages by "head optimizer", and the base of the whole network.
    """
    found, task, made = {}, trained.network.task, {}
    for trains in (f"{bases.LAST}1", bases.ALL):
        made[trains] = bases.of_network(trained, trains, str(folder / trains.replace(":", "")))
    kinds = [("softmax", each) for each in OPTIMIZERS] + [("mlp", each) for each in OPTIMIZERS]
    labelled = made[f"{bases.LAST}1"].features(images), labels
    pixels = made[bases.ALL].features(images), labels
    for head, optimizer in (*kinds, (bases.ALL, "sgd")):
        is_whole = head == bases.ALL
        base = made[bases.ALL if is_whole else f"{bases.LAST}1"]
        out = folder / f"{head}-{optimizer}"
        out.mkdir()
        options = Options(head, optimizer, spare_classes=0 if is_whole else 2)
        package.write(out, base, task, "cnn", options, pixels if is_whole else labelled)
        found[f"{head} {optimizer}"] = out
    return found, made[bases.ALL]


def described(result: Simulated, without_replay: Simulated | None = None) -> dict[str, Any]:
    """Returns the figures of one that learnt; accuracies in percent, gains in points."""
    rows = {}
    for samples in result.outcomes[0].after:
        gains, low = result.gains(samples), result.gains(samples, _LOW)
        forgotten = result.forgotten(samples)
        rows[samples] = {
            "accuracy": _percent([each.after[samples] for each in result.outcomes]),
            "gain_of_low": _percent(low),
            "gain": _percent(gains),
            "worst_gain": _percent(gains.min()),
            "forgotten": _percent(forgotten),
            "most_forgotten": _percent(forgotten.max()),
        }
    found = {
        "people": len(result.outcomes),
        "low": len(result.gains(_JUDGED, _LOW)),
        "before": _percent([each.before for each in result.outcomes]),
        "plain_before": _percent(result.plain_before),
        "samples": rows,
    }
    if without_replay:
        forgotten = without_replay.forgotten(_JUDGED)
        found["without_replay"] = {
            "worst_gain": _percent(without_replay.gains(_JUDGED).min()),
            "gain_of_low": _percent(without_replay.gains(_JUDGED, _LOW)),
            "forgotten": _percent(forgotten),
            "most_forgotten": _percent(forgotten.max()),
        }
    if result.symbols:
        accuracies = [each.accuracy for each in result.symbols]
        found["new_symbols"] = {
            "accuracy": _percent(accuracies),
            "worst": _percent(min(accuracies)),
            "cost": _percent(
                result.plain_before - np.mean([each.plain for each in result.symbols])
            ),
        }
    found["outcomes"] = [dataclasses.asdict(each) for each in result.outcomes]
    return found


def run(files: Dataset, trained: Trained, people: int, few: int, folder: Path) -> dict[str, Any]:
    """Measures all of it."""
    images, labels = files.features(Split.TRAIN, 0, _LABELLED)
    tested, tested_labels = files.features(Split.EVAL)
    task = files.task
    everything = Images.split(
        tested.reshape(-1, *task.image_shape), tested_labels, task.num_classes
    )
    packages, whole = make_packages(trained, images, labels, folder)
    found = {}

    def simulated(learn: Learn, count: int, **options: Any) -> Simulated:
        seeds = range(_FIRST_SEED, _FIRST_SEED + count)
        return simulation.simulate(learn, everything, seeds, **options)

    for name, path in packages.items():
        is_whole = name.startswith(bases.ALL)
        count = few if is_whole else people
        options = {"samples": _FEW_SAMPLES} if is_whole else {}
        result = simulated(personal_model(path), count, new_symbols=not is_whole, **options)
        alone = simulated(personal_model(path, replay_share=0), count, samples=[_JUDGED])
        found[name] = described(result, alone) | {
            "bytes": {each.name: each.stat().st_size for each in path.iterdir()},
        }
        _print(name, found[name])
    means = personal_peers.nearest_class_mean(packages["softmax sgd"], images, labels)
    result = simulated(means, people, new_symbols=True)
    found["nearest class mean"] = described(result)
    _print("nearest class mean", found["nearest class mean"])
    retrained = personal_peers.full_retraining(whole, trained.network, images, labels)
    result = simulated(retrained, few, samples=_FEW_SAMPLES)
    found["full retraining"] = described(result)
    _print("full retraining", found["full retraining"])
    chosen = {name: packages[f"{name} sgd"] for name in ("softmax", "mlp", bases.ALL)}
    return {"people": found, "steps": personal_steps.measure(chosen)}


def main() -> None:
    """Measures everything, prints it and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=30, help="that teach a head (30)")
    parser.add_argument("--few", type=int, default=6, help="that teach a whole network (6)")
    args = parser.parse_args()
    config = config_from_environment(os.environ)
    pushed = versions.newest(config.serving_dir)
    if not pushed:
        raise SystemExit(f"{config.serving_dir} has no SavedModel; run `make run` first")
    trained = read_trained(str(pushed), loading.load(config.model), config.dataset.task)
    with tempfile.TemporaryDirectory(prefix="personalization-") as folder:
        found = run(config.dataset, trained, args.people, args.few, Path(folder))
    result = {"dataset": config.dataset.name, "load": round(os.getloadavg()[0], 2), **found}
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    for name, row in result["steps"].items():
        print(f"step of {name}: {row['ms']} ms, limit {row['limit_ms']}")
    print(f"written to {OUTPUT}")


def _percent(shares: Any) -> float:
    """Returns the mean of shares, in percent."""
    return round(100 * float(np.mean(shares)), 2)


def _print(name: str, row: dict[str, Any]) -> None:
    judged, symbols = row["samples"][_JUDGED], row.get("new_symbols")
    print(
        f"{name}: {row['people']} people, {row['low']} of them low; before {row['before']}%, after "
        f"{_JUDGED} samples {judged['accuracy']}%, gain of the low {judged['gain_of_low']}, worst "
        f"{judged['worst_gain']}, forgotten {judged['forgotten']}, at most "
        f"{judged['most_forgotten']}; without replay {row.get('without_replay')}; new {symbols}",
        flush=True,
    )


if __name__ == "__main__":
    main()
