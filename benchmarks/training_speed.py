"""Images a second of our training's steps, against the Flax tutorial's loop, Keras and PyTorch.

All train the network of modules/models/cnn.py on the same images in memory: the offline digits,
several times over. In each round every contender trains for an epoch, in changing order, and the
machine multiplies matrices; figures are medians over the rounds, ratios medians of each round's
ratio. Of Keras and PyTorch the batch size with the highest median counts. Ours is `loop.train`,
without its validation. Takes some minutes; writes output/bench/training_speed.json.
"""

import argparse
import dataclasses
import importlib.util
import json
import os
import queue
import random
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers import training_peers
from benchmarks.peers.turns import Contender, Process, Turn
from data.digits import make_digits
from data.files import PROJECT_ROOT
from data.finding.opening import open_data
from data.splits import Split
from modules.training import augmentation, loop
from modules.training.config import TrainConfig
from modules.training.plan import make_plan

OUTPUT = PROJECT_ROOT / "output" / "bench" / "training_speed.json"
OURS, TUTORIAL, TORCH, PEAK = "ours", "Flax tutorial", "PyTorch", "matrix product"
KERAS, KERAS_BF16 = "Keras float32", "Keras mixed_bfloat16"
PEERS = (TUTORIAL, KERAS, KERAS_BF16, TORCH)
_NOT_AUGMENTED = {"max_rotation": 0.0, "max_shift": 0.0, "max_scaling": 0.0}
_KERAS_SIZES = {KERAS: (32, 64, 128, 256, 512, 1024), KERAS_BF16: (128, 256)}
_TORCH_SIZES = (64, 128, 256)
_PACKAGES = ("jax", "flax", "optax", "keras", "tensorflow")

_Rates = Mapping[Contender, Sequence[float]]  # of every round


def contenders(epochs: int) -> list[Contender]:
    """Returns all that can run here; ours can for so many epochs."""
    batch = f"batch {training_peers.TUTORIAL_BATCH_SIZE}"
    found = [Contender(TUTORIAL, batch, "jax", training_peers.tutorial_loop)]
    default = TrainConfig(epochs=epochs)
    for size in dict.fromkeys((default.batch_size, 128)):
        for detail, changes in (("augmented", {}), ("ranges of 0", _NOT_AUGMENTED)):
            config = dataclasses.replace(default, batch_size=size, **changes)
            prepare = partial(our_steps, config)
            found.append(Contender(OURS, f"batch {size}, {detail}", "jax", prepare))
    for group, sizes in _KERAS_SIZES.items():
        for size in sizes:
            policy = group.split()[1]
            prepare = partial(training_peers.keras_fit, batch_size=size, policy=policy)
            found.append(Contender(group, f"batch {size}", "keras", prepare))
    if importlib.util.find_spec("torch"):
        for size in _TORCH_SIZES:
            prepare = partial(training_peers.torch_loop, batch_size=size)
            found.append(Contender(TORCH, f"batch {size}", "torch", prepare))
    for dtype in ("float32", "bfloat16"):
        prepare = partial(training_peers.matrix_product, dtype)
        found.append(Contender(PEAK, dtype, "jax", prepare))
    return found


def our_steps(config: TrainConfig, images: np.ndarray, labels: np.ndarray) -> Turn:
    """Returns a turn of `loop.train`: the steps of its next epoch, compiled in the first one.

    It runs in a thread, which waits after each epoch's last step; what `train` does then, before
    the next epoch, is not timed.

    Args:
      config: has as many epochs as there are turns.
      images: normalised float32[N, 784].
      labels: int64[N].
    """
    steps = make_plan(training_peers.NETWORK, labels, config).steps_of_epoch
    begin, finished = threading.Semaphore(0), queue.SimpleQueue()
    started = time.perf_counter()

    def on_steps(_: int, done: int) -> None:
        if done == steps:
            finished.put(time.perf_counter() - started)
            begin.acquire()

    def on_epoch(_: loop.EpochMetrics) -> None:
        nonlocal started
        started = time.perf_counter()

    def run() -> None:
        begin.acquire()
        try:
            loop.train(training_peers.NETWORK, images, labels, config, on_steps, on_epoch)
        except Exception as error:  # whatever it is, the turn is to raise it
            finished.put(error)

    threading.Thread(target=run, daemon=True).start()

    def turn() -> tuple[int, float]:
        begin.release()
        seconds = finished.get()
        if isinstance(seconds, Exception):
            raise seconds
        return steps * config.batch_size, seconds

    return turn


def augments_without_ranges() -> bool:
    """Whether the augmentation is computed even where all its ranges are 0."""
    config, task = TrainConfig(**_NOT_AUGMENTED), training_peers.NETWORK.task
    draws = jnp.zeros((1, augmentation.draws_of_an_image(config)))
    augment = partial(augmentation.augment, config=config, image_shape=task.image_shape)
    return bool(jax.make_jaxpr(augment)(jnp.zeros((1, task.num_pixels)), draws).eqns)


def best(rates: _Rates, group: str) -> Contender | None:
    """Returns the group's contender with the highest median, None when it has none."""
    of_group = [contender for contender in rates if contender.group == group]
    return max(of_group, key=lambda contender: median(rates[contender]), default=None)


