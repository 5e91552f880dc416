"""A model for a task: what the pipeline trains, checks and exports, on images as rows of pixels."""

import dataclasses

import jax

from data.task import Task
from modules.models.protocol import Logits, Model, Variables
from modules.models.widening import widened


@dataclasses.dataclass(frozen=True)
class Network:
    """A model, and the task whose images it takes.

    Pixels are float32[B, num_pixels], normalised, row-major in height, width and channels.
    """

    model: Model
    task: Task

    def init(self, seed: int) -> Variables:
        """Returns fresh variables; the same seed gives the same ones."""
        return self.model.init(jax.random.key(seed), self.task)

    def logits(self, variables: Variables, pixels: jax.Array) -> Logits:
        """Returns the logits float32[B, classes] of inference, which every export computes.

        What the model computes in 16 bits is computed in float32 here; see `widening`.
        """
        return widened(self.model.apply)(variables, self._images(pixels))

    def train_logits(
        self, variables: Variables, pixels: jax.Array, key: jax.Array
    ) -> tuple[Logits, Variables]:
        """Returns the logits of training, and the variables with their new state."""
        return self.model.train_apply(variables, self._images(pixels), key)

    def _images(self, pixels: jax.Array) -> jax.Array:
        return pixels.reshape((-1, *self.task.image_shape))
