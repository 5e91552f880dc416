"""Cleans up after nodes that were killed, and after pushes that failed.

A killed process leaves an execution that ML Metadata holds to be running for ever, and what it had
written so far. OUTPUT/checkpoints stays: from there the Trainer goes on.

A push that was killed, or that failed, may have left half a version aside, which goes; or a whole
one that nobody recorded. The next push finds that one and records it; if another model is pushed,
it goes when that is done.
"""

import dataclasses
import os
from collections.abc import Iterable, Iterator

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.io import fileio
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.proto.orchestration import execution_result_pb2

from pipeline.config import PipelineConfig
from pipeline.metadata import runs
from pipeline.metadata.connection import open_store
from pipeline.storage import (
    pushes,
    stores,
    tfx_plugin,  # noqa: F401 - what is to be removed may be in an object store
    version_writer,
)

_ABORTED = 10  # gRPC's code, as TFX uses them for the results of executions
_KILLED = "its run was killed"
_Execution = metadata_store_pb2.Execution


@dataclasses.dataclass(frozen=True)
class HalfDone:
    """Executions that did not succeed and that nobody works on any more.

    Attributes:
      store: ML Metadata; None where there is none yet.
      root: folder of the pipeline's artifacts.
      executions: in order.
      folders: that they may have pushed to.
      retried: numbers of the executions in the run that is going on, where TFX's launcher takes
        them up in another attempt at the same node; None where no run is.
    """

    store: mlmd.MetadataStore | None
    root: str
    executions: list[_Execution]
    folders: list[str]
    retried: frozenset[int] | None = None

    @classmethod
    def of_pipeline(cls, config: PipelineConfig, *, read_only: bool = False) -> "HalfDone":
        """Returns those of all runs of a pipeline; to be called inside of `run_lock.only_run`.

        Args:
          config: whose pipeline, by its name in ML Metadata, and whose folder of artifacts.
          read_only: for a dry run.

        Raises:
          ConfigError: the store cannot be opened.
        """
        store, executions = None, []
        if config.metadata or config.metadata_file.exists():
            store = open_store(config.metadata_location, read_only=read_only)
            executions = _unsuccessful(runs.pipeline_executions(store, config.pipeline_name))
        folders = [config.serving_dir, config.device_dir, *_on_disk(executions)]
        return cls(store, config.pipeline_root, executions, folders)

    @classmethod
    def of_node(cls, store: mlmd.MetadataStore, root: str, node: str, run: str) -> "HalfDone":
        """Returns those of a node in a run, and those that failed in other runs.

        Nobody else may be at work on the node in this run; in the others, somebody may.

        Args:
          store: ML Metadata.
          root: folder of the pipeline's artifacts.
          node: its name in ML Metadata, with the pipeline's.
          run: the run's.
        """
        of_node = _of_context(store, "node", node)
        ours = frozenset(execution.id for execution in _of_context(store, "pipeline_run", run))
        executions = [
            each
            for each in _unsuccessful(of_node)
            if each.id in ours or execution_lib.is_execution_failed(each)
        ]
        pushed = (pushes.destination(each) for each in of_node if each.id in ours)
        return cls(store, root, executions, [*filter(None, pushed), *_on_disk(executions)], ours)

    def recover(self, *, dry_run: bool = False) -> Iterator[str]:
        """Marks what was killed as failed, and removes what it had written.

        Of executions that failed, only half a push is removed. What is retried is not marked, and
        all that it has written is removed: TFX would put the new files beside it.

        Args:
          dry_run: changes nothing.

        Yields:
          What was done, or would be: a line for each execution that was marked or left folders.
        """
        pushed = pushes.unfinished(self.store, self.executions, self.folders)
        for execution in self.executions:
            is_running = execution_lib.is_execution_active(execution)
            # A run of the same name with another OUTPUT may have marked it; what it left is here.
            was_killed = is_running or _is_marked(execution)
            is_over = was_killed if self.retried is None else execution.id in self.retried
            is_to_mark = is_running and self.retried is None
            node = runs.node_id(self.store, execution)
            artifacts = list(self._leftovers(node, execution)) if is_over else []
            halves = pushed.get(execution.id, [])
            # The mark comes last, so that a recovery that is killed itself can be repeated.
            if not dry_run:
                for path in artifacts:
                    fileio.rmtree(path)
                for path in halves:
                    version_writer.remove(path)
                if is_to_mark:
                    _mark_as_failed(self.store, execution)
            if is_to_mark or artifacts or halves:
                mark, remove = ("would mark", "would remove") if dry_run else ("marked", "removed")
                marked = f", {mark} as failed" if is_to_mark else ""
                leftovers = [*artifacts, *halves]
                removed = f", {remove} {' '.join(leftovers)}" if leftovers else ""
                ended = "was killed" if was_killed else "failed"
                yield f"{node}: execution {execution.id} {ended}{marked}{removed}"

    def settle(self) -> Iterator[str]:
        """Removes versions that were pushed and not recorded, and that nobody took over since.

        To be called on what is half-done when the run, or the node in it, has succeeded.

        Yields:
          What was done, a line for each execution.
        """
        if not self.executions:
            return
        found = pushes.unrecorded(self.store, self.executions, self.folders)
        for number, paths in found.items():
            for path in paths:
                version_writer.remove(path)
            yield f"execution {number} pushed {' '.join(paths)} and did not end; removed"

    def _leftovers(self, node: str, execution: _Execution) -> Iterator[str]:
        """Yields the folders that TFX's launcher gave to the execution."""
        root = os.path.join(self.root, node)
        system = os.path.join(root, ".system")
        patterns = [
            os.path.join(root, "*", str(execution.id)),  # one for each output
            os.path.join(system, "executor_execution", str(execution.id)),
        ]
        if self.retried is None:
            # Removed when an execution succeeds, and named by a random id that is recorded nowhere.
            patterns.append(os.path.join(system, "stateful_working_dir", "*"))
        for pattern in patterns:
            yield from sorted(fileio.glob(pattern))


def _of_context(store: mlmd.MetadataStore, kind: str, name: str) -> list[_Execution]:
    context = store.get_context_by_type_and_name(kind, name)
    return store.get_executions_by_context(context.id) if context else []


def _unsuccessful(executions: Iterable[_Execution]) -> list[_Execution]:
    return [each for each in executions if not execution_lib.is_execution_successful(each)]


def _on_disk(executions: Iterable[_Execution]) -> list[str]:
    """Returns where on disk they were to push to, by what is recorded: OUTPUT may have been moved.

    Not where in an object store, which may be out of reach now.
    """
    recorded = filter(None, map(pushes.destination, executions))
    return [folder for folder in recorded if stores.local_path(folder)]


def _mark_as_failed(store: mlmd.MetadataStore, execution: _Execution) -> None:
    execution.last_known_state = metadata_store_pb2.Execution.FAILED
    result = execution_result_pb2.ExecutionResult(code=_ABORTED, result_message=_KILLED)
    execution_lib.set_execution_result(result, execution)
    store.put_executions([execution])


def _is_marked(execution: _Execution) -> bool:
    result = execution_lib.get_execution_result(execution, ignore_parse_errors=True)
    return result is not None and result.result_message == _KILLED
