"""Converted models against their peers: bytes, and the time of an image in batches of 1 and 256.

Peers are the same CNN in Keras, with the same weights, and jax2tf's plain conversion with a batch
of any size; every file starts from raw images. The network is trained for an epoch on the offline
digits. What is timed is set_tensor, invoke and get_tensor in LiteRT, with XNNPACK and one thread,
in processor time: on an idle machine the same as by the clock, on a busy one without what others
take. The models take turns in changing order, each turn in a new interpreter; figures and ratios
are medians over the rounds. Takes about three minutes; writes output/bench/tflite_latency.json.
"""

import itertools
import json
import os
import random
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from benchmarks.peers import tflite_peers
from benchmarks.peers.training_peers import NETWORK
from data.digits import make_digits
from data.files import PROJECT_ROOT
from data.finding.opening import open_data
from data.splits import Split
from modules.examples import tf_examples
from modules.export import logit_checks, tflite
from modules.export.recipes import DYNAMIC_RANGE, FLOAT32, INT8
from modules.export.trained import Trained
from modules.inference import litert
from modules.training import loop
from modules.training.config import TrainConfig
from tests.support.digit_models import analyze

OUTPUT = PROJECT_ROOT / "output" / "bench" / "tflite_latency.json"
OURS, KERAS, POLYMORPHIC = "ours", "keras", "polymorphic"
# Ours over Keras's is at most this, the polymorphic one's over ours at least.
_TARGETS = {
    (KERAS, "float32"): {"bytes": 1.0, "batch_1_us": 1.05, "batch_256_us": 1.0},
    (KERAS, "dynamic_range"): {"bytes": 1.0, "batch_1_us": 1.05, "batch_256_us": 1.0},
    (KERAS, "int8"): {"bytes": 1.0, "batch_1_us": 1.0},
    (POLYMORPHIC, "float32"): {"batch_1_us": 2.0, "batch_256_us": 4.0},
    (POLYMORPHIC, "dynamic_range"): {"batch_1_us": 8.0},
}
_RECIPES = (FLOAT32, DYNAMIC_RANGE, INT8)
_BATCH_SIZES = {"batch_1_us": 1, "batch_256_us": 256}
_ROUNDS, _SECONDS_A_TURN = 25, 0.05
_PACKAGES = ("ai-edge-litert", "tensorflow", "jax", "flax", "keras")

_Key = tuple[str, str]  # whose model, recipe


class Example(NamedTuple):
    """A trained network with the graph before it, and what JAX computes."""

    trained: Trained
    images: np.ndarray  # raw, float32[N, 784]
    logits: np.ndarray  # float32[N, classes]


def train(folder: Path) -> Example:
    """Trains for one epoch on the offline digits, which are written into `folder`."""
    make_digits(folder / "digits")
    files = open_data(folder / "digits")
    images, labels = files.features(Split.TRAIN)
    tft_output = analyze(images, folder)
    pixels = tf_examples.normalize(images, tft_output)
    variables = loop.train(NETWORK, pixels, labels, TrainConfig(epochs=1)).variables
    trained = Trained(NETWORK, variables, tft_output)
    return Example(trained, images, loop.predict(NETWORK, variables, pixels))


def save_all(example: Example, folder: Path) -> tuple[dict[_Key, str], dict[str, str], float]:
    """Converts the network by every recipe, ours and the peers'.

    Returns:
      Paths of the TFLite files; what could not be converted, with the reason; and the largest
      difference between Keras's logits and JAX's, before any conversion.

    Raises:
      export_checks.ExportMismatchError: Keras's model computes something else than JAX.
    """
    white = np.ones((1, NETWORK.task.num_pixels), np.float32)
    graph, params = example.trained.tft_output, example.trained.variables["params"]
    lowest, highest = tf_examples.normalize(np.concatenate([0 * white, white]), graph)
    scale = highest[0] - lowest[0]
    mean = -lowest[0] / scale

    keras_model = tflite_peers.make_keras_model(params, mean, scale)
    keras_logits = keras_model.predict(example.images, verbose=0)
    logit_checks.check_logits("Keras model", example.logits, keras_logits)
    saved_models = {name: str(folder / f"{name}_saved_model") for name in (KERAS, POLYMORPHIC)}
    keras_model.export(saved_models[KERAS], verbose=False)
    tflite_peers.save_polymorphic(params, mean, scale, saved_models[POLYMORPHIC])

    paths, failures = {}, {}
    representative = example.images[::3]
    for recipe in _RECIPES:
        directory = folder / OURS / recipe.name
        directory.mkdir(parents=True)
        paths[OURS, recipe.name] = tflite.save_tflite(
            example.trained, recipe, str(directory), representative
        ).path
        for peer, saved_model in saved_models.items():
            path = folder / f"{peer}_{recipe.name}.tflite"
            try:
                path.write_bytes(tflite_peers.convert(saved_model, recipe, representative))
                paths[peer, recipe.name] = str(path)
            except RuntimeError as error:
                failures[f"{peer} {recipe.name}"] = f"not converted, {error!r}; stderr says why"
    return paths, failures, float(np.abs(keras_logits - example.logits).max())


