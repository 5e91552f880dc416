"""Lays the pipeline's graph out for the report: boxes in layers, from the data down to the page.

The steps are those of K. Sugiyama et al., "Methods for visual understanding of hierarchical system
structures", 1981: layers, a stand-in in each layer that an edge crosses, an order in each layer.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter

from pipeline.metadata.runs import NodeTime

Upstream = Mapping[str, Sequence[str]]  # the nodes that a node takes something from, by node id

BOX_WIDTH, BOX_HEIGHT = 166, 46  # pixels of CSS, like all lengths here
_COLUMN_GAP = 8
_MARGIN = 2
_ROW_GAP = 28  # between boxes of two layers, with room for one horizontal line
_TRACK = 8  # between horizontal lines
_PORT = 14  # between lines that enter a box
_RADIUS = 6  # of a line's corners

_Stop = str | tuple[str, int]  # a node, or where the line from a node crosses a layer


@dataclasses.dataclass(frozen=True)
class Box:
    """A node of the pipeline; `x` and `y` are its top left corner."""

    node: str
    x: int
    y: int
    time: NodeTime | None
    share: float  # of the longest time, in [0, 1]

    @property
    def lines(self) -> tuple[str, str]:
        """The component's name, and what tells this node from others of it; may be empty."""
        name, _, variant = self.node.partition(".")
        return name, variant


@dataclasses.dataclass(frozen=True)
class Graph:
    """What is drawn: boxes, lines as SVG paths, and the tips (x, y) of the arrows."""

    boxes: list[Box]
    lines: list[str]
    tips: list[tuple[int, int]]
    width: int
    height: int


def without_shortcuts(upstream: Upstream) -> dict[str, list[str]]:
    """Returns the transitive reduction: each edge that a longer way implies is left out."""
    ancestors: dict[str, set[str]] = {}
    for node in TopologicalSorter(upstream).static_order():
        direct = upstream.get(node, ())
        ancestors[node] = set(direct).union(*(ancestors[other] for other in direct))
    return {
        node: [
            other for other in direct if not any(other in ancestors[between] for between in direct)
        ]
        for node, direct in upstream.items()
    }


def lay_out(upstream: Upstream, times: Mapping[str, NodeTime]) -> Graph:
    """Places every node below all that it takes something from.

    Args:
      upstream: every node is a key; equals are placed in this order from left to right.
      times: of the nodes, as far as they are known.

    Raises:
      graphlib.CycleError: nodes wait for each other.
    """
    layers, below = _layers(without_shortcuts(upstream))
    columns = _columns(layers, below)
    lefts = {stop: _MARGIN + column * (BOX_WIDTH + _COLUMN_GAP) for stop, column in columns.items()}
    # A line that passes by keeps clear of those that leave a box above or enter one below.
    middles = {
        stop: left + BOX_WIDTH // 2 - (0 if isinstance(stop, str) else _PORT)
        for stop, left in lefts.items()
    }
    longest = max((time.seconds for time in times.values()), default=0) or 1
    boxes, lines, tips = [], [], []
    top = _MARGIN
    for layer in layers:
        bottom = top + BOX_HEIGHT
        for stop in layer:
            if isinstance(stop, str):
                time = times.get(stop)
                share = time.seconds / longest if time else 0
                boxes.append(Box(stop, lefts[stop], top, time, share))
            else:
                lines.append(f"M{middles[stop]} {top}v{BOX_HEIGHT}")
        routes = _routes(layer, columns, below)
        lowest = max((track for track, _ in routes.values()), default=0)
        top = bottom + _ROW_GAP + _TRACK * lowest
        for (start, end), (track, port) in routes.items():
            end_x = middles[end] + port
            turn = bottom + _ROW_GAP // 2 + _TRACK * track
            lines.append(_line(middles[start], bottom, turn, end_x, top))
            if isinstance(end, str):
                tips.append((end_x, top))
    width = max(lefts.values()) + BOX_WIDTH + _MARGIN
    return Graph(boxes, lines, tips, width, bottom + _MARGIN)


