"""The key of a training's checkpoints: another result, another key."""

import dataclasses
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from data.files import PROJECT_ROOT
from modules.examples.images import Images, to_records
from modules.provenance import fingerprint
from modules.provenance.import_closure import Code
from modules.training.config import TrainConfig
from modules.training.job import TrainingJob
from modules.training.saved import checkpoints
from tests.modules.training.small_training import HALVES, SMALL, Data

JOB = TrainingJob(HALVES.task, "cnn", SMALL, digests=("of the model",))


def test_the_key_depends_on_the_data_and_on_the_job(halves: Data) -> None:
    images, labels = halves
    dark = images.copy()
    dark[-1, -1] = 0
    relabelled = labels.copy()
    relabelled[-1] ^= 1
    keys = [
        checkpoints.training_key(images, labels, JOB),
        checkpoints.training_key(dark, labels, JOB),
        checkpoints.training_key(images, relabelled, JOB),
        checkpoints.training_key(images[:-1], labels[:-1], JOB),
        *(
            checkpoints.training_key(images, labels, dataclasses.replace(JOB, **changed))
            for changed in (
                {"digests": ("of another model",)},
                {"task": dataclasses.replace(HALVES.task, label_names=("a", "b", "c"))},
                *(
                    {"train": dataclasses.replace(SMALL, **{name: getattr(SMALL, name) + 1})}
                    for name in (field.name for field in dataclasses.fields(TrainConfig))
                ),
            )
        ),
    ]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch("[0-9a-f]{16}", key) for key in keys)
    same = checkpoints.training_key(images.copy(order="F"), labels.astype(np.int32), JOB)
    assert same == keys[0]


def test_the_key_depends_on_what_is_made_of_the_images_and_not_on_how_they_are_kept(
    halves: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are made some at a time; a row more than that makes two."""
    monkeypatch.setattr(checkpoints, "_DIGESTED_AT_ONCE", 199)
    noise, labels = halves
    kept = Images(to_records(noise, labels, np.float32))
    key = checkpoints.training_key(noise, labels, JOB)
    assert checkpoints.training_key(kept, labels, JOB) == key
    brighter = kept.then(lambda images: images + np.float32(1e-6))
    assert checkpoints.training_key(brighter, labels, JOB) != key
    last = noise.copy()
    last[-1] += 1e-6
    assert checkpoints.training_key(last, labels, JOB) != key


def copied_modules(folder: Path) -> Path:
    """Copies modules/, less the files that other processes may be writing."""
    ignored = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(PROJECT_ROOT / "modules", folder / "modules", ignore=ignored)


def test_the_key_depends_on_all_code_that_decides_over_the_result(
    imported_by_training: set[str], halves: Data, tmp_path: Path
) -> None:
    code = copied_modules(tmp_path)

    def key() -> str:
        return checkpoints.training_key(*halves, JOB, Code(tmp_path))

    before = key()
    assert before == checkpoints.training_key(*halves, JOB)
    assert {"models.network", "models.adapters.nnx", "training.feed", "training.loop"} <= {
        name.removeprefix("modules.") for name in imported_by_training
    }
    for source in code.rglob("*.py"):
        original = source.read_text()
        source.write_text(original + "\n# edited\n")
        parts = source.relative_to(tmp_path).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        assert (key() != before) == (name in imported_by_training), name
        source.write_text(original)


def test_the_key_depends_on_the_libraries(halves: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    key = checkpoints.training_key(*halves, JOB)
    real = fingerprint.versions
    monkeypatch.setattr(fingerprint, "versions", lambda names: {**real(names), "jaxlib": "0.0.0"})
    assert checkpoints.training_key(*halves, JOB) != key
