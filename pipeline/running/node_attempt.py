"""One attempt at a node of a compiled pipeline, by TFX's portable launcher."""

import logging
from collections.abc import Callable

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.dsl.io import fileio
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher, outputs_utils, runtime_parameter_utils
from tfx.orchestration.portable.mlmd import context_lib, execution_lib
from tfx.proto.orchestration import pipeline_pb2

from pipeline.running.launching import launch_without_servers
from pipeline.storage import (
    pushes,
    tfx_plugin,  # noqa: F401 - artifacts may be in an object store
    version_writer,
)


class NodeAttempt:
    """What TFX's LocalDagRunner does for a node, for one of them, in a run that others share.

    TFX's launcher takes up the execution that an earlier attempt in the same run has in ML
    Metadata, if there is one.
    """

    def __init__(self, definition: pipeline_pb2.Pipeline, node_id: str, run_id: str):
        """Prepares the node.

        Args:
          definition: the compiled pipeline; the run is set in it.
          node_id: which of its nodes.
          run_id: the run's name in ML Metadata.
        """
        launch_without_servers()
        runtime_parameter_utils.substitute_runtime_parameter(
            definition, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
        )
        nodes = {node.pipeline_node.node_info.id: node.pipeline_node for node in definition.nodes}
        self._node = nodes[node_id]
        deployment = runner_utils.extract_local_deployment_config(definition)
        store = deployment.metadata_connection_config
        self._store = metadata.Metadata(getattr(store, store.WhichOneof("connection_config")))
        self._launcher = launcher.Launcher(
            pipeline_node=self._node,
            mlmd_connection=self._store,
            pipeline_info=definition.pipeline_info,
            pipeline_runtime_spec=definition.runtime_spec,
            executor_spec=runner_utils.extract_executor_spec(deployment, node_id),
            custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
        )
        self._outputs = outputs_utils.OutputsResolver(
            self._node, definition.pipeline_info, definition.runtime_spec
        )

    def launch(self) -> None:
        """Runs the node; raises whatever its component raises."""
        for execution in self._executions():
            self._remove_outputs(execution)
        self._remove_pushes(pushes.unfinished)
        self._launcher.launch()
        self._remove_pushes(pushes.unrecorded)

    def is_finished(self) -> bool:
        """Whether this attempt or an earlier one in this run finished the node.

        After `launch`, it did not when TFX found no inputs: its launcher raises nothing then.
        """
        return any(map(execution_lib.is_execution_successful, self._executions()))

    def is_cached(self) -> bool:
        """Whether the finished node's outputs are those of an earlier run."""
        cached = metadata_store_pb2.Execution.CACHED
        return any(execution.last_known_state == cached for execution in self._executions())

    def _executions(self) -> list[metadata_store_pb2.Execution]:
        with self._store as handle:
            contexts = context_lib.prepare_contexts(handle, self._node.contexts)
            return execution_lib.get_executions_associated_with_all_contexts(handle, contexts)

    def _remove_outputs(self, execution: metadata_store_pb2.Execution) -> None:
        """Removes what an attempt left: TFX would put the new files beside it."""
        outputs = self._outputs.generate_output_artifacts(execution.id).values()
        left = [artifact.uri for artifacts in outputs for artifact in artifacts]
        for path in filter(fileio.exists, left):
            logging.warning("removing what an earlier attempt left: %s", path)
            (fileio.rmtree if fileio.isdir(path) else fileio.remove)(path)

    def _remove_pushes(self, look: Callable[..., dict[int, list[str]]]) -> None:
        """Removes what `look`, of pushes.py, finds of attempts that did not succeed."""
        folders = set(filter(None, map(pushes.destination, self._executions())))
        if not folders:
            return
        with self._store as handle:
            [node] = [
                context
                for context in context_lib.prepare_contexts(handle, self._node.contexts)
                if context.type_id == handle.store.get_context_type("node").id
            ]
            # Of other runs, those that are at work may be alive.
            failed = filter(
                execution_lib.is_execution_failed, handle.store.get_executions_by_context(node.id)
            )
            found = look(handle.store, [*failed], folders)
        for path in (path for paths in found.values() for path in paths):
            logging.warning("removing what an earlier attempt pushed: %s", path)
            version_writer.remove(path)
