"""Whether steps run in a loop: as the network says, or else by the clock."""

import re

import jax
import numpy as np
import pytest

from data.task import Task
from modules.models import cnn, linen, mlp
from modules.models.network import Network
from modules.training import loop, pace
from tests.modules.training.small_training import (
    FOUR_STEPS,
    HALVES,
    SMALL,
    Data,
    assert_close,
    make_few,
)

PLAIN = Network(linen(lambda task: cnn.CNN(task.num_classes)), HALVES.task)
UNKNOWN = Network(mlp.MODEL, HALVES.task)
# Seconds that a run of one step and one of several in a loop take, by what should be chosen.
CLOCKS = {"single": (1.0, 2.1 * 4), "loop": (1.0, 1.9 * 4)}


def runs_of(
    network: Network, data: Data, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[pace.Run], loop.TrainResult]:
    """Trains; returns the runs of a call, too."""
    chosen: list[list[pace.Run]] = []
    choose = pace.choose

    def watched(*arguments: object, **more: object) -> list[pace.Run]:
        chosen.append(choose(*arguments, **more))
        return chosen[-1]

    monkeypatch.setattr(pace, "choose", watched)
    result = loop.train(network, *data, SMALL)
    monkeypatch.undo()
    [runs] = chosen
    return runs, result


class Clock:
    """Moves on, between two looks at it, by what was set for a run."""

    def __init__(self, single: float, loop: float) -> None:
        self._seconds, self._looks = [single] * 2 + [loop] * 2, 0
        self._order = [loop] * 2 + [single] * 2  # the loop is timed first
        self._now = 0.0

    def __call__(self) -> float:
        self._looks += 1
        if self._looks % 2 == 0:
            self._now += self._order[self._looks // 2 - 1]
        return self._now


@pytest.mark.parametrize("expected", CLOCKS)
def test_single_steps_are_taken_when_they_are_clearly_faster(
    halves: Data, monkeypatch: pytest.MonkeyPatch, expected: str
) -> None:
    monkeypatch.setattr(pace.time, "perf_counter", Clock(*CLOCKS[expected]))
    runs, result = runs_of(UNKNOWN, halves, monkeypatch)
    steps = [run.steps for run in runs]
    assert steps == ([1] * 11 if expected == "single" else [4, 4, 1, 1, 1])
    assert result.history[-1].validation_accuracy == 1


def test_both_ways_train_alike_on_the_same_batches(
    halves: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for clock in CLOCKS.values():
        with monkeypatch.context() as patch:
            patch.setattr(pace.time, "perf_counter", Clock(*clock))
            found.append(loop.train(UNKNOWN, *halves, SMALL).variables)
    assert_close(*found, 1e-4)


def test_a_network_that_is_known_to_be_fast_in_a_loop_is_not_timed(
    halves: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace.time, "perf_counter", lambda: pytest.fail("timed"))
    runs, _ = runs_of(HALVES, halves, monkeypatch)
    assert [run.steps for run in runs] == [11]


def test_a_single_step_is_in_no_loop(halves: Data, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in one of a single turn either, in which XLA's convolution would be as slow."""
    monkeypatch.setattr(pace.time, "perf_counter", Clock(*CLOCKS["single"]))
    runs, _ = runs_of(PLAIN, halves, monkeypatch)
    assert [run.steps for run in runs] == [1] * 11
    loops = re.findall(r" while\(.*op_name=\"([^\"]*)\"", runs[0].train_steps.as_text())
    assert "jit(steps)/while" not in loops  # those that are left draw random numbers


def test_the_loop_of_a_fast_network_has_no_convolution_of_xla(
    halves: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    [run], _ = runs_of(HALVES, halves, monkeypatch)
    text = run.train_steps.as_text()
    assert " while(" in text and " dot(" in text
    assert " convolution(" not in text and "conv_general" not in text


def test_networks_with_the_same_parameters_train_alike_whatever_the_formulation(
    four_steps: loop.TrainResult,
) -> None:
    result = loop.train(PLAIN, *make_few(), FOUR_STEPS)
    assert_close(result.variables, four_steps.variables, 1e-4)
    assert any(
        np.any(ours != theirs)
        for ours, theirs in zip(
            jax.tree.leaves(result.variables), jax.tree.leaves(four_steps.variables), strict=True
        )
    )


def test_where_the_fast_formulation_cannot_serve_it_steps_aside() -> None:
    for shape, serves in (((4, 4, 1), True), ((5, 7, 3), True), ((3, 8, 1), False)):
        network = Network(cnn.MODEL, Task("small", shape, ("a", "b")))
        assert network.loops_fast_on_cpu == serves
