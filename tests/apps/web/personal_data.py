"""A personal package with what Python does to it, as files for the tests of the page."""

import json
import shutil
from pathlib import Path

import numpy as np

from modules.inference.personal.batches import Mixture
from modules.inference.personal.client import PersonalModel
from tests.modules.inference.personal import packages, states
from tests.modules.inference.personal.packages import images
from tests.modules.inference.personal.states import FRESH

NEW = 7  # a picture that the packages do not know
STEPS = 20


def images_of_all() -> np.ndarray:
    """Returns images float32[12, 6, 6, 1]: three of each class, the new one last."""
    return np.concatenate([images(label, 3, seed=9) for label in (0, 1, 2, NEW)])


def teach(model: PersonalModel) -> None:
    """Adds eight images of a new class, and trains."""
    for image in images(NEW, 8):
        model.add(image, "star ☆")
    model.train(2)


def write(folder: Path, package: Path) -> None:
    """Writes the package, a state of it, batches, and what comes of them.

    Args:
        folder: is made.
        package: is copied.
    """
    shutil.copytree(package, folder)
    model = PersonalModel(package)
    teach(model)
    model.save(folder / "state.safetensors")
    images_of_all().tofile(folder / "images.f32")
    images(NEW, 20).tofile(folder / "new.f32")
    told = [model.infer(image) for image in images_of_all()]
    (folder / "told.json").write_text(json.dumps(told))

    samples = model._reservoir.samples()
    mixture = Mixture(4, packages.BATCH - 4, packages.NUM_CLASSES)
    random = np.random.default_rng(5)
    batches = [
        batch
        for _ in range(STEPS // 2)
        for batch in mixture.epoch(samples, packages.old_samples(10), random)
    ]
    losses = [model._take_step(batch.features, batch.labels) for batch in batches]
    np.stack([batch.features for batch in batches]).tofile(folder / "features.f32")
    np.stack([batch.labels for batch in batches]).tofile(folder / "labels.f32")
    (folder / "losses.json").write_text(json.dumps(losses))
    model.save(folder / "after.safetensors")


def write_states(folder: Path) -> None:
    """Writes a state, and all that is wrong with others of its package.

    Args:
        folder: is made.
    """
    states.write_states(folder)
    fresh = {
        "model": FRESH.model,
        "modelSha256": FRESH.model_sha256,
        "classNames": FRESH.class_names,
        "shapes": {name: [str(each.dtype), each.shape] for name, each in FRESH.values.items()},
        "features": FRESH.samples.features.shape[1],
        "outputs": len(FRESH.seen),
    }
    (folder / "fresh.json").write_text(json.dumps(fresh))
