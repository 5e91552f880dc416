"""Finds what pushes left behind that ML Metadata does not know to have succeeded.

A push is known by its run and its execution, and what it writes is named after it. So nothing is
touched that others push to the same place.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePath

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2
from tfx.proto import pusher_pb2
from tfx.types import standard_component_specs
from tfx.utils import proto_utils

from pipeline.storage import stores, version_writer

_Execution = metadata_store_pb2.Execution


def push_id(run: str, execution: int | str) -> str:
    """Returns 16 hexadecimal digits for the push of an execution, by its number, in a run."""
    return hashlib.sha256(f"{run}\n{execution}".encode()).hexdigest()[:16]


def destination(execution: _Execution) -> str | None:
    """Returns the folder that the execution pushes versions into; None where it pushes nothing."""
    name = standard_component_specs.PUSH_DESTINATION_KEY
    if name not in execution.custom_properties:
        return None
    wanted = pusher_pb2.PushDestination()
    proto_utils.json_to_proto(execution.custom_properties[name].string_value, wanted)
    return wanted.filesystem.base_directory


def unfinished(
    store: mlmd.MetadataStore, executions: Iterable[_Execution], folders: Iterable[str]
) -> dict[int, list[str]]:
    """Returns what executions began to push and did not finish, by their number.

    Args:
      store: ML Metadata.
      executions: of any nodes, none of them at work any more.
      folders: with versions, paths or URIs, in which to look.
    """
    return _found(version_writer.leftovers, store, executions, folders)


def unrecorded(
    store: mlmd.MetadataStore, executions: Iterable[_Execution], folders: Iterable[str]
) -> dict[int, list[str]]:
    """Returns the whole versions of executions that came no further, which no other took over.

    The arguments are those of `unfinished`.
    """
    recorded = {
        _kind_and_version(artifact.custom_properties["pushed_destination"].string_value)
        for artifact in store.get_artifacts_by_type("PushedModel")
    }

    def versions(folder: str, push_ids: Mapping[str, int]) -> dict[str, str]:
        kind = PurePath(folder).name
        known = {version for of_kind, version in recorded if of_kind == kind}
        return version_writer.pushed_by(folder, push_ids, known)

    return _found(versions, store, executions, folders)


def _found(
    look: Callable[[str, Mapping[str, int]], dict[str, str]],
    store: mlmd.MetadataStore,
    executions: Iterable[_Execution],
    folders: Iterable[str],
) -> dict[int, list[str]]:
    """Returns what `look` finds of the executions that push, in all folders."""
    push_ids = {
        push_id(_run(store, execution), execution.id): execution.id
        for execution in executions
        if destination(execution)
    }
    found: dict[int, list[str]] = {}
    for folder in _distinct(folders) if push_ids else []:
        try:
            paths = look(folder, push_ids)
        except Exception as error:  # each store's library has its own; the next run looks again
            logging.warning("cannot look for unfinished pushes: %s", error)
            continue
        for path, push in paths.items():
            found.setdefault(push_ids[push], []).append(path)
    return found


def _distinct(folders: Iterable[str]) -> Iterable[str]:
    """Returns the folders once each, also those that have two names, as by a link."""
    places = {os.path.realpath(stores.local_path(folder) or folder): folder for folder in folders}
    return places.values()


def _run(store: mlmd.MetadataStore, execution: _Execution) -> str:
    contexts = store.get_contexts_by_execution(execution.id)
    return next((context.name for context in contexts if context.type == "pipeline_run"), "")


def _kind_and_version(path: str) -> tuple[str, str]:
    """Returns the path's last parts: those before may be spelled in several ways, as by a link."""
    place = PurePath(path)
    return place.parent.name, place.name
