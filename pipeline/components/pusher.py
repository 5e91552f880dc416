"""What both Pushers run: TFX's checks, and a push that readers see all of or nothing."""

import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx.components.pusher import executor
from tfx.proto import pusher_pb2
from tfx.types import Artifact, artifact_utils, standard_component_specs
from tfx.utils import json_utils, proto_utils

from modules import features
from pipeline.storage import pushes, version_writer

PIPELINE_KEY = "pipeline"  # in custom_config: the pipeline's name, which Kubeflow does not tell


class Executor(executor.Executor):
    """TFX's Pusher, with version_writer.py to write the version.

    The SavedModel is pushed without the device model that lies beside it: the Evaluators need both
    in one artifact.
    """

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model if it is blessed, and keeps a copy of it as TFX's does.

        Raises:
          version_writer.PushError: it cannot be written; then there is no version of it.
        """
        pushed = artifact_utils.get_single_instance(
            output_dict[standard_component_specs.PUSHED_MODEL_KEY]
        )
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed)
            return
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(
            exec_properties[standard_component_specs.PUSH_DESTINATION_KEY], destination
        )
        folder = destination.filesystem.base_directory
        custom = json_utils.loads(
            exec_properties.get(standard_component_specs.CUSTOM_CONFIG_KEY) or "{}"
        )
        source = _files(Path(self.GetModelPath(input_dict)))
        # First: when the version is there, nothing is left that could fail but TFX's own record.
        _keep(source, Path(pushed.uri))
        version = version_writer.push(
            source, folder, self._push_id(), (custom or {}).get(PIPELINE_KEY, "")
        )
        self._MarkPushed(
            pushed, pushed_destination=version, pushed_version=os.path.basename(version)
        )

    def _push_id(self) -> str:
        context = self._context
        if not context:
            return uuid.uuid4().hex[:16]
        return pushes.push_id(context.pipeline_run_id or "", context._unique_id)


def _files(model: Path) -> dict[str, Path]:
    """Returns the files of a model by their path in it."""
    files = {path.relative_to(model).as_posix(): path for path in model.rglob("*")}
    return {
        name: path
        for name, path in sorted(files.items())
        if path.is_file() and name != features.TFLITE_FILE
    }


def _keep(source: Mapping[str, Path], folder: Path) -> None:
    for name, path in source.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(path, target)
        except OSError as error:
            raise version_writer.PushError(
                f"cannot write to {folder} ({os.strerror(error.errno or 0)}); nothing was pushed"
            ) from error
