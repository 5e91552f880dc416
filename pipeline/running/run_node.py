"""Runs one node of a compiled pipeline: `python -m pipeline.running.run_node FOLDER NODE RUN`.

It is for orchestrators that start a process for each node. All nodes of a run are given the same
RUN: it is the run's name in ML Metadata, by which a node finds what the others have made.
"""

import argparse
import contextlib
import fcntl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import FAILED, ConfigError, DataError
from modules.provenance.fingerprint import fingerprint
from modules.training.saved import checkpoint_folder
from pipeline.metadata.run_lock import LOCK_FILE
from pipeline.running import compiled, console
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.storage import full_disk

if TYPE_CHECKING:
    from tfx.proto.orchestration import pipeline_pb2


class BusyError(RuntimeError):
    """Another process is at work on the node, or on its pipeline."""


@tells_wrong_settings
def main(arguments: list[str] | None = None) -> int:
    """Runs a node as the command line says.

    Returns:
      0 when the node is finished, also when an earlier attempt in this run finished it; FAILED when
      it failed and another attempt may succeed; WRONG_SETTING when none would.
    """
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.running.run_node", description=__doc__
    )
    parser.add_argument("folder", type=Path, help="that the pipeline was compiled into")
    parser.add_argument("node", help="its id")
    parser.add_argument("run", help="the run's name, the same for all nodes")
    options = parser.parse_args(arguments)
    log_file = options.folder / f"{options.node}.log"
    try:
        graph = compiled.read_graph(options.folder)
        _check(graph, options.node)
        definition = compiled.read_pipeline(options.folder)
        checkpoint_folder.keep_in(Path(graph.settings["OUTPUT"]))
        with _alone(options.folder / f"{options.node}.lock", graph):
            _run(definition, options.node, options.run, log_file)
    except (ConfigError, DataError):
        raise
    except BusyError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except Exception as error:  # whatever a component raises ends up here
        places = (graph.settings["OUTPUT"], graph.settings.get("PUSH_TO") or options.folder)
        reason = full_disk.told(error, places) or f"{type(error).__name__}: {error}"
        print(f"Details: {log_file}\nerror: {options.node}: {reason}", file=sys.stderr)
        return FAILED
    return 0


def _run(definition: "pipeline_pb2.Pipeline", node_id: str, run: str, log_file: Path) -> None:
    """Runs the node, cleans up before and after, and prints what became of it."""
    with console.library_output_to(log_file):
        # Imported here, with their output redirected and the command line known to be good.
        from pipeline.running.nodes import NodeRunner

        runner = NodeRunner(definition, run)
        for line in runner.half_done(node_id).recover():
            print(line)
        print(f"{node_id}: {runner.run(node_id)}")
        for line in runner.half_done(node_id).settle():
            print(line)


def _check(graph: compiled.Graph, node_id: str) -> None:
    """Raises ConfigError when there is no such node, or its code is no longer what was compiled."""
    if node_id not in graph.nodes:
        raise ConfigError(f"there is no node {node_id!r}; expected one of {', '.join(graph.nodes)}")
    if node_id in graph.modules and graph.digests[node_id] != fingerprint(graph.modules[node_id]):
        raise ConfigError(
            f"{node_id}: its code was edited since this run was compiled, or the version of a "
            "package is another, and the cache would take its outputs for those of the old code; "
            "start a new run"
        )


@contextlib.contextmanager
def _alone(node_lock: Path, graph: compiled.Graph) -> Iterator[None]:
    """Keeps out other attempts at the node, and the local runner; raises BusyError for those.

    An orchestrator that lost sight of a process may start the next while that one is still there.
    Where ML Metadata takes one writer, other nodes are kept out, too.
    """
    output = Path(graph.settings["OUTPUT"])
    with open(node_lock, "w") as node, open(output / LOCK_FILE, "w") as run:
        try:
            fcntl.flock(node, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mode = fcntl.LOCK_EX if graph.one_at_a_time else fcntl.LOCK_SH
            fcntl.flock(run, mode | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(
                f"another attempt at this node, or another run, is using OUTPUT={output}; wait for "
                "its end"
            ) from error
        yield


if __name__ == "__main__":
    sys.exit(main())
