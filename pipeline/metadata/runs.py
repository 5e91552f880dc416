"""Reads from ML Metadata what the runs of a pipeline came to."""

import dataclasses

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

_OUTPUT_EVENTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)
_CACHE_CONTEXT = "execution_cache"  # TFX's name for the type of context


@dataclasses.dataclass(frozen=True)
class NodeTime:
    """How long a node took, and whether that was in an earlier run."""

    seconds: float
    is_cached: bool


def run_executions(
    store: mlmd.MetadataStore, pipeline_name: str, run: str | None = None
) -> dict[str, metadata_store_pb2.Execution]:
    """Returns the executions of a run by their node; {} when the pipeline never ran.

    Args:
      store: ML Metadata.
      pipeline_name: of which pipeline.
      run: the run's name in ML Metadata; None for the last one.
    """
    pipeline = store.get_context_by_type_and_name("pipeline", pipeline_name)
    if pipeline is None:
        return {}
    contexts = store.get_children_contexts_by_context(pipeline.id)
    identity = max(context.id for context in contexts if run in (None, context.name))
    executions = store.get_executions_by_context(identity)
    return {node_id(store, execution): execution for execution in executions}


def pipeline_executions(
    store: mlmd.MetadataStore, pipeline_name: str
) -> list[metadata_store_pb2.Execution]:
    """Returns the executions of all runs of this pipeline that TFX's launcher made, in order."""
    pipeline = store.get_context_by_type_and_name("pipeline", pipeline_name)
    if pipeline is None:
        return []
    executions = [
        execution
        for run in store.get_children_contexts_by_context(pipeline.id)
        for execution in store.get_executions_by_context(run.id)
    ]
    return sorted(executions, key=lambda execution: execution.id)


def node_id(store: mlmd.MetadataStore, execution: metadata_store_pb2.Execution) -> str:
    """Returns the id of the pipeline node whose execution this is."""
    contexts = store.get_contexts_by_execution(execution.id)
    names = {context.type: context.name for context in contexts}
    return names["node"].removeprefix(f"{names['pipeline']}.")


def output_artifacts(
    store: mlmd.MetadataStore, execution: metadata_store_pb2.Execution
) -> dict[str, metadata_store_pb2.Artifact]:
    """Returns an execution's output artifacts by their output key; one artifact a key."""
    events = [
        event
        for event in store.get_events_by_execution_ids([execution.id])
        if event.type in _OUTPUT_EVENTS
    ]
    artifacts = store.get_artifacts_by_id([event.artifact_id for event in events])
    by_id = {artifact.id: artifact for artifact in artifacts}
    return {event.path.steps[0].key: by_id[event.artifact_id] for event in events}


def node_times(store: mlmd.MetadataStore, pipeline_name: str) -> dict[str, NodeTime]:
    """Returns how long the last run's finished nodes took, by node id; {} when nothing has run.

    A node that the run took from the cache has the time of the execution that made its outputs.
    """
    times = {}
    for node, execution in run_executions(store, pipeline_name).items():
        is_cached = execution.last_known_state == metadata_store_pb2.Execution.CACHED
        origin = _cached_origin(store, execution) if is_cached else execution
        if origin and origin.last_known_state == metadata_store_pb2.Execution.COMPLETE:
            # ML Metadata keeps milliseconds; a finished execution is not written again.
            milliseconds = origin.last_update_time_since_epoch - origin.create_time_since_epoch
            times[node] = NodeTime(milliseconds / 1000, is_cached)
    return times


def _cached_origin(
    store: mlmd.MetadataStore, execution: metadata_store_pb2.Execution
) -> metadata_store_pb2.Execution | None:
    """Returns the execution whose result TFX's cache gave to `execution`, None if it is gone.

    TFX puts executions with the same inputs, parameters and code into one context, also those of
    nodes without outputs.
    """
    same = [
        other
        for context in store.get_contexts_by_execution(execution.id)
        if context.type == _CACHE_CONTEXT
        for other in store.get_executions_by_context(context.id)
        if other.last_known_state == metadata_store_pb2.Execution.COMPLETE
    ]
    return max(same, key=lambda other: other.id, default=None)
