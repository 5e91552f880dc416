"""The stages of the pipeline's graph: every node once, in order, with all that it waits for."""

from graphlib import CycleError

import pytest

from pipeline.metadata.runs import NodeTime
from pipeline.report import pipeline_graph
from pipeline.report.pipeline_graph import stages, without_shortcuts
from tests.support.report.report_pages import FULL_GRAPH, GRAPH, TIMES

CHAIN_WITH_BYPASSES = {
    "a": [],
    "b": ["a"],
    "c": ["b"],
    "d": ["c", "a"],
    "e": ["a"],
    "f": ["e", "d"],
}
WIDE = {"a": [], **{f"b{i}": ["a"] for i in range(9)}, "c": [f"b{i}" for i in range(0, 9, 2)]}
LONG_LINES = {
    "a": [],
    "x": [],
    "b": ["a"],
    "c": ["b"],
    "d": ["c", "x"],
    "y": ["x"],
    "z": ["y", "d"],
}
DENSE = {**{node: [] for node in "abcd"}, **{node: list("abcd") for node in "efgh"}}
SEARCHED = FULL_GRAPH | {
    "Tuner": FULL_GRAPH["Trainer"],
    "Trainer": [*FULL_GRAPH["Trainer"], "Tuner"],
}
GRAPHS = {
    "part": GRAPH,
    "full": FULL_GRAPH,
    "searched": SEARCHED,
    "bypasses": CHAIN_WITH_BYPASSES,
    "wide": WIDE,
    "long": LONG_LINES,
    "dense": DENSE,
}


def test_shortcuts_are_left_out() -> None:
    assert without_shortcuts(GRAPH) == {
        "ExampleGen": [],
        "Trainer": ["ExampleGen"],
        "Quantizer.int8": ["Trainer"],
        "Evaluator": ["Trainer"],
        "Evaluator.int8": ["Quantizer.int8"],
        "Comparison": ["Evaluator", "Evaluator.int8"],
        "Pusher": ["Evaluator"],
        "Pusher.device": ["Comparison"],
        "Report": ["Pusher", "Pusher.device"],
    }


@pytest.mark.parametrize("upstream", GRAPHS.values(), ids=GRAPHS)
def test_every_node_is_below_all_that_it_takes_from_and_right_below_some(
    upstream: pipeline_graph.Upstream,
) -> None:
    rows = {step.node: row for row, stage in enumerate(stages(upstream, {})) for step in stage}
    for node, direct in upstream.items():
        assert rows[node] == 1 + max((rows[other] for other in direct), default=-1)


@pytest.mark.parametrize("upstream", GRAPHS.values(), ids=GRAPHS)
def test_every_node_is_shown_once_and_each_stage_is_in_their_order(
    upstream: pipeline_graph.Upstream,
) -> None:
    shown = [[step.node for step in stage] for stage in stages(upstream, {})]
    assert sorted(node for stage in shown for node in stage) == sorted(upstream)
    for stage in shown:
        assert stage == [node for node in upstream if node in stage]


@pytest.mark.parametrize("upstream", GRAPHS.values(), ids=GRAPHS)
def test_steps_tell_the_edges(upstream: pipeline_graph.Upstream) -> None:
    """Those of the stage above, all of them, or those that are named."""
    told, above = set(), []
    for stage in stages(upstream, {}):
        told |= {(other, step.node) for step in stage for other in step.after or above}
        above = [step.node for step in stage]
    reduced = without_shortcuts(upstream)
    assert told == {(other, node) for node, direct in reduced.items() for other in direct}


def test_what_the_stage_above_tells_is_not_named() -> None:
    after = {step.node: step.after for stage in stages(GRAPH, {}) for step in stage}
    assert after == {
        "ExampleGen": (),
        "Trainer": (),
        "Quantizer.int8": (),
        "Evaluator": (),
        "Evaluator.int8": ("Quantizer.int8",),
        "Pusher": ("Evaluator",),
        "Comparison": ("Evaluator", "Evaluator.int8"),
        "Pusher.device": (),
        "Report": ("Pusher", "Pusher.device"),
    }


def test_longest_chain_stands_at_the_left() -> None:
    left = {stage[0].node for stage in stages(FULL_GRAPH, {})}
    beside = {"CuratedSchema", "Pusher", "RuntimeParity"}
    chain = {node for node in FULL_GRAPH if "." not in node} - beside
    assert left == {*chain, "Pusher.device"}


def test_steps_have_their_times() -> None:
    steps = {step.node: step for stage in stages(GRAPH, TIMES) for step in stage}
    assert steps["ExampleGen"].time == NodeTime(3.681, True)
    assert steps["Trainer"].share == 1
    assert steps["ExampleGen"].share == pytest.approx(3.681 / 311.996)
    assert (steps["Report"].time, steps["Report"].share) == (None, 0)
    assert steps["Pusher.device"].names == ("Pusher", "device")
    assert steps["Pusher"].names == ("Pusher", "")


def test_times_of_zero_can_be_shown() -> None:
    assert stages({"a": []}, {"a": NodeTime(0, False)})[0][0].share == 0


def test_cycle_is_an_error() -> None:
    with pytest.raises(CycleError):
        stages({"a": ["b"], "b": ["a"]}, {})
