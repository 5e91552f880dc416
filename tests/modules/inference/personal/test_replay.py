"""The package's own samples come back in the precision of the file, and only if they fit."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from data.files import file_sha256
from modules.inference.personal import replay, tensor_files
from modules.inference.personal.errors import PersonalError
from modules.inference.personal.manifest import REPLAY_FILE, Manifest
from modules.inference.personal.reservoir import Samples
from tests.modules.inference.personal.test_manifest import WHOLE

FEATURES = np.random.default_rng(0).normal(0, 3, (4, 128)).astype(np.float32)
LABELS = np.array([0, 1, 2, 2], np.int32)
HALVES = FEATURES.astype(np.float16)


def written(folder: Path, **arrays: np.ndarray) -> Manifest:
    """Writes arrays as they are; returns a manifest that says so of four images."""
    path = folder / REPLAY_FILE
    tensor_files.write(path, arrays)
    file = dataclasses.replace(WHOLE.replay, sha256=file_sha256(path), images=4)
    return dataclasses.replace(WHOLE, replay=file)


def test_samples_come_back_as_halves(tmp_path: Path) -> None:
    file = replay.write(Samples(FEATURES, LABELS), tmp_path)
    assert (file.file, file.images) == (REPLAY_FILE, 4)
    found = replay.read(tmp_path, dataclasses.replace(WHOLE, replay=file))
    assert found.features.dtype == np.float32
    np.testing.assert_array_equal(found.features, HALVES)
    np.testing.assert_array_equal(found.labels, LABELS)


def test_what_no_half_can_hold_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not finite, or too large for float16"):
        replay.write(Samples(FEATURES * 1e6, LABELS), tmp_path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"features": FEATURES, "labels": LABELS}, "float32.+, expected "),
        ({"features": HALVES[:, 1:], "labels": LABELS}, r"\(4, 127\).+, expected "),
        ({"features": HALVES[1:], "labels": LABELS[1:]}, r"\(3, 128\).+, expected "),
        ({"features": HALVES}, "expected .+'labels'"),
        ({"features": HALVES, "labels": LABELS + 1}, "labels beyond 0 to 2;"),
        ({"features": HALVES, "labels": LABELS - 1}, "labels beyond 0 to 2;"),
        ({"features": HALVES * np.float16(np.nan), "labels": LABELS}, "that are not finite"),
    ],
)
def test_samples_that_do_not_fit_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    about = written(tmp_path, **arrays)
    with pytest.raises(PersonalError, match=f"{REPLAY_FILE} has .*{message}"):
        replay.read(tmp_path, about)
