"""What the project needs of a network; `adapters` makes one of what people write."""

from typing import Any, Protocol, runtime_checkable

import jax

from data.task import Task

Variables = Any  # a pytree of arrays: parameters, and state such as batch statistics
Logits = jax.Array  # floating [B, classes], as the last dense layer gives them: no softmax


@runtime_checkable
class Model(Protocol):
    """A network with its parameters outside: arrays in, arrays out, no state of its own.

    Images are normalised float32[B, H, W, C]. A model can be hashed, as a key of what is compiled.
    """

    def init(self, key: jax.Array, task: Task) -> Variables:
        """Returns fresh variables for a task's image shape and number of classes."""

    def apply(self, variables: Variables, images: jax.Array, task: Task) -> Logits:
        """Returns the logits as inference gives them: this is what is exported."""

    def train_apply(
        self, variables: Variables, images: jax.Array, key: jax.Array, task: Task
    ) -> tuple[Logits, Variables]:
        """Returns the logits as training takes them, and the variables with their new state.

        Args:
          variables: as `init` or an earlier step gave them.
          images: of a batch.
          key: for dropout and the like.
          task: that the variables were made for.
        """

    def trainable(self, variables: Variables) -> Any:
        """Returns, for each leaf of the variables, whether gradients change it: a tree of bool."""

    def loops_fast_on_cpu(self, task: Task) -> bool:
        """Returns whether `train_apply` is known to be as fast inside a loop of XLA's on a CPU.

        Where it is not known, the training times the two. XLA's own convolution is many times
        slower in a loop.
        """
