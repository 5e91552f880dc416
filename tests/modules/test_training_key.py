"""The key of a training's checkpoints: another result, another key."""

import dataclasses
import re
import shutil
from pathlib import Path

import flax
import jax
import numpy as np
import optax
import pytest

from modules import checkpoints
from modules.images import FLOATS, Images, to_records
from modules.train_config import TrainConfig
from tests.modules.small_training import SMALL, Data

# Those modules of a training that only watch over it.
WATCHERS = {"checkpoints", "divergence"}


def test_the_key_depends_on_data_and_config(halves: Data) -> None:
    images, labels = halves
    dark = images.copy()
    dark[-1, -1] = 0
    relabelled = labels.copy()
    relabelled[-1] ^= 1
    keys = [
        checkpoints.training_key(images, labels, SMALL),
        checkpoints.training_key(dark, labels, SMALL),
        checkpoints.training_key(images, relabelled, SMALL),
        checkpoints.training_key(images[:-1], labels[:-1], SMALL),
        *(
            checkpoints.training_key(images, labels, dataclasses.replace(SMALL, **changed))
            for field in dataclasses.fields(TrainConfig)
            for changed in [{field.name: getattr(SMALL, field.name) + 1}]
        ),
    ]
    assert len(set(keys)) == len(keys)
    assert all(re.fullmatch("[0-9a-f]{16}", key) for key in keys)
    same = checkpoints.training_key(images.copy(order="F"), labels.astype(np.int32), SMALL)
    assert same == keys[0]


def test_the_key_depends_on_what_is_made_of_the_images_and_not_on_how_they_are_kept(
    halves: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are made some at a time; a row more than that makes two."""
    monkeypatch.setattr(checkpoints, "_DIGESTED_AT_ONCE", 199)
    noise, labels = halves
    kept = Images(to_records(noise, labels, FLOATS))
    key = checkpoints.training_key(noise, labels, SMALL)
    assert checkpoints.training_key(kept, labels, SMALL) == key
    brighter = kept.then(lambda images: images + np.float32(1e-6))
    assert checkpoints.training_key(brighter, labels, SMALL) != key
    last = noise.copy()
    last[-1] += 1e-6
    assert checkpoints.training_key(last, labels, SMALL) != key


def test_the_key_depends_on_all_code_that_decides_over_the_result(
    imported_by_training: set[str],
    halves: Data,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    code = Path(checkpoints.__file__).parent
    copy = shutil.copytree(code, tmp_path / "modules", ignore=shutil.ignore_patterns("__pycache__"))
    key = checkpoints.training_key(*halves, SMALL)
    monkeypatch.setattr(checkpoints, "__file__", str(copy / "checkpoints.py"))
    assert checkpoints.training_key(*halves, SMALL) == key
    ours = [name.removeprefix("modules.") for name in imported_by_training if "modules." in name]
    for name in set(ours) - WATCHERS:
        source = copy / f"{name}.py"
        source.write_text(source.read_text() + "\n")
        assert checkpoints.training_key(*halves, SMALL) != key, name
        shutil.copy(code / f"{name}.py", source)


@pytest.mark.parametrize("library", [jax, flax, optax])
def test_the_key_depends_on_the_libraries(
    halves: Data, monkeypatch: pytest.MonkeyPatch, library: object
) -> None:
    key = checkpoints.training_key(*halves, SMALL)
    monkeypatch.setattr(library, "__version__", "0.0.0")
    assert checkpoints.training_key(*halves, SMALL) != key