def _load(path: str, batch_size: int) -> litert.LoadedModel:
    interpreter = litert.make_interpreter(path)
    index = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(index, [batch_size, NETWORK.task.num_pixels])
    return litert.LoadedModel(interpreter)


def time_all(paths: dict[_Key, str], images: np.ndarray) -> dict[str, dict[_Key, np.ndarray]]:
    """Returns microseconds an image float64[rounds], by batch size and model.

    Args:
      paths: of the TFLite files.
      images: raw float32[N, 784], of which the first are run.
    """
    order = random.Random(0)
    times = {figure: {key: [] for key in paths} for figure in _BATCH_SIZES}
    for _ in range(_ROUNDS):
        for figure, size in _BATCH_SIZES.items():
            for key in order.sample(list(paths), len(paths)):
                run, batch, calls = _load(paths[key], size), images[:size], []
                run(batch)
                while sum(calls) < _SECONDS_A_TURN:
                    started = time.process_time()
                    run(batch)
                    calls.append(time.process_time() - started)
                times[figure][key].append(np.median(calls) * 1e6 / size)
    return {
        figure: {key: np.array(rounds) for key, rounds in of_figure.items()}
        for figure, of_figure in times.items()
    }


def agreement(path: str, example: Example) -> float:
    """Returns the share of the images on which the TFLite model has JAX's argmax."""
    found = _load(path, len(example.images))(example.images)
    return float(np.mean(found.argmax(axis=1) == example.logits.argmax(axis=1)))


def compare(figures: dict[str, dict[_Key, np.ndarray]]) -> list[dict[str, Any]]:
    """Returns every ratio: ours over Keras's, and the polymorphic one's over ours.

    Args:
      figures: by name and model, one for each round or one alone.
    """
    rows = []
    for (peer, recipe), figure in itertools.product(figures["bytes"], figures):
        if peer == OURS:
            continue
        ours, theirs = figures[figure][OURS, recipe], figures[figure][peer, recipe]
        ratio = float(np.median(ours / theirs if peer == KERAS else theirs / ours))
        target = _TARGETS.get((peer, recipe), {}).get(figure)
        reached = None
        if target is not None:
            reached = ratio <= target if peer == KERAS else ratio >= target
        rows.append(
            {"recipe": recipe, "peer": peer, "figure": figure, "ratio": round(ratio, 3)}
            | {"target": target, "reached": reached}
        )
    return rows


def main() -> None:
    """Measures everything, prints it and writes the JSON file."""
    with tempfile.TemporaryDirectory() as name:
        example = train(Path(name))
        paths, failures, keras_difference = save_all(example, Path(name))
        sizes = {key: np.array([os.path.getsize(path)]) for key, path in paths.items()}
        figures = {"bytes": sizes, **time_all(paths, example.images)}
        agreements = {key: agreement(path, example) for key, path in paths.items()}
    models = [
        {"made_by": key[0], "recipe": key[1]}
        | {figure: round(float(np.median(row[key])), 1) for figure, row in figures.items()}
        | {"bytes": int(sizes[key][0]), "agreement": round(agreements[key], 4)}
        for key in paths
    ]
    result = {
        "parameters": sum(leaf.size for leaf in jax.tree.leaves(example.trained.variables)),
        "largest_logit_difference_of_keras_to_jax": keras_difference,
        "models": models,
        "failures": failures,
        "ratios": compare(figures),
        "versions": {name: version(name) for name in _PACKAGES},
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    _print(result)


def _print(result: dict[str, Any]) -> None:
    print(
        f"{result['parameters']:,} parameters; Keras's logits are within "
        f"{result['largest_logit_difference_of_keras_to_jax']:.0e} of JAX's\n\n"
        f"{'made by':<12} {'recipe':<14} {'bytes':>10} {'µs at batch 1':>14} {'at batch 256':>13} "
        f"{'as JAX':>8}"
    )
    for row in result["models"]:
        print(
            f"{row['made_by']:<12} {row['recipe']:<14} {row['bytes']:>10,.0f} "
            f"{row['batch_1_us']:>14,.1f} {row['batch_256_us']:>13,.1f} "
            f"{row['agreement']:>8.2%}"
        )
    for name, reason in result["failures"].items():
        print(f"{name}: {reason}")
    print()
    for row in result["ratios"]:
        ratio = "ours / keras" if row["peer"] == KERAS else "polymorphic / ours"
        verdict = ""
        if row["target"] is not None:
            bound = "at most" if row["peer"] == KERAS else "at least"
            verdict = f"{bound} {row['target']:g}: {'reached' if row['reached'] else 'MISSED'}"
        line = (
            f"{row['recipe']:<14} {row['figure']:<13} {ratio:<19} {row['ratio']:>7.3f}  {verdict}"
        )
        print(line.rstrip())
    print(f"written to {OUTPUT}")


if __name__ == "__main__":
    main()
