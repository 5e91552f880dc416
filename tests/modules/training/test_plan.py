"""How the examples of a training are shared out."""

import dataclasses

import jax
import numpy as np
import pytest

from data.task import Task
from modules.models import mlp
from modules.models.network import Network
from modules.training.config import TrainConfig
from modules.training.plan import make_plan, split_rows
from tests.modules.training.small_training import HALVES, SMALL


def balanced(count: int, classes: int = 2) -> np.ndarray:
    return np.arange(count) % classes


@pytest.mark.parametrize(
    ("examples", "batch_size", "expected"),
    [(200, 16, (1, 11)), (200, 2, (2, 47)), (60_000, 64, (18, 49)), (18, 16, (1, 1))],
)
def test_steps_of_an_epoch_on_a_cpu_come_in_calls_of_about_fifty(
    monkeypatch: pytest.MonkeyPatch, examples: int, batch_size: int, expected: tuple[int, int]
) -> None:
    config = TrainConfig(batch_size=batch_size)
    plan = make_plan(HALVES, balanced(examples), config)
    assert (plan.calls, plan.steps, plan.streamed, plan.notes) == (*expected, True, ())
    assert plan.config == config
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    plan = make_plan(HALVES, balanced(examples), config)
    whole = round(examples * 0.95) // batch_size
    assert (plan.calls, plan.steps, plan.streamed) == (1, whole, False)


def test_an_accelerator_takes_some_fifty_steps_a_call_when_it_is_streamed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    count = 64 * 1000
    config = dataclasses.replace(SMALL, batch_size=64, max_bytes=count * 784 * 4)
    assert make_plan(HALVES, balanced(count), config).steps == 950
    streamed = dataclasses.replace(config, max_bytes=config.max_bytes - 1)
    plan = make_plan(HALVES, balanced(count), streamed)
    assert (plan.calls, plan.steps, plan.streamed) == (19, 50, True)
    coloured = Network(mlp.MODEL, Task("colours", (28, 28, 3), ("a", "b")))
    assert make_plan(coloured, balanced(count), config).streamed


def test_a_batch_takes_all_images_where_they_are_few_which_is_said() -> None:
    plan = make_plan(HALVES, balanced(10), SMALL)
    assert (plan.config.batch_size, plan.steps_of_epoch) == (8, 1)
    assert plan.config == dataclasses.replace(SMALL, batch_size=8)
    assert plan.notes == ("a batch takes 8 images, not 16: there are few",)


def test_one_example_is_too_few() -> None:
    with pytest.raises(ValueError, match="^1 training examples are too few: one is held out"):
        split_rows(np.zeros(1, int), SMALL)


@pytest.mark.parametrize(("count", "held_out"), [(2, 1), (17, 1), (200, 10), (1433, 72)])
def test_split_is_disjoint_and_complete(count: int, held_out: int) -> None:
    train_rows, validation_rows = split_rows(np.zeros(count, int), SMALL)
    assert len(validation_rows) == held_out
    both = np.concatenate([train_rows, validation_rows])
    np.testing.assert_array_equal(np.sort(both), np.arange(count))


def test_split_is_by_the_seed() -> None:
    labels, config = balanced(100), TrainConfig(seed=1)
    for part, again in zip(split_rows(labels, config), split_rows(labels, config), strict=True):
        np.testing.assert_array_equal(part, again)
    assert set(split_rows(labels, config)[1]) != set(split_rows(labels, SMALL)[1])


def test_where_chance_has_every_class_in_both_parts_it_decides() -> None:
    order = np.random.default_rng(3).permutation(1433)
    train_rows, validation_rows = split_rows(balanced(1433, 10), TrainConfig(seed=3))
    np.testing.assert_array_equal(validation_rows, order[:72])
    np.testing.assert_array_equal(train_rows, order[72:])


@pytest.mark.parametrize("seed", range(5))
def test_every_class_is_in_both_parts_where_it_has_two_examples(seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat([0, 1, 2, 5, 7], [300, 2, 1, 40, 3]))
    train_rows, validation_rows = split_rows(labels, TrainConfig(seed=seed))
    np.testing.assert_array_equal(
        np.sort(np.concatenate([train_rows, validation_rows])), np.arange(len(labels))
    )
    assert set(labels[train_rows]) == {0, 1, 2, 5, 7}
    found, counts = np.unique(labels[validation_rows], return_counts=True)
    assert dict(zip(found, counts, strict=True)) == {0: 15, 1: 1, 5: 2, 7: 1}


def test_where_every_class_has_one_example_chance_holds_one_out() -> None:
    train_rows, validation_rows = split_rows(np.arange(10), SMALL)
    assert (len(train_rows), len(validation_rows)) == (9, 1)