def _layers(upstream: Upstream) -> tuple[list[list[_Stop]], dict[_Stop, list[_Stop]]]:
    """Returns the layers, and the stops of the next layer that each stop has lines to.

    Every node is as low as what takes from it allows, so that lines are short.
    """
    height = dict.fromkeys(upstream, 0)  # layers below it
    for node in reversed(list(TopologicalSorter(upstream).static_order())):
        for other in upstream[node]:
            height[other] = max(height[other], height[node] + 1)
    row = {node: max(height.values()) - height[node] for node in upstream}
    layers: list[list[_Stop]] = [[] for _ in range(max(row.values()) + 1)]
    below: dict[_Stop, list[_Stop]] = defaultdict(list)
    for node, direct in upstream.items():
        layers[row[node]].append(node)
        for other in direct:
            stop: _Stop = other
            for between in range(row[other] + 1, row[node]):
                stand_in = (other, between)
                if stand_in not in layers[between]:
                    layers[between].append(stand_in)
                    below[stop].append(stand_in)
                stop = stand_in
            below[stop].append(node)
    return layers, below


def _columns(
    layers: Sequence[Sequence[_Stop]], below: Mapping[_Stop, Sequence[_Stop]]
) -> dict[_Stop, int]:
    """Returns each stop's column: from the widest layer outwards, that of its first neighbour.

    So the longest chain stands at the left, where a narrow screen begins.
    """
    above = defaultdict(list)
    for start, ends in below.items():
        for end in ends:
            above[end].append(start)
    widest = max(range(len(layers)), key=lambda row: len(layers[row]))
    columns = {stop: column for column, stop in enumerate(layers[widest])}
    for row in (*range(widest - 1, -1, -1), *range(widest + 1, len(layers))):
        neighbours, beyond = (below, above) if row < widest else (above, below)
        wanted = {
            stop: min((columns[other] for other in neighbours.get(stop, ())), default=len(columns))
            for stop in layers[row]
        }
        free = 0
        # Among equals, what goes on comes before what ends here.
        for stop in sorted(layers[row], key=lambda stop: (wanted[stop], stop not in beyond)):
            columns[stop] = max(free, wanted[stop]) if neighbours.get(stop) else free
            free = columns[stop] + 1
    return columns


def _routes(
    layer: Sequence[_Stop],
    columns: Mapping[_Stop, int],
    below: Mapping[_Stop, Sequence[_Stop]],
) -> dict[tuple[_Stop, _Stop], tuple[int, int]]:
    """Returns (track, port) of each line from a layer to the next.

    Lines that share their start, or else their end, share the track on which they run sideways.
    The port is the distance from the end's centre, which is left to a line from right above.
    """
    tracks: dict[_Stop, int] = {}
    ports: dict[_Stop, dict[tuple[int, int], int]] = defaultdict(dict)  # by (side, track)
    above = {columns[stop] for stop in layer}
    routes = {}
    for start in layer:
        for end in below.get(start, ()):
            side = (columns[start] > columns[end]) - (columns[start] < columns[end])
            if not side:
                routes[start, end] = 0, 0
                continue
            bundle = start if len(below[start]) > 1 else end
            track = tracks.setdefault(bundle, len(tracks))
            taken = ports[end]
            same_side = sum(other == side for other, _ in taken)
            is_free = (columns[end] not in above and not taken) or not isinstance(end, str)
            port = taken.setdefault((side, track), 0 if is_free else side * _PORT * (same_side + 1))
            routes[start, end] = track, port
    return routes


def _line(start_x: int, start_y: int, turn_y: int, end_x: int, end_y: int) -> str:
    """Returns the path down, sideways and down again, with round corners."""
    if start_x == end_x:
        return f"M{start_x} {start_y}V{end_y}"
    radius = min(_RADIUS, abs(end_x - start_x) // 2)
    across = radius if end_x > start_x else -radius
    return (
        f"M{start_x} {start_y}V{turn_y - radius}q0 {radius} {across} {radius}"
        f"H{end_x - across}q{across} 0 {across} {radius}V{end_y}"
    )
