"""What the library's tests in Java are given: packages, images, states, and what Python makes."""

import json
import shutil
from pathlib import Path

import numpy as np

from data.splits import Split
from modules.inference import litert
from modules.inference.personal.client import PersonalModel
from modules.inference.personal.manifest import MANIFEST_FILE
from tests.apps.web import pixel_data
from tests.modules.inference.personal import packages, states
from tests.modules.inference.personal.states import FRESH
from tests.support.digit_models import DigitModels
from tests.support.pushed_models import push

NUM_IMAGES = 20
NEW = 7  # a picture that the small packages do not know


def write(folder: Path, models: DigitModels, small: dict[str, Path]) -> None:
    """Writes all of it.

    Args:
        folder: is there.
        models: of the digits.
        small: personal packages by their heads.
    """
    levels = np.rint(models.images.reshape(-1, 28, 28) * 255).astype(np.uint8)
    pixel_data.write(folder / "pixels", levels)
    push(folder / "device", models, models.tflite_paths)
    models.images[:NUM_IMAGES].tofile(folder / "images.f32")
    for name, path in models.tflite_paths.items():
        model = litert.load(path)
        rows = [model.logits(model(model.prepare(row[None]))) for row in models.images[:NUM_IMAGES]]
        np.concatenate(rows).tofile(folder / f"{name}.f32")
    shutil.copytree(models.personal_package, folder / "personal")
    _write_digits_state(folder, models)
    for head, package in small.items():
        shutil.copytree(package, folder / head)
    _write_small_state(folder)
    _write_states(folder / "states")
    (folder / "out").mkdir()


def small_images() -> np.ndarray:
    """Returns images float32[12, 6, 6, 1]: three of each class, the new one last."""
    return np.concatenate([packages.images(label, 3, seed=9) for label in (0, 1, 2, NEW)])


def _write_digits_state(folder: Path, models: DigitModels) -> None:
    """Python teaches the digits' package what Java goes on with."""
    labels = models.files.features(Split.TRAIN, 0, 60)[1]
    model = PersonalModel(models.personal_package)
    for image, label in zip(models.images[:30], labels, strict=False):
        model.add(image, str(label))
    for image in models.images[30:36]:
        model.add(image[::-1].copy(), "upside ↓")
    model.train(2)
    model.save(folder / "digits.safetensors")
    _write_told(folder / "digits.json", model, models.images[:NUM_IMAGES])


def _write_small_state(folder: Path) -> None:
    model = PersonalModel(folder / "mlp")
    for image in packages.images(NEW, 60):
        model.add(image, "star ☆")
    for image in packages.images(0, 3):
        model.add(image, "cross")
    model.train(2)
    model.save(folder / "small.safetensors")
    small_images().tofile(folder / "small.f32")
    _write_told(folder / "small.json", model, small_images())


def _write_told(path: Path, model: PersonalModel, images: np.ndarray) -> None:
    path.write_text(json.dumps([model.infer(image) for image in images]))


def _write_states(folder: Path) -> None:
    """Writes a state, all that is wrong with others, and what says which package they are of."""
    states.write_states(folder)
    task = {"image_shape": [1, 3, 1], "label_names": FRESH.class_names}
    about = {
        "schema_version": 1,
        "model": FRESH.model,
        "task": task,
        "label_names": FRESH.class_names,
        "num_classes": len(FRESH.seen),
        "batch_size": 4,
        "features": FRESH.samples.features.shape[1],
        "file": "personal.tflite",
        "sha256": FRESH.model_sha256,
        "replay": None,
    }
    (folder / MANIFEST_FILE).write_text(json.dumps(about))
