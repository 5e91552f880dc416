"""Whole trainings on MNIST: their accuracy, their time, and the time to an accuracy of 99.2%.

For the latter the training is made shorter, learning rate and all, and the shortest that gets there
on the test images counts. Its peer is the Flax tutorial's loop over ten epochs, whose time is
extrapolated from one. Nothing is chosen by these figures. Needs MNIST, in MNIST_DIR or from the
network, and of the libraries JAX, Flax, optax and Orbax alone: a bare machine with a GPU runs it,
and tests each epoch. Trains for up to 100 epochs; writes output/bench/training_accuracy.json.
"""

import argparse
import dataclasses
import json
import os
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any

import jax
import numpy as np

from benchmarks.peers import training_peers
from benchmarks.peers.training_peers import NETWORK
from data import cache
from data.dataset import Dataset
from data.errors import DataError
from data.files import PROJECT_ROOT
from data.hard import make_hard
from data.resolve import resolve_dataset
from data.splits import Split
from modules.models.protocol import Variables
from modules.training import loop
from modules.training.config import TrainConfig
from modules.training.plan import split_rows

OUTPUT = PROJECT_ROOT / "output" / "bench" / "training_accuracy.json"
TARGET = 0.992  # of the test images
_WATCHED = (0.99, TARGET)
_evaluate = partial(loop.evaluate, NETWORK)
_PACKAGES = ("jax", "flax", "optax")
# What a run came to, and which of several is the worst.
_WORST = {
    "validation_accuracy": min,
    "test_accuracy": min,
    "hard_accuracy": min,
    "compile_s": max,
    "train_s": max,
    "images_per_second": min,
}


@dataclasses.dataclass(frozen=True)
class Images:
    """MNIST, normalised as Transform does it: float32[N, 784], and labels int64[N]."""

    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    hard: np.ndarray  # the test images, made hard
    test_labels: np.ndarray


class EpochVariables:
    """Keeps the variables after each epoch, in the place of the checkpoints of a training."""

    def __init__(self) -> None:
        self.variables: list[Variables] = []
        self.times: list[float] = []  # time.monotonic()

    def restore_latest(self, like: Any) -> None:
        """Finds nothing."""

    def save(self, epoch: int, state: Any, history: list[Any]) -> None:
        """Keeps the variables, which are on the host already."""
        self.variables.append(state.state.variables)
        self.times.append(time.monotonic())


def load(files: Dataset) -> Images:
    """Reads all of a data set and makes the hard images."""
    train, train_labels = files.features(Split.TRAIN)
    test, test_labels = files.features(Split.EVAL)
    shaped = test.reshape(-1, *files.task.image_shape)
    parts = [make_hard(shaped[i : i + 1000], i) for i in range(0, len(test), 1000)]  # saves memory
    hard = np.concatenate(parts).reshape(test.shape)
    mean = np.float32(train.mean(dtype=np.float64))
    scale = np.float32(1 / train.std(dtype=np.float64))
    train, test, hard = ((images - mean) * scale for images in (train, test, hard))
    return Images(train, train_labels, test, hard, test_labels)


def run(images: Images, config: TrainConfig, watch: bool) -> dict[str, Any]:
    """Trains once.

    Args:
      images: to train and to test on.
      config: how to train.
      watch: whether to test after each epoch.

    Returns:
      The figures of `_WORST`, accuracies as shares and times in seconds; "train_s" is without the
      compilation, but with the validation after each epoch. With `watch` also "epochs": seconds
      since the compilation and accuracy on the test images.
    """
    epochs, test = EpochVariables() if watch else None, (images.test, images.test_labels)
    result = loop.train(NETWORK, images.train, images.train_labels, config, checkpoints=epochs)
    started = time.monotonic() - result.train_seconds
    figures = {
        "seed": config.seed,
        "validation_accuracy": result.history[-1].validation_accuracy,
        "test_accuracy": _evaluate(result.variables, *test)[1],
        "hard_accuracy": _evaluate(result.variables, images.hard, images.test_labels)[1],
        "compile_s": round(result.compile_seconds, 2),
        "train_s": round(result.train_seconds, 2),
        "images_per_second": round(result.trained_images / result.train_seconds),
    }
    if epochs:
        figures["epochs"] = [
            {"seconds": round(ended - started, 3), "test_accuracy": _evaluate(each, *test)[1]}
            for each, ended in zip(epochs.variables, epochs.times, strict=True)
        ]
    print(f"{config.epochs:>2} epochs, seed {config.seed}: {_described(figures)}", flush=True)
    return figures


def run_all(images: Images, epochs: int, seeds: int, watch: bool = False) -> dict[str, Any]:
    """Trains with each seed; returns the runs, and mean and worst of each of their figures."""
    config = TrainConfig(epochs=epochs)
    runs = [run(images, dataclasses.replace(config, seed=seed), watch) for seed in range(seeds)]
    values = {name: [figures[name] for figures in runs] for name in _WORST}
    mean = {name: round(float(np.mean(values[name])), 5) for name in _WORST}
    worst = {name: _WORST[name](values[name]) for name in _WORST}
    return {"epochs": epochs, "mean": mean, "worst": worst, "runs": runs}


