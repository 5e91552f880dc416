"""A package of a small network that knows three classes of made-up images, with five outputs."""

import functools
import hashlib
import tempfile
from pathlib import Path

import jax
import numpy as np
import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils

from data.task import Task
from modules import features
from modules import personal_names as names
from modules.export.personalize import merging, training_model
from modules.inference.personal import manifest, replay
from modules.inference.personal.manifest import Manifest
from modules.inference.personal.reservoir import Samples
from modules.personal.heads import Head, mlp_head, softmax_head
from modules.personal.optimizers import make_optimizer
from modules.personal.training_step import TrainingStep

TASK = Task("shapes", (6, 6, 1), ("cross", "line", "ring"))
NUM_CLASSES, BATCH, SIZE = 5, 8, 24
HEADS: dict[str, tuple[Head, str, float]] = {
    "softmax": (softmax_head(), "sgd", 0.5),
    "mlp": (mlp_head(16), "adam", 0.02),
}
_KERNEL = np.random.default_rng(7).normal(0, 0.5, (TASK.num_pixels, SIZE)).astype(np.float32)


def images(label: int, count: int, seed: int = 0) -> np.ndarray:
    """Returns float32[count, 6, 6, 1] of a class: one picture of its own, with noise."""
    picture = np.random.default_rng([1, label]).random(TASK.image_shape)
    noise = np.random.default_rng([2, label, seed]).normal(0, 0.15, (count, *TASK.image_shape))
    return np.clip(picture + noise, 0, 1).astype(np.float32)


def features_of(many: np.ndarray) -> np.ndarray:
    """Returns what the base makes of images: float32[N, SIZE]."""
    return np.maximum(many.reshape(len(many), -1) @ _KERNEL, 0).astype(np.float32)


def old_samples(count: int, seed: int = 1) -> Samples:
    """Returns so many images of each class that the package knows."""
    labels = range(TASK.num_classes)
    return Samples(
        np.concatenate([features_of(images(label, count, seed)) for label in labels]),
        np.repeat(np.arange(TASK.num_classes, dtype=np.int32), count),
    )


@functools.cache
def training_step(name: str) -> TrainingStep:
    """Returns a head's step whose parameters know the old classes already."""
    head, optimizer, rate = HEADS[name]
    step = TrainingStep(
        lambda params, x: head.apply(params, x, NUM_CLASSES),
        head.penalty,
        make_optimizer(optimizer, rate),
        head.init(jax.random.key(0), SIZE, NUM_CLASSES),
        SIZE,
        NUM_CLASSES,
    )
    samples = old_samples(20)
    one_hot = np.eye(NUM_CLASSES, dtype=np.float32)[samples.labels]
    values, take = step.initial(), jax.jit(step.step)
    for _ in range(60):
        values = take(samples.features, one_hot, values)
    params = [np.asarray(values[name]) for name in step.parameter_names()]
    tree = jax.tree.unflatten(jax.tree.structure(step.params), params)
    return TrainingStep(step.apply, step.penalty, step.optimizer, tree, SIZE, NUM_CLASSES)


def make(folder: Path, head: str) -> Path:
    """Writes a package into a folder that it makes, and returns that."""
    folder.mkdir()
    step = training_model.convert(training_step(head), BATCH)
    models = [
        flatbuffer_utils.convert_bytearray_to_object(bytearray(part)) for part in (_base(), step)
    ]
    content = bytes(flatbuffer_utils.convert_object_to_bytearray(merging.merged(models)))
    (folder / manifest.MODEL_FILE).write_bytes(content)
    _, optimizer, rate = HEADS[head]
    about = Manifest(
        schema_version=manifest.SCHEMA_VERSION,
        model=f"small-{head}",
        task=TASK,
        label_names=TASK.label_names,
        num_classes=NUM_CLASSES,
        batch_size=BATCH,
        features=SIZE,
        head=head,
        optimizer=optimizer,
        learning_rate=rate,
        file=manifest.MODEL_FILE,
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        replay=replay.write(old_samples(10), folder),
    )
    manifest.write(about, folder)
    return folder


def _base() -> bytes:
    @tf.function(input_signature=[tf.TensorSpec((1, TASK.num_pixels), name=features.IMAGE_FLOATS)])
    def bottleneck(image_floats: tf.Tensor) -> dict[str, tf.Tensor]:
        return {features.FEATURES: tf.nn.relu(image_floats @ _KERNEL)}

    with tempfile.TemporaryDirectory() as saved:
        tf.saved_model.save(tf.Module(), saved, signatures={names.BOTTLENECK: bottleneck})
        return tf.lite.TFLiteConverter.from_saved_model(saved, [names.BOTTLENECK]).convert()
