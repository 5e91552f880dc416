"""`python -m examples.some_classes`: a data set of some classes of another one."""

from pathlib import Path

import numpy as np
import pytest

from data.dataset import Dataset
from data.errors import WRONG_SETTING
from data.resolve import resolve_dataset
from data.splits import Split
from examples.some_classes import main
from pipeline.running import environment


def test_some_classes(
    cache_dir: Path,
    digits: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in environment._OWN:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("DATA_CACHE", str(cache_dir))
    file = tmp_path / "new" / "few.npz"
    assert main(["digits", "3,8", str(file)]) == 0
    found = resolve_dataset(str(file), None)
    assert (found.name, found.task.num_classes) == ("few", 2)
    for split in (Split.TRAIN, Split.EVAL):
        images, labels = digits.features(split)
        kept = np.isin(labels, [3, 8])
        np.testing.assert_array_equal(found.features(split)[0], images[kept])
        np.testing.assert_array_equal(found.features(split)[1], labels[kept] == 8)
    counts = found.train_examples, found.eval_examples
    assert capsys.readouterr().out == (
        f"{file}: {counts[0]} training and {counts[1]} test images\n"
    )
    assert main(["digits", "3,8", str(tmp_path / "few.csv")]) == WRONG_SETTING
    assert "expected a file name that ends with .npz" in capsys.readouterr().err