def seconds_to(runs: Sequence[Mapping[str, Any]], accuracy: float) -> list[float | None]:
    """Returns when an epoch of each run first ended with that test accuracy, None if none did."""
    return [
        next((x["seconds"] for x in run["epochs"] if x["test_accuracy"] >= accuracy), None)
        for run in runs
    ]


def time_to_target(images: Images, tries: Sequence[int], seeds: int) -> dict[str, Any]:
    """Trains for ever more epochs until every seed gets there, and sets that against the tutorial.

    Returns:
      "schedules", the runs of each length; "tutorial"; and as "on_average" and "with_every_seed"
      None, or how many "epochs" it took, the mean seconds, and the ratio of the tutorial's seconds.
    """
    tutorial = training_peers.time_tutorial(images.train, images.train_labels)
    schedules = []
    for epochs in sorted(tries):
        schedules.append(run_all(images, epochs, seeds))
        if schedules[-1]["worst"]["test_accuracy"] >= TARGET:
            break
    result = {"target": TARGET, "tutorial": tutorial, "schedules": schedules}
    theirs, compiled = tutorial["train_s_extrapolated_from_one_epoch"], tutorial["compile_s"]
    for name, which in (("on_average", "mean"), ("with_every_seed", "worst")):
        reached = [row for row in schedules if row[which]["test_accuracy"] >= TARGET]
        result[name] = None
        if reached:
            train_s, compile_s = reached[0]["mean"]["train_s"], reached[0]["mean"]["compile_s"]
            result[name] = {
                "epochs": reached[0]["epochs"],
                "train_s": train_s,
                "compile_s": compile_s,
                "ratio": round(theirs / train_s, 2),
                "ratio_with_compilation": round((theirs + compiled) / (train_s + compile_s), 2),
            }
    return result


def main() -> None:
    """Trains, prints everything and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="trainings of each kind (5)")
    parser.add_argument("--epochs", type=int, default=TrainConfig.epochs, help="whole ones (10)")
    parser.add_argument(
        "--short-epochs", type=int, nargs="*", default=[1, 2, 3, 4], help="shorter ones (1 2 3 4)"
    )
    args = parser.parse_args()
    try:
        files = resolve_dataset("mnist", os.environ.get("MNIST_DIR"), cache.named())
    except DataError as error:
        raise SystemExit(str(error)) from error
    images = load(files)
    # Or the first training would have the validation compiled, and count that as its own time.
    _, rows = split_rows(images.train_labels, TrainConfig())
    _evaluate(jax.device_get(NETWORK.init(0)), images.train[rows], images.train_labels[rows])

    devices = jax.devices()
    print(f"{files.source}; {len(devices)} x {devices[0].device_kind} ({jax.default_backend()})")
    watch = jax.default_backend() != "cpu"
    whole = run_all(images, args.epochs, args.seeds, watch)
    if watch:
        whole["seconds_to"] = {str(goal): seconds_to(whole["runs"], goal) for goal in _WATCHED}
    result = {
        "backend": jax.default_backend(),
        "devices": [device.device_kind for device in devices],
        "cores": os.cpu_count(),
        "config": dataclasses.asdict(TrainConfig(epochs=args.epochs)),
        "whole": whole,
        "time_to_target": time_to_target(images, args.short_epochs, args.seeds),
        "versions": {name: version(name) for name in _PACKAGES},
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    _print(result)


def _described(figures: Mapping[str, float]) -> str:
    return (
        f"validation {figures['validation_accuracy']:.2%}, test {figures['test_accuracy']:.2%}, "
        f"hard {figures['hard_accuracy']:.2%}; compiled in {figures['compile_s']:.1f} s, trained "
        f"in {figures['train_s']:.1f} s, {figures['images_per_second']:,.0f} images/s"
    )


def _print(result: Mapping[str, Any]) -> None:
    target = result["time_to_target"]
    print()
    for row in (result["whole"], *target["schedules"]):
        for which in ("mean", "worst"):
            print(f"{row['epochs']:>2} epochs, {which:<5}: {_described(row[which])}")
    for goal, seconds in result["whole"].get("seconds_to", {}).items():
        shown = ", ".join(f"{x:.2f} s" if x else "never" for x in seconds)
        print(f"epoch's end with test accuracy of {float(goal):.1%}: {shown}")
    tutorial = target["tutorial"]
    print(
        f"the tutorial's {tutorial['epochs']} epochs: {tutorial['images_per_second']:,} images/s, "
        f"{tutorial['train_s_extrapolated_from_one_epoch']:.1f} s, extrapolated from one epoch"
    )
    for name in ("on_average", "with_every_seed"):
        words = f"test accuracy of {target['target']:.1%} {name.replace('_', ' ')}"
        if found := target[name]:
            print(
                f"{words}: {found['epochs']} epochs, {found['train_s']:.1f} s and "
                f"{found['compile_s']:.1f} s of compilation; the tutorial's ten take "
                f"{found['ratio']} times as long, {found['ratio_with_compilation']} times with "
                "both compilations"
            )
        else:
            print(f"{words}: not in the epochs tried")
    print(f"written to {OUTPUT}")


if __name__ == "__main__":
    main()
