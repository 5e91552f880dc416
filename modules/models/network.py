"""A model for a task: what the pipeline trains, checks and exports, on images as rows of pixels."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp

from data.task import Task
from modules.jaxprs.widening import widened
from modules.models.protocol import Logits, Model, Variables


@dataclasses.dataclass(frozen=True)
class Network:
    """A model, and the task whose images it takes.

    Pixels are float32[B, num_pixels], normalised, row-major in height, width and channels. Logits
    are float32[B, classes], whatever the model computes in.
    """

    model: Model
    task: Task

    def init(self, seed: int) -> Variables:
        """Returns fresh variables; the same seed gives the same ones."""
        return self.model.init(jax.random.key(seed), self.task)

    def shapes(self) -> Variables:
        """Returns the shapes and dtypes of the variables, without computing any."""
        return jax.eval_shape(lambda: self.init(0))

    def logits(self, variables: Variables, pixels: jax.Array) -> Logits:
        """Returns the logits of inference, which every export computes.

        What the model computes in 16 bits is computed in float32 here; see `widening`.
        """
        apply = widened(partial(self.model.apply, task=self.task))
        return apply(variables, self._images(pixels)).astype(jnp.float32)

    def train_logits(
        self, variables: Variables, pixels: jax.Array, key: jax.Array
    ) -> tuple[Logits, Variables]:
        """Returns the logits of training, and the variables with their new state."""
        logits, variables = self.model.train_apply(variables, self._images(pixels), key, self.task)
        return logits.astype(jnp.float32), variables

    def trainable(self, variables: Variables) -> Variables:
        """Returns, for each leaf of the variables, whether gradients change it."""
        return self.model.trainable(variables)

    @property
    def loops_fast_on_cpu(self) -> bool:
        """Whether training steps are known to be as fast inside a loop of XLA's on a CPU."""
        return self.model.loops_fast_on_cpu(self.task)

    def _images(self, pixels: jax.Array) -> jax.Array:
        return pixels.reshape((-1, *self.task.image_shape))
