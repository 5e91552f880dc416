"""Runs the nodes of a compiled pipeline by TFX's launcher: one of them, or all in order."""

import datetime
import logging
import time
from types import SimpleNamespace
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.orchestration.portable.mlmd import context_lib, execution_lib
from tfx.proto.orchestration import pipeline_pb2

from pipeline.metadata.half_done import HalfDone
from pipeline.running.console import Progress
from pipeline.storage import tfx_plugin  # noqa: F401 - artifacts may be in an object store


class MissingInputsError(RuntimeError):
    """The nodes that a node waits for have left it nothing in this run."""


class NodeRunner:
    """Runs nodes in one run of a compiled pipeline, which several processes may share.

    Attributes:
      nodes: all nodes by their id, each after those that it waits for.
    """

    def __init__(self, definition: pipeline_pb2.Pipeline, run: str):
        """Prepares the run.

        Args:
          definition: the compiled pipeline; the run is set in it.
          run: the run's name in ML Metadata.
        """
        _launch_without_servers()
        runtime_parameter_utils.substitute_runtime_parameter(
            definition, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run}
        )
        self._definition, self._run = definition, run
        self.nodes = {
            node.pipeline_node.node_info.id: node.pipeline_node for node in definition.nodes
        }
        self._deployment = runner_utils.extract_local_deployment_config(definition)
        connection = self._deployment.metadata_connection_config
        self._connection = getattr(connection, connection.WhichOneof("connection_config"))

    def run(self, node_id: str) -> str:
        """Runs a node, or takes its outputs from TFX's cache.

        TFX's launcher takes up the execution that an earlier attempt in the same run has in ML
        Metadata, if there is one.

        Returns:
          What became of it: its seconds, as "1.2 s", "cached" or "finished by an earlier attempt".

        Raises:
          MissingInputsError: the launcher found no inputs; it says nothing of that itself.
          Exception: whatever the component raises.
        """
        store = metadata.Metadata(self._connection)
        if self._successful(store, node_id):
            return "finished by an earlier attempt"
        logging.info("Component %s is running.", node_id)
        started = time.monotonic()
        launcher.Launcher(
            pipeline_node=self.nodes[node_id],
            mlmd_connection=store,
            pipeline_info=self._definition.pipeline_info,
            pipeline_runtime_spec=self._definition.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(self._deployment, node_id),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(self._deployment, node_id),
        ).launch()
        seconds = time.monotonic() - started
        executions = self._successful(store, node_id)
        if not executions:
            raise MissingInputsError(
                f"{node_id}: not all of its inputs are there: have the nodes that it waits for "
                f"succeeded in the run {self._run}?"
            )
        logging.info("Component %s is finished.", node_id)
        cached = metadata_store_pb2.Execution.CACHED
        is_cached = any(execution.last_known_state == cached for execution in executions)
        return "cached" if is_cached else f"{seconds:.1f} s"

    def half_done(self, node_id: str) -> HalfDone:
        """Returns what there is to clean up before and after the node is run."""
        with metadata.Metadata(self._connection) as handle:
            root = self._definition.runtime_spec.pipeline_root.field_value.string_value
            name = f"{self._definition.pipeline_info.id}.{node_id}"
            return HalfDone.of_node(handle.store, root, name, self._run)

    def _successful(
        self, store: metadata.Metadata, node_id: str
    ) -> list[metadata_store_pb2.Execution]:
        with store as handle:
            contexts = context_lib.prepare_contexts(handle, self.nodes[node_id].contexts)
            executions = execution_lib.get_executions_associated_with_all_contexts(handle, contexts)
        return [*filter(execution_lib.is_execution_successful, executions)]


class LocalRunner(LocalDagRunner):
    """Runs all nodes of a pipeline, one after the other, and shows their progress.

    `tfx` knows a pipeline by its call of LocalDagRunner's `run`, which it replaces when it only
    wants to compile; `has_run` tells whether it did.
    """

    has_run = False

    def run_with_ir(self, pipeline: pipeline_pb2.Pipeline, **unused: Any) -> None:
        """Runs the compiled pipeline; raises whatever its components raise."""
        self.has_run = True
        runner = NodeRunner(pipeline, datetime.datetime.now().isoformat())
        with Progress(len(runner.nodes)) as progress:
            for node_id in runner.nodes:
                progress.start(node_id)
                progress.end(runner.run(node_id))


class _NoWatcher:
    """What the launcher asks of `execution_watcher.ExecutionWatcher`."""

    address = ""

    def __init__(self, **unused: Any): ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


def _launch_without_servers() -> None:
    """Makes TFX's launcher start no server for each node that it runs.

    An executor on another machine would report to that server. Ours run in this process; it would
    only stand open to all users of this machine, and the search for its port listens on all
    addresses.
    """
    launcher.execution_watcher = SimpleNamespace(ExecutionWatcher=_NoWatcher)
    launcher.portpicker = SimpleNamespace(pick_unused_port=lambda: 0)
