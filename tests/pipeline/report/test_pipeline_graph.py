"""The layout of the pipeline's graph: order, no overlaps, and lines that meet their boxes."""

import itertools
import re
from graphlib import CycleError

import pytest

from pipeline.metadata.runs import NodeTime
from pipeline.report import pipeline_graph
from pipeline.report.pipeline_graph import BOX_HEIGHT, BOX_WIDTH, lay_out, without_shortcuts
from tests.pipeline.report.report_pages import FULL_GRAPH, GRAPH, TIMES

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


def _corners(line: str) -> list[tuple[str, tuple[float, float]]]:
    """Returns the commands of an SVG path of M, V, H, v and q, each with the point it leads to.

    A round corner leads to where it would be if it were sharp.
    """
    x, y = 0.0, 0.0
    found = []
    for command, arguments in re.findall(r"([MVHvq])([-\d. ]+)", line):
        numbers = list(map(float, arguments.split()))
        match command:
            case "M":
                x, y = numbers
            case "H":
                x = numbers[0]
            case "V":
                y = numbers[0]
            case "v":
                y += numbers[0]
            case "q":
                found.append((command, (x + numbers[0], y + numbers[1])))
                x, y = x + numbers[2], y + numbers[3]
                continue
        found.append((command, (x, y)))
    return found


def _ends(line: str) -> tuple[tuple[float, float], tuple[float, float]]:
    corners = _corners(line)
    return corners[0][1], corners[-1][1]


def _sideways(line: str) -> list[float]:
    return [y for command, (_, y) in _corners(line) if command == "H"]


def _straight_parts(line: str) -> list[tuple[bool, float, float, float]]:
    """Returns (is vertical, where, from, to) of each part, as if no corner were round."""
    points = [point for _, point in _corners(line)]
    return [
        (True, x1, *sorted((y1, y2))) if x1 == x2 else (False, y1, *sorted((x1, x2)))
        for (x1, y1), (x2, y2) in itertools.pairwise(points)
    ]


@pytest.mark.parametrize("upstream", GRAPHS.values(), ids=GRAPHS)
def test_every_node_is_below_what_it_takes_from_and_none_overlap(
    upstream: pipeline_graph.Upstream,
) -> None:
    graph = lay_out(upstream, {})
    places = {box.node: box for box in graph.boxes}
    assert places.keys() == upstream.keys()
    for node, direct in upstream.items():
        assert all(places[other].y + BOX_HEIGHT < places[node].y for other in direct)
    for one, other in itertools.combinations(graph.boxes, 2):
        assert abs(one.x - other.x) > BOX_WIDTH or abs(one.y - other.y) > BOX_HEIGHT
    for box in graph.boxes:
        assert 0 <= box.x <= graph.width - BOX_WIDTH
        assert 0 <= box.y <= graph.height - BOX_HEIGHT


@pytest.mark.parametrize("upstream", GRAPHS.values(), ids=GRAPHS)
def test_lines_lead_from_box_to_box_as_the_edges_do(upstream: pipeline_graph.Upstream) -> None:
    graph = lay_out(upstream, {})

    def box_at(x: float, y: float, edge: int) -> str | None:
        for box in graph.boxes:
            if box.y + edge == y and box.x < x < box.x + BOX_WIDTH:
                return box.node
        return None

    following = {}
    for start, end in map(_ends, graph.lines):
        following.setdefault(start, set()).add(end)

    def reached(point: tuple[float, float]) -> set[str]:
        if node := box_at(*point, 0):
            assert point in graph.tips
            return {node}
        return set().union(*map(reached, following[point]))

    drawn = {
        (box_at(*start, BOX_HEIGHT), node)
        for start in following
        if box_at(*start, BOX_HEIGHT)
        for node in reached(start)
    }
    reduced = without_shortcuts(upstream)
    assert drawn == {(other, node) for node, direct in reduced.items() for other in direct}


@pytest.mark.parametrize("upstream", GRAPHS.values(), ids=GRAPHS)
def test_lines_pass_boxes_by(upstream: pipeline_graph.Upstream) -> None:
    """Sideways they run between the layers; down through a layer, beside its boxes."""
    graph = lay_out(upstream, {})
    for line in graph.lines:
        (start_x, start_y), (_, end_y) = _ends(line)
        heights = [y for _, (_, y) in _corners(line)]
        assert heights == sorted(heights)
        for box in graph.boxes:
            if start_y < box.y + BOX_HEIGHT and end_y > box.y:
                assert not box.x <= start_x <= box.x + BOX_WIDTH


@pytest.mark.parametrize("upstream", GRAPHS.values(), ids=GRAPHS)
def test_lines_coincide_only_where_they_start_or_end_together(
    upstream: pipeline_graph.Upstream,
) -> None:
    for one, other in itertools.combinations(lay_out(upstream, {}).lines, 2):
        if _ends(one)[0] == _ends(other)[0]:
            continue
        if _ends(one)[1] == _ends(other)[1]:  # then they join where they run sideways
            assert _sideways(one) == _sideways(other)
            continue
        for part, near in itertools.product(_straight_parts(one), _straight_parts(other)):
            is_apart = part[3] <= near[2] or near[3] <= part[2]
            assert part[:2] != near[:2] or is_apart, (one, other)


def test_longest_chain_stands_at_the_left() -> None:
    boxes = lay_out(FULL_GRAPH, {}).boxes
    left = {box.node for box in boxes if box.x == min(box.x for box in boxes)}
    chain = {node for node in FULL_GRAPH if "." not in node} - {"CuratedSchema", "Pusher"}
    assert left == {*chain, "Pusher.device"}


def test_boxes_have_their_times() -> None:
    boxes = {box.node: box for box in lay_out(GRAPH, TIMES).boxes}
    assert boxes["ExampleGen"].time == NodeTime(3.681, True)
    assert boxes["Trainer"].share == 1
    assert boxes["ExampleGen"].share == pytest.approx(3.681 / 311.996)
    assert (boxes["Report"].time, boxes["Report"].share) == (None, 0)
    assert boxes["Pusher.device"].lines == ("Pusher", "device")
    assert boxes["Pusher"].lines == ("Pusher", "")


def test_times_of_zero_can_be_drawn() -> None:
    (box,) = lay_out({"a": []}, {"a": NodeTime(0, False)}).boxes
    assert box.share == 0


def test_cycle_is_an_error() -> None:
    with pytest.raises(CycleError):
        lay_out({"a": ["b"], "b": ["a"]}, {})