def median_ratio(these: Sequence[float], those: Sequence[float]) -> float:
    """Returns the median of each round's ratio."""
    return round(median(a / b for a, b in zip(these, those, strict=True)), 3)


def compare(rates: _Rates) -> dict[str, dict[str, Any]]:
    """Returns, for each of ours, its ratio to each peer and its share of the float32 peak."""
    (peak,) = [rates[key] for key in rates if (key.group, key.detail) == (PEAK, "float32")]
    peers = [best(rates, group) for group in PEERS]
    rows = {}
    for contender in [contender for contender in rates if contender.group == OURS]:
        flops = [rate * training_peers.flops_of_an_image() for rate in rates[contender]]
        rows[contender.detail] = {
            "ratios": {
                peer.group: median_ratio(rates[contender], rates[peer]) for peer in peers if peer
            },
            "share_of_float32_peak": median_ratio(flops, peak),
        }
    return rows


def read_digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns normalised images float32[count, 784] and labels int64[count]."""
    with tempfile.TemporaryDirectory() as folder:
        make_digits(Path(folder) / "digits")
        files = open_data(Path(folder) / "digits")
        images, labels = files.features(Split.TRAIN)
    rows = np.arange(count) % len(images)
    return ((images - images.mean()) / images.std())[rows], labels[rows]


def measure(args: argparse.Namespace) -> tuple[dict[Contender, float], _Rates, dict[str, float]]:
    """Returns seconds of each first turn, rates of every round, and processes' idle shares."""
    images, labels = read_digits(args.images)
    everyone = contenders(epochs=args.rounds + 1)
    if args.one_process:
        everyone = [dataclasses.replace(contender, process="all") for contender in everyone]
    processes = {}
    for name in dict.fromkeys(contender.process for contender in everyone):
        members = [contender for contender in everyone if contender.process == name]
        processes[name] = Process(name, members, images, labels)
    first = {key: processes[key.process].take_turn(key)[1] for key in everyone}
    rates, order = {key: [] for key in everyone}, random.Random(0)
    for _ in range(args.rounds):
        for key in order.sample(everyone, len(everyone)):
            amount, seconds = processes[key.process].take_turn(key)
            rates[key].append(amount / seconds)
    return first, rates, {name: round(processes[name].idle_share, 4) for name in processes}


def main() -> None:
    """Measures everything, prints it and writes the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="turns of each contender (9)")
    parser.add_argument("--images", type=int, default=6144, help="of an epoch (6144)")
    parser.add_argument("--one-process", action="store_true", help="for all libraries")
    args = parser.parse_args()
    load = os.getloadavg()[0]
    first, rates, idle = measure(args)
    units = {PEAK: ("gflops", 1e9)}
    rows = []
    for key in rates:
        unit, divisor = units.get(key.group, ("images_per_second", 1))
        figures = [round(rate / divisor, 1) for rate in rates[key]]
        rows.append(
            {"whose": key.group, "what": key.detail, "unit": unit, "median": median(figures)}
            | {"best": max(figures), "first_turn_s": round(first[key], 2), "rounds": figures}
        )
    result = {
        "images": args.images,
        "one_process": args.one_process,
        "cores": os.cpu_count(),
        "load_at_start": round(load, 2),
        "not_installed": [] if importlib.util.find_spec("torch") else [TORCH],
        "contenders": rows,
        "best_of_peers": {group: found.detail for group in PEERS if (found := best(rates, group))},
        "flops_an_image": training_peers.flops_of_an_image(),
        "ours": compare(rates),
        "augmentation_is_computed_with_ranges_of_0": augments_without_ranges(),
        "idle_processor_share": idle,
        "versions": {name: version(name) for name in _PACKAGES},
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    _print(result)


def _print(result: dict[str, Any]) -> None:
    print(f"{'':<43} {'median':>8} {'best':>8}   {'first turn':>10}")
    for row in result["contenders"]:
        unit = "GFLOP/s" if row["unit"] == "gflops" else "images/s"
        print(
            f"{row['whose']:<20} {row['what']:<22} {row['median']:>8,.0f} {row['best']:>8,.0f} "
            f"{unit} {row['first_turn_s']:>8.1f} s"
        )
    for name in result["not_installed"]:
        print(f"{name:<20} not installed")
    print("\nours to the best of each peer, each the median of the rounds' ratios")
    for detail, row in result["ours"].items():
        ratios = ", ".join(f"{name} {ratio:.2f}" for name, ratio in row["ratios"].items())
        print(f"{detail:<22} {ratios}; {row['share_of_float32_peak']:.0%} of the float32 peak")
    if result["augmentation_is_computed_with_ranges_of_0"]:
        print("with ranges of 0 the augmentation changes nothing, but is computed")
    if not result["one_process"]:
        share = max(result["idle_processor_share"].values())
        print(f"processes that waited for their turn took at most {share:.1%} of a core")
    print(f"{result['flops_an_image'] / 1e6:.1f} MFLOP an image and step; written to {OUTPUT}")


if __name__ == "__main__":
    main()
