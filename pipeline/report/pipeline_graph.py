"""The pipeline's graph for the report: its nodes in stages, from the data down to the page."""

import dataclasses
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter

from pipeline.metadata.runs import NodeTime

Upstream = Mapping[str, Sequence[str]]  # the nodes that a node takes something from, by node id


@dataclasses.dataclass(frozen=True)
class Step:
    """A node of the pipeline.

    Attributes:
      node: its id.
      after: the nodes that it waits for, where these are not all of the stage above.
      time: None where it is not known.
      share: of the longest time, in [0, 1].
    """

    node: str
    after: tuple[str, ...]
    time: NodeTime | None
    share: float

    @property
    def names(self) -> tuple[str, str]:
        """The component's name, and what tells this node from others of it; may be empty."""
        name, _, variant = self.node.partition(".")
        return name, variant


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


def stages(upstream: Upstream, times: Mapping[str, NodeTime]) -> list[list[Step]]:
    """Places every node in the first stage in which all that it waits for is above.

    Args:
      upstream: every node is a key; those of a stage are in this order.
      times: of the nodes, as far as they are known.

    Raises:
      graphlib.CycleError: nodes wait for each other.
    """
    reduced = without_shortcuts(upstream)
    longest = max((time.seconds for time in times.values()), default=0) or 1
    sorter = TopologicalSorter(reduced)
    sorter.prepare()
    found: list[list[Step]] = []
    above: set[str] = set()
    while sorter.is_active():
        ready = set(sorter.get_ready())
        found.append([])
        for node in (node for node in reduced if node in ready):
            after = () if {*reduced[node]} == above else tuple(reduced[node])
            time = times.get(node)
            found[-1].append(Step(node, after, time, time.seconds / longest if time else 0))
        sorter.done(*ready)
        above = ready
    return found
