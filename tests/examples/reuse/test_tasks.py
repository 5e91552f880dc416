"""What is asked of which images, and which of them are labelled."""

from pathlib import Path

import numpy as np
import pytest

from data.dataset import Dataset
from data.errors import ConfigError
from data.resolve import resolve_dataset
from data.splits import Split
from examples.reuse import tasks
from tests.support.made_data import narrow_digits, write_npz

ANY = np.random.default_rng(0)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Images of 20x30 of the digits 0, 1 and 4."""
    file = tmp_path_factory.mktemp("small") / "small.npz"
    write_npz(file, narrow_digits())
    return resolve_dataset(str(file), None)


@pytest.mark.parametrize(
    ("count", "of_each"), [(2, [0, 1, 1]), (3, [1, 1, 1]), (7, [2, 2, 3]), (16, [2, 5, 9])]
)
def test_labelled_images_are_of_all_classes_alike(count: int, of_each: list[int]) -> None:
    labels = np.repeat([1, 0, 2], [2, 20, 9])
    drawn = [tasks.draw_rows(labels, count, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    for rows in drawn:
        assert len(set(rows)) == count
        if count < 16:
            assert sorted(np.bincount(labels[rows], minlength=3)) == of_each
    assert drawn[0].tolist() == drawn[1].tolist() != drawn[2].tolist()


def test_a_class_that_is_used_up_leaves_the_others_more() -> None:
    labels = np.repeat([1, 0, 2], [2, 20, 9])
    rows = tasks.draw_rows(labels, 16, np.random.default_rng(0))
    assert np.bincount(labels[rows]).tolist() == [7, 2, 7]


def test_what_is_asked_of_digits(digits: Dataset) -> None:
    parity, loop, turn = tasks.tasks_of(digits)
    labels = np.arange(10)
    images = np.arange(10 * 9, dtype=np.uint8).reshape(10, 3, 3, 1)
    assert parity.ask(images, labels, ANY)[1].tolist() == [0, 1] * 5
    kept, answers = loop.ask(images, labels, ANY)
    assert dict(zip(kept[:, 0, 0, 0] // 9, answers, strict=True)) == (
        {0: 1, 1: 0, 2: 0, 3: 0, 5: 0, 6: 1, 7: 0, 8: 1, 9: 1}
    )
    many = np.repeat(images, 20, axis=0)
    turned, quarters = turn.ask(many, np.zeros(200), ANY)
    assert set(quarters) == {0, 1, 2, 3}
    for image, original, count in zip(turned, many, quarters, strict=True):
        np.testing.assert_array_equal(image, np.rot90(original, count))
    assert [task.num_classes for task in (parity, loop, turn)] == [2, 2, 4]
    assert "gives the answer away" in parity.note and "no label" in turn.note


def test_some_classes_and_all_of_them(small: Dataset) -> None:
    [every] = tasks.tasks_of(small)
    assert (every.name, every.num_classes) == ("small: 0 1 4", 3)
    some = tasks.classes_of(small, ["4", "1"])
    images = np.zeros((4, 20, 30, 1), np.uint8)
    kept, labels = some.ask(images, np.array([0, 1, 2, 1]), ANY)
    assert (len(kept), labels.tolist()) == (3, [0, 1, 0])
    with pytest.raises(ConfigError, match="small has no class '2'; expected some of 0, 1, 4"):
        tasks.classes_of(small, ["2"])
    with pytest.raises(ConfigError, match="expected at least two"):
        tasks.classes_of(small, ["1", "1"])


def test_the_parts_of_a_pool_share_no_image(small: Dataset, tmp_path: Path) -> None:
    pool = tasks.make_pool(small, tasks.classes_of(small, ["1", "4"]), 20)
    train, validation, test = pool.train[0], pool.validation[0], pool.test[0]
    assert len(validation) == (len(train) + len(validation)) // 5
    official = {image.tobytes() for image in small.features(Split.EVAL)[0]}
    training = {image.tobytes() for image in small.features(Split.TRAIN)[0]}
    assert len(test) == 20 and {image.tobytes() for image in test} <= official
    held_out = {image.tobytes() for image in validation}
    drawn, labels = pool.draw(40, seed=3)
    assert {image.tobytes() for image in drawn} <= training - held_out
    assert np.bincount(labels).tolist() == [20, 20]
    assert drawn.dtype == np.float32 and drawn.max() <= 1
    with pytest.raises(ConfigError, match=r"--images 999: only 232 training images are there"):
        pool.draw(999, seed=0)
    assert len(tasks.make_pool(small, pool.task, 10_000).test[0]) > 20
