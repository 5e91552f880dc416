"""What a personal model is measured against: means of classes, and training the whole network anew.

They learn from the same images as it does, and are told more: they have the training images.
"""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from modules.export.personalize import package
from modules.export.personalize.bases import Base
from modules.inference.personal import manifest
from modules.inference.personal.images import as_floats
from modules.inference.personal.signatures import Signatures
from modules.inference.personal.simulation import Learn, Predict
from modules.models.network import Network
from modules.personal.options import Options

_BATCH, _RATE = 64, 0.01


def nearest_class_mean(folder: Path, images: np.ndarray, labels: np.ndarray) -> Learn:
    """Returns a classifier by the nearest mean of a class, on the features of a package.

    The mean of a class is halfway between those of the training images and of the person's.

    Args:
      folder: of the package.
      images: raw training images float32[N, pixels].
      labels: int64[N].
    """
    described = manifest.read(folder)
    signatures = Signatures((folder / described.file).read_bytes(), described)

    def features(many: np.ndarray) -> np.ndarray:
        return np.stack([signatures.features(as_floats(each, described.task)) for each in many])

    rows, known = features(images), len(described.label_names)
    shipped = [rows[labels == label].mean(axis=0) for label in range(known)]

    def learn(given: np.ndarray, given_labels: np.ndarray) -> Predict:
        means = list(shipped)
        own = features(given) if len(given) else rows[:0]
        for label in np.unique(given_labels):
            mean = own[given_labels == label].mean(axis=0)
            if label < known:
                means[label] = (shipped[label] + mean) / 2
            else:
                means.append(mean)
        centres = np.array(means)

        def predict(tested: np.ndarray) -> np.ndarray:
            apart = features(tested)[:, np.newaxis] - centres
            return np.square(apart).sum(axis=2).argmin(axis=1)

        return predict

    return learn


def full_retraining(
    base: Base, network: Network, images: np.ndarray, labels: np.ndarray, steps: int = 100
) -> Learn:
    """Returns the whole network, trained further by JAX on a person's and training images.

    A batch has 32 of each.

    Args:
      base: of "all": it makes pixels for the network.
      network: whose task it is.
      images: raw training images float32[N, pixels].
      labels: int64[N].
      steps: for each person.
    """
    task, half = network.task, _BATCH // 2
    options = Options("all", "momentum", _RATE, _BATCH)
    of_step = package.training_step_of(base, task, options)
    step, infer = jax.jit(of_step.step), jax.jit(of_step.infer)
    rows, one_hot = base.features(images), np.eye(task.num_classes, dtype=np.float32)

    def learn(given: np.ndarray, given_labels: np.ndarray) -> Predict:
        values: dict[str, Any] = of_step.initial()
        random = np.random.default_rng(0)
        if len(given):
            own = base.features(_flat(given))
            for _ in range(steps):
                mine, others = (
                    random.integers(len(own), size=half),
                    random.integers(len(rows), size=half),
                )
                batch = np.concatenate([own[mine], rows[others]])
                classes = np.concatenate([given_labels[mine], labels[others]])
                values = dict(step(batch, one_hot[classes], values))
                values.pop("loss")

        def predict(tested: np.ndarray) -> np.ndarray:
            (logits,) = infer(base.features(_flat(tested)), values).values()
            return np.asarray(logits).argmax(axis=1)

        return predict

    return learn


def _flat(images: np.ndarray) -> np.ndarray:
    return np.asarray(images, np.float32).reshape(len(images), -1)
