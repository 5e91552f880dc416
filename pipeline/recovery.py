"""Cleans up after runs that were killed.

A killed run leaves executions that ML Metadata holds to be running for ever, and what they had
written so far. Nobody else works on this pipeline meanwhile, see run_lock.py, so each of them is
dead. OUTPUT/checkpoints stays: from there the Trainer goes on.
"""

import os
from collections.abc import Iterator

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.io import fileio
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.proto.orchestration import execution_result_pb2

from pipeline import (
    pushes,
    runs,
    store_plugin,  # noqa: F401 - what is to be removed may be in an object store
)
from pipeline.config import PipelineConfig
from pipeline.metadata_store import open_store

_ABORTED = 10  # gRPC's code, as TFX uses them for the results of executions
_KILLED = "its run was killed"


def recover(config: PipelineConfig, *, dry_run: bool = False) -> Iterator[str]:
    """Marks what killed runs left running as failed, and removes what they had written.

    To be called inside of `run_lock.only_run`. Executions that finished, well or with an error, are
    not touched.

    Args:
      config: whose pipeline, by its name in ML Metadata, and whose folder of artifacts.
      dry_run: changes nothing.

    Yields:
      What was done, or would be: a line for each execution that was left running or left folders.

    Raises:
      ConfigError: the store cannot be opened.
    """
    if not config.metadata and not config.metadata_file.exists():
        return
    store = open_store(config.metadata_location, read_only=dry_run)
    for execution in runs.pipeline_executions(store, config.pipeline_name):
        is_running = execution_lib.is_execution_active(execution)
        # A run of the same name with another OUTPUT may have marked it; what it left is still here.
        if not is_running and not _is_marked(execution):
            continue
        node = runs.node_id(store, execution)
        leftovers = list(_leftovers(store, config, node, execution))
        # The mark comes last, so that a recovery that is killed itself can be repeated.
        if not dry_run:
            for path in leftovers:
                fileio.rmtree(path)
            if is_running:
                _mark_as_failed(store, execution)
        if is_running or leftovers:
            mark, remove = ("would mark", "would remove") if dry_run else ("marked", "removed")
            marked = f", {mark} as failed" if is_running else ""
            removed = f", {remove} {' '.join(leftovers)}" if leftovers else ""
            yield f"{node}: execution {execution.id} was killed{marked}{removed}"


def _mark_as_failed(store: mlmd.MetadataStore, execution: metadata_store_pb2.Execution) -> None:
    execution.last_known_state = metadata_store_pb2.Execution.FAILED
    result = execution_result_pb2.ExecutionResult(code=_ABORTED, result_message=_KILLED)
    execution_lib.set_execution_result(result, execution)
    store.put_executions([execution])


def _is_marked(execution: metadata_store_pb2.Execution) -> bool:
    result = execution_lib.get_execution_result(execution, ignore_parse_errors=True)
    return result is not None and result.result_message == _KILLED


def _leftovers(
    store: mlmd.MetadataStore,
    config: PipelineConfig,
    node: str,
    execution: metadata_store_pb2.Execution,
) -> Iterator[str]:
    """Yields the folders that TFX's launcher gave to the execution, and what it was pushing."""
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
    # To a place of its own, somebody else may have pushed what this store knows nothing of.
    if pushes.destination(execution) and not config.push_to:
        # Not what was recorded: OUTPUT may have been moved.
        for folder in (config.serving_dir, config.device_dir):
            yield from pushes.unfinished(store, execution, folder)
