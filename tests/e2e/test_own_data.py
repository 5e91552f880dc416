"""A data set of one's own: here, a part of the real MNIST, in a folder of four IDX files."""

import os
from pathlib import Path

import pytest

from data.forms.idx import read_range, write_idx
from data.forms.idx_names import FILE_NAMES, existing
from tests.e2e.support.in_process import run_here

MNIST_DIR = os.environ.get("MNIST_DIR")
TRAIN_IMAGES, EVAL_IMAGES = 2000, 1000


@pytest.mark.skipif(not MNIST_DIR, reason="MNIST_DIR is not set")
def test_a_part_of_mnist_in_a_folder_is_trained_and_pushed(tmp_path: Path) -> None:
    folder = tmp_path / "part-of-mnist"
    folder.mkdir()
    for name in FILE_NAMES:
        path = existing(Path(MNIST_DIR or ""), name)
        count = TRAIN_IMAGES if name.startswith("train") else EVAL_IMAGES
        write_idx(folder / name, read_range(path, 0, count))

    run = run_here(
        DATASET=folder,
        OUTPUT=tmp_path / "output",
        RECIPES="float32",
        EPOCHS="5",
        MIN_ACCURACY="0.9",
    )

    assert run.status == 0, run.text
    comparison = run.comparison()
    assert comparison["dataset"] == {
        "name": "part-of-mnist",
        "train_examples": TRAIN_IMAGES,
        "eval_examples": EVAL_IMAGES,
        "image_size": None,
    }
    server, device = comparison["models"]
    assert server["metrics"]["accuracy"] > 0.93
    assert device["agreement"] == 1.0 and device["max_abs_logit_difference"] <= 1e-4
    assert len(run.pushed()) == 2
