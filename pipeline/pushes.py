"""Versions of models that a Pusher began to push and never finished."""

import os
from collections.abc import Iterator
from pathlib import PurePath

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.io import fileio
from tfx.proto import pusher_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils


def destination(execution: metadata_store_pb2.Execution) -> str | None:
    """Returns the folder that the execution pushes versions into; None where it pushes nothing."""
    name = standard_component_specs.PUSH_DESTINATION_KEY
    if name not in execution.custom_properties:
        return None
    wanted = pusher_pb2.PushDestination()
    proto_utils.json_to_proto(execution.custom_properties[name].string_value, wanted)
    return wanted.filesystem.base_directory


def unfinished(
    store: mlmd.MetadataStore, execution: metadata_store_pb2.Execution, folder: str
) -> Iterator[str]:
    """Yields versions in `folder` that were pushed since `execution` began, and by none that ended.

    A Pusher names a version by the second in which it is pushed, and says so when it is finished.
    """
    recorded = {
        _kind_and_version(artifact.custom_properties["pushed_destination"].string_value)
        for artifact in store.get_artifacts_by_type("PushedModel")
    }
    began = execution.create_time_since_epoch // 1000
    for path in sorted(fileio.glob(os.path.join(folder, "*"))):
        name = os.path.basename(path)
        if name.isdecimal() and int(name) >= began and _kind_and_version(path) not in recorded:
            yield path


def _kind_and_version(path: str) -> tuple[str, ...]:
    """Returns the path's last parts: those before may be spelled in several ways, as by a link."""
    return PurePath(path).parts[-2:]
