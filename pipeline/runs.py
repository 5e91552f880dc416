"""Reads from ML Metadata what the last run of a pipeline came to."""

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

_OUTPUT_EVENTS = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)


def open_store(metadata_file: str) -> mlmd.MetadataStore:
    """Opens an SQLite store for reading."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = metadata_file
    config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READONLY
    return mlmd.MetadataStore(config)


def last_run_executions(
    store: mlmd.MetadataStore, pipeline_name: str
) -> dict[str, metadata_store_pb2.Execution]:
    """Returns the last run's executions by the id of their node; {} when nothing has run."""
    runs = [
        context
        for context in store.get_contexts_by_type("pipeline_run")
        if context.custom_properties["pipeline"].string_value in ("", pipeline_name)
        or context.properties.get("pipeline") is not None
    ]
    if not runs:
        return {}
    last = max(runs, key=lambda context: context.id)
    nodes = {context.id: context.name for context in store.get_contexts_by_type("node")}
    executions = {}
    for execution in store.get_executions_by_context(last.id):
        for context in store.get_contexts_by_execution(execution.id):
            if context.id in nodes:
                executions[nodes[context.id].removeprefix(f"{pipeline_name}.")] = execution
    return executions


def output_artifacts(
    store: mlmd.MetadataStore, execution: metadata_store_pb2.Execution
) -> dict[str, metadata_store_pb2.Artifact]:
    """Returns an execution's output artifacts by their output key."""
    events = [
        event
        for event in store.get_events_by_execution_ids([execution.id])
        if event.type in _OUTPUT_EVENTS
    ]
    artifacts = {
        artifact.id: artifact
        for artifact in store.get_artifacts_by_id([event.artifact_id for event in events])
    }
    return {event.path.steps[0].key: artifacts[event.artifact_id] for event in events}
