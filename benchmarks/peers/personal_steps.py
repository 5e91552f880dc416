"""The time of a training step of a personal model: TFLite's, JAX's and Keras's on TensorFlow.

All have one thread, since their processes have one core. A step has 20 images and is SGD's.
"""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import jax
import numpy as np
import optax

from benchmarks import training_peers
from benchmarks.training_peers import NETWORK
from benchmarks.turns import Contender, Process, Turn
from modules import features as names
from modules import personal_names
from modules.inference import litert
from modules.inference.personal.manifest import MODEL_FILE
from modules.personal.heads import no_penalty
from modules.personal.loading import load_head
from modules.personal.training_step import TrainingStep

BATCH, _FEATURES, _RATE = 20, 256, 0.05
TFLITE, JAX, KERAS = "TFLite", "jax.jit", "Keras"
_LIMITS_MS = {"softmax": 1.0, "mlp": 3.0, "all": 30.0}
_STEPS = {"softmax": 300, "mlp": 300, "all": 10}  # of a turn
_ROUNDS = 7


def measure(packages: dict[str, Path]) -> dict[str, Any]:
    """Returns milliseconds of a step.

    Args:
      packages: made with SGD, by what is trained: "softmax", "mlp" and "all".
    """
    found = {}
    for trained, package in packages.items():
        everyone = [
            Contender(TFLITE, "", TFLITE, partial(_tflite, package, trained)),
            Contender(JAX, "", JAX, partial(_jax, trained)),
            *(
                Contender(KERAS, detail, KERAS, partial(_keras, trained, compiled))
                for detail, compiled in (("", False), ("compiled by XLA", True))
            ),
        ]
        nothing = np.zeros((0, 0), np.float32)
        by_name = {
            name: Process(
                name, [each for each in everyone if each.process == name], nothing, nothing
            )
            for name in (TFLITE, JAX, KERAS)
        }
        rounds: dict[Contender, list[float]] = {each: [] for each in everyone}
        for each in everyone * (_ROUNDS + 1):
            steps, seconds = by_name[each.process].take_turn(each)
            rounds[each].append(1000 * seconds / steps)
        figures = {each.name.rstrip(", "): round(median(rounds[each][1:]), 3) for each in everyone}
        limit = _LIMITS_MS[trained]
        found[trained] = {"ms": figures, "limit_ms": limit, "reached": figures[TFLITE] <= limit}
    return found


def _one_thread() -> None:
    """Leaves this process one core, before any library of it has made its threads."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _batch(size: int, classes: int = NETWORK.task.num_classes) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    labels = np.eye(classes, dtype=np.float32)[random.integers(0, classes, BATCH)]
    return random.random((BATCH, size), np.float32), labels


def _turn(step: Callable[[], Any], trained: str) -> Turn:
    def turn() -> tuple[int, float]:
        started = time.perf_counter()
        for _ in range(_STEPS[trained]):
            step()
        return _STEPS[trained], time.perf_counter() - started

    return turn


def _size(trained: str) -> int:
    return NETWORK.task.num_pixels if trained == "all" else _FEATURES


def _tflite(package: Path, trained: str, *_: np.ndarray) -> Turn:
    _one_thread()
    interpreter = litert.make_interpreter(str(package / MODEL_FILE))
    values = interpreter.get_signature_runner(personal_names.INITIAL)()
    run = interpreter.get_signature_runner(personal_names.TRAIN_STEP)
    rows, labels = _batch(
        _size(trained), int(run.get_input_details()[personal_names.LABELS]["shape"][1])
    )

    def step() -> None:
        nonlocal values
        values = run(**{names.FEATURES: rows, personal_names.LABELS: labels}, **values)
        values.pop(personal_names.LOSS)

    return _turn(step, trained)


def _jax(trained: str, *_: np.ndarray) -> Turn:
    _one_thread()
    size, classes = _size(trained), NETWORK.task.num_classes
    apply, penalty, params = NETWORK.logits, no_penalty, NETWORK.init(0)
    if trained != "all":
        head = load_head(trained, size, classes)
        penalty, params = head.penalty, head.init(jax.random.key(0), size, classes)

        def apply(params: Any, rows: jax.Array) -> jax.Array:
            return head.apply(params, rows, classes)

    of_step = TrainingStep(apply, penalty, optax.sgd(_RATE), params, size, classes)
    rows, labels = _batch(size)
    values, run = of_step.initial(), jax.jit(of_step.step)

    def step() -> None:
        nonlocal values
        values = dict(jax.block_until_ready(run(rows, labels, values)))
        values.pop(personal_names.LOSS)

    return _turn(step, trained)


def _keras(trained: str, compiled: bool, *_: np.ndarray) -> Turn:
    _one_thread()
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    import keras

    hidden = keras.layers.Dense(
        64, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-4)
    )
    output = keras.layers.Dense(
        NETWORK.task.num_classes,
        kernel_regularizer=keras.regularizers.L2(1e-4) if trained == "mlp" else None,
    )
    if trained == "all":
        network = training_peers.keras_network()
    else:
        layers = [hidden, output] if trained == "mlp" else [output]
        network = keras.Sequential([keras.Input((_FEATURES,)), *layers])
    network.compile(
        optimizer=keras.optimizers.SGD(_RATE),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True),
        jit_compile=compiled,
    )
    rows, labels = _batch(_size(trained))
    rows = rows.reshape(BATCH, *network.input_shape[1:])
    return _turn(partial(network.train_on_batch, rows, labels), trained)
