"""Lets executors that know only local files work on artifacts in object stores.

What an executor reads is first copied into a temporary folder; what it writes is copied to its URI
after it has ended well. Each executor gets a subclass that does this. The subclass is named by its
own class path, so every orchestrator can import it just as it imports the executor.
"""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.base.executor_spec import BeamExecutorSpec, ExecutorClassSpec
from tfx.orchestration.portable import outputs_utils
from tfx.proto.orchestration import execution_result_pb2
from tfx.types import Artifact
from tfx.utils import import_utils, name_utils

from pipeline.storage import (
    store_copies,
    stores,
    tfx_plugin,  # noqa: F401 - the orchestrator's own file operations need it
)

_PREFIX = "Staged__"
_DOT = "__"

_Artifacts = dict[str, list[Artifact]]


class _Staged(BaseExecutor):
    """Comes before an executor in the order of its subclass's bases."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: _Artifacts,
        output_dict: _Artifacts,
        exec_properties: dict[str, Any],
    ) -> execution_result_pb2.ExecutorOutput | None:
        """Runs the executor on local copies; outputs are copied to their URIs if it succeeds."""
        with tempfile.TemporaryDirectory(prefix="staged-") as folder:
            self._staging_folder = folder
            inputs = _places(input_dict, Path(folder, "inputs"))
            outputs = _places(output_dict, Path(folder, "outputs"))
            for uri, place in inputs.items():
                store_copies.download(uri, Path(place))
            artifacts = [*_all(input_dict), *_all(output_dict)]
            try:
                _rename(artifacts, {**inputs, **outputs})
                outputs_utils.make_output_dirs(output_dict)
                result = super().Do(input_dict, output_dict, exec_properties)
                for uri, place in outputs.items():
                    store_copies.upload(Path(place), uri)
            finally:
                back = {place: uri for uri, place in {**inputs, **outputs}.items()}
                # An executor may have put others in the place of those that it was given.
                _rename([*artifacts, *_all(output_dict)], back)
            if result:
                for returned in result.output_artifacts.values():
                    _rename(returned.artifacts, back)
            return result

    def _get_tmp_dir(self) -> str:
        """Returns a local folder, also where TFX would have given one beside the artifacts."""
        return tempfile.mkdtemp(dir=self._staging_folder)


def stage(components: Iterable[BaseNode], beam: bool) -> None:
    """Gives components the executors that know object stores.

    Args:
      components: whose executors are replaced; nodes without one stay as they are.
      beam: whether also those that run on Beam; its workers have to see the local copies then.
    """
    for component in components:
        spec = getattr(component, "executor_spec", None)
        if not isinstance(spec, ExecutorClassSpec):
            continue
        if issubclass(spec.executor_class, BaseBeamExecutor) and not beam:
            continue
        replacement = type(spec)(staged(spec.executor_class))
        replacement.add_extra_flags(spec.extra_flags)
        if isinstance(replacement, BeamExecutorSpec):
            replacement.add_beam_pipeline_args(spec.beam_pipeline_args)
        component.executor_spec = replacement


def staged(executor: type[BaseExecutor]) -> type[BaseExecutor]:
    """Returns the executor's subclass that knows object stores."""
    return __getattr__(_PREFIX + name_utils.get_full_name(executor).replace(".", _DOT))


def __getattr__(name: str) -> type[BaseExecutor]:
    """Makes a staged executor when TFX imports it by its class path."""
    if not name.startswith(_PREFIX):
        raise AttributeError(f"module {__name__} has no attribute {name}")
    executor = import_utils.import_class_by_path(name.removeprefix(_PREFIX).replace(_DOT, "."))
    made = type(name, (_Staged, executor), {"__module__": __name__, "__doc__": executor.__doc__})
    return globals().setdefault(name, made)


def _all(artifacts: Mapping[str, list[Artifact]]) -> list[Artifact]:
    return [artifact for each in artifacts.values() for artifact in each]


def _places(artifacts: Mapping[str, list[Artifact]], folder: Path) -> dict[str, str]:
    """Returns a path in the folder for the URI of each artifact in an object store."""
    uris = dict.fromkeys(artifact.uri for artifact in _all(artifacts))
    return {
        uri: str(folder / str(number) / Path(uri).name)
        for number, uri in enumerate(uris)
        if stores.is_uri(uri)
    }


def _rename(
    artifacts: Iterable[Artifact | metadata_store_pb2.Artifact], names: Mapping[str, str]
) -> None:
    """Replaces the artifacts' URIs, and those that their properties speak of."""
    for artifact in artifacts:
        proto = getattr(artifact, "mlmd_artifact", artifact)
        proto.uri = names.get(proto.uri, proto.uri)
        for value in proto.custom_properties.values():
            if value.string_value in names:
                value.string_value = names[value.string_value]
