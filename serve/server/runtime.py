"""The runtime that mlserver knows: one loaded version of a model."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from mlserver import MLModel
from mlserver.settings import ModelParameters, ModelSettings
from mlserver.types import InferenceRequest, InferenceResponse, MetadataTensor

from serve.server.model.batching import Batcher
from serve.server.model.saved_model import SavedModel
from serve.server.protocols import open_inference

# TensorFlow's own threads share the work of each call.
_THREADS = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="inference")


class SavedModelRuntime(MLModel):
    """A version of a SavedModel; mlserver can load it by itself, and our watcher does.

    Of its settings it reads `parameters.uri`, a folder; `parameters.version`; `max_batch_size`, in
    images; and `max_batch_time`, in seconds.

    Attributes:
      model: what is loaded.
    """

    model: SavedModel

    async def load(self) -> bool:
        """Loads and warms it up, in a thread.

        Raises:
          serve.server.model.pushed.RefusedError: it is not fit to be served.
        """
        self.model = await asyncio.to_thread(self._loaded)
        settings = self.settings
        self.inputs = [MetadataTensor(**one) for one in open_inference.input_metadata(self.model)]
        self.outputs = [MetadataTensor(**one) for one in open_inference.output_metadata(self.model)]
        settings.platform = "tensorflow_savedmodel"
        settings.versions = [self.version] if self.version else []
        self._batcher = Batcher(
            self.model.logits, _THREADS, max(settings.max_batch_size, 1), settings.max_batch_time
        )
        return True

    def _loaded(self) -> SavedModel:
        model = SavedModel(Path(self.settings.parameters.uri))
        model.warm_up()
        return model

    def forget(self) -> None:
        """Lets go of the model, for which nobody waits any more."""
        del self.model, self._batcher

    async def logits(self, images: np.ndarray) -> np.ndarray:
        """Returns float32[B, classes] for checked images, float32[B, pixels]."""
        return await self._batcher.logits(images)

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answers one request as mlserver gives it, for a server without our protocols."""
        inputs = [
            {"name": one.name, "datatype": one.datatype, "shape": one.shape, "data": one.data.root}
            for one in payload.inputs
        ]
        images = open_inference.images_of(inputs, self.model)
        names = open_inference.outputs_of(
            [{"name": one.name} for one in payload.outputs or ()], self.model
        )
        found = open_inference.arrays(await self.logits(images), names)
        outputs = [
            {**tensor, "data": tensor["data"].tolist()} for tensor in open_inference.tensors(found)
        ]
        return InferenceResponse(
            model_name=self.name, model_version=self.version, id=payload.id, outputs=outputs
        )


def new_runtime(
    name: str, version: str, folder: Path, max_batch: int, max_wait: float
) -> SavedModelRuntime:
    """Returns a runtime that is not loaded yet.

    Args:
      name: of the model.
      version: a number.
      folder: of the SavedModel.
      max_batch: images that go through it together.
      max_wait: seconds to wait for so many.
    """
    settings = ModelSettings(
        _env_file=None,
        name=name,
        implementation=SavedModelRuntime,
        max_batch_size=max_batch,
        max_batch_time=max_wait,
        parameters=ModelParameters(_env_file=None, uri=str(folder), version=version),
    )
    return SavedModelRuntime(settings)
