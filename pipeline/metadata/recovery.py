"""Cleans up after runs that were killed, and after pushes that failed.

A killed run leaves executions that ML Metadata holds to be running for ever, and what they had
written so far. Nobody else works on this pipeline meanwhile, see run_lock.py, so each of them is
dead. OUTPUT/checkpoints stays: from there the Trainer goes on.

A push that was killed, or that failed, may have left half a version aside, which goes; or a whole
one that nobody recorded. The next run's push finds that one and records it; if that run pushes
another model, it goes when the run is done.
"""

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


def recover(config: PipelineConfig, *, dry_run: bool = False) -> Iterator[str]:
    """Marks what killed runs left running as failed, and removes what they had written.

    To be called inside of `run_lock.only_run`. Of executions that failed, only half a push is
    removed; those that succeeded are not touched.

    Args:
      config: whose pipeline, by its name in ML Metadata, and whose folder of artifacts.
      dry_run: changes nothing.

    Yields:
      What was done, or would be: a line for each execution that was left running or left folders.

    Raises:
      ConfigError: the store cannot be opened.
    """
    store = _opened(config, read_only=dry_run)
    executions = _unsuccessful(store, config) if store else []
    pushed = pushes.unfinished(store, executions, _folders(config, executions))
    for execution in executions:
        is_running = execution_lib.is_execution_active(execution)
        # A run of the same name with another OUTPUT may have marked it; what it left is still here.
        was_killed = is_running or _is_marked(execution)
        node = runs.node_id(store, execution)
        artifacts = list(_leftovers(config, node, execution)) if was_killed else []
        halves = pushed.get(execution.id, [])
        # The mark comes last, so that a recovery that is killed itself can be repeated.
        if not dry_run:
            for path in artifacts:
                fileio.rmtree(path)
            for path in halves:
                version_writer.remove(path)
            if is_running:
                _mark_as_failed(store, execution)
        if is_running or artifacts or halves:
            mark, remove = ("would mark", "would remove") if dry_run else ("marked", "removed")
            marked = f", {mark} as failed" if is_running else ""
            leftovers = [*artifacts, *halves]
            removed = f", {remove} {' '.join(leftovers)}" if leftovers else ""
            ended = "was killed" if was_killed else "failed"
            yield f"{node}: execution {execution.id} {ended}{marked}{removed}"


def settle(config: PipelineConfig) -> Iterator[str]:
    """Removes versions that killed or failed runs pushed, and that the run now done left alone.

    To be called when a run succeeded, inside of `run_lock.only_run`.

    Yields:
      What was done, a line for each execution.
    """
    store = _opened(config, read_only=True)
    executions = _unsuccessful(store, config) if store else []
    folders = _folders(config, executions)
    for number, paths in pushes.unrecorded(store, executions, folders).items():
        for path in paths:
            version_writer.remove(path)
        yield f"execution {number} pushed {' '.join(paths)} and did not end; removed"


def _opened(config: PipelineConfig, *, read_only: bool) -> mlmd.MetadataStore | None:
    if not config.metadata and not config.metadata_file.exists():
        return None
    return open_store(config.metadata_location, read_only=read_only)


def _unsuccessful(
    store: mlmd.MetadataStore, config: PipelineConfig
) -> list[metadata_store_pb2.Execution]:
    return [
        execution
        for execution in runs.pipeline_executions(store, config.pipeline_name)
        if not execution_lib.is_execution_successful(execution)
    ]


def _folders(
    config: PipelineConfig, executions: Iterable[metadata_store_pb2.Execution]
) -> list[str]:
    """Returns where the executions may have pushed to."""
    recorded = filter(None, map(pushes.destination, executions))
    # Not only those that were recorded: OUTPUT may have been moved. Of others, an object store may
    # be out of reach now.
    on_disk = [folder for folder in recorded if stores.local_path(folder)]
    return [config.serving_dir, config.device_dir, *on_disk]


def _mark_as_failed(store: mlmd.MetadataStore, execution: metadata_store_pb2.Execution) -> None:
    execution.last_known_state = metadata_store_pb2.Execution.FAILED
    result = execution_result_pb2.ExecutionResult(code=_ABORTED, result_message=_KILLED)
    execution_lib.set_execution_result(result, execution)
    store.put_executions([execution])


def _is_marked(execution: metadata_store_pb2.Execution) -> bool:
    result = execution_lib.get_execution_result(execution, ignore_parse_errors=True)
    return result is not None and result.result_message == _KILLED


def _leftovers(
    config: PipelineConfig, node: str, execution: metadata_store_pb2.Execution
) -> Iterator[str]:
    """Yields the folders that TFX's launcher gave to the execution."""
    root = os.path.join(config.pipeline_root, node)
    system = os.path.join(root, ".system")
    patterns = [
        os.path.join(root, "*", str(execution.id)),  # one for each output
        os.path.join(system, "executor_execution", str(execution.id)),
        # Removed when an execution succeeds, and named by a random id that is recorded nowhere.
        os.path.join(system, "stateful_working_dir", "*"),
    ]
    for pattern in patterns:
        yield from sorted(fileio.glob(pattern))
