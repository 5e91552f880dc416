"""Pushes the SavedModel without the device model that lies beside it."""

import os
import shutil

from tfx.components.pusher import executor
from tfx.types import Artifact

from modules import features


class Executor(executor.Executor):
    """TFX's Pusher, given a copy of the SavedModel to push."""

    def GetModelPath(self, input_dict: dict[str, list[Artifact]]) -> str:  # noqa: N802 - TFX's name
        """Returns a folder with the SavedModel alone; the Evaluators need both in one artifact."""
        copy = os.path.join(self._get_tmp_dir(), "saved_model")
        shutil.copytree(
            super().GetModelPath(input_dict),
            copy,
            ignore=shutil.ignore_patterns(features.TFLITE_FILE),
        )
        return copy
