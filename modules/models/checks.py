"""Finds a model that cannot work, before any data is read."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

from data.errors import ConfigError
from modules.models.leaves import named_leaves
from modules.models.network import Network
from modules.models.protocol import Variables
from modules.models.user_code import fault, place_of

_IMAGES = 4
# Fresh networks often end in zeros, which would hide what the layers before them do.
_NOISE = 0.05
_OF_ONE, _OF_LARGEST = 0.01, 0.02  # what rounding may do, in bfloat16 too


def check(network: Network, is_trained: bool = False) -> None:
    """Tries a model on images of noise.

    Args:
      network: to be trained and exported.
      is_trained: whether it is trained already, so that there need be no gradients.

    Raises:
      ConfigError: it cannot be trained or exported, and why: file, line, what was found.
    """
    _Check(network).run(is_trained)


class _Check:
    """The checks of one network, each of which relies on those before."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._random = np.random.default_rng(0)
        shape = (_IMAGES, network.task.num_pixels)
        self._pixels = self._random.normal(size=shape).astype(np.float32)

    def run(self, is_trained: bool) -> None:
        variables = self._tried(self._network.init, 0)
        self._check_variables(variables)
        moved = self._moved(variables)
        logits = self._logits(moved, self._pixels)
        self._check_logits(logits)
        again = self._logits(moved, self._pixels)
        if not np.array_equal(logits, again):
            raise self._error("apply gave other logits for the same images when asked again")
        alone = self._logits(moved, self._pixels[:1])
        if np.abs(alone[0] - logits[0]).max() > _OF_LARGEST * np.abs(logits).max():
            raise self._error(
                "the logits of an image depend on the others of its batch, also at inference; "
                "normalise by running averages there, as BatchNorm does"
            )
        if not is_trained:
            self._check_training(variables)

    def _check_variables(self, variables: Variables) -> None:
        named = named_leaves(variables)
        for name, leaf in named:
            if not isinstance(leaf, jax.Array | np.ndarray) or jnp.issubdtype(
                leaf.dtype, jax.dtypes.extended
            ):
                raise self._error(
                    f"{name} is {getattr(leaf, 'dtype', type(leaf).__name__)}, expected an array"
                )
        marks = self._tried(self._network.trainable, variables)
        if jax.tree.structure(marks) != jax.tree.structure(variables):
            raise self._error("trainable gave no tree of bool like that of the variables")
        own = [each for each, mark in zip(named, jax.tree.leaves(marks), strict=True) if mark]
        for name, leaf in own:
            if not jnp.issubdtype(leaf.dtype, jnp.floating):
                raise self._error(f"the parameter {name} is {leaf.dtype}, expected floats")
        if not own:
            types = ", ".join(f"{name} is {leaf.dtype}" for name, leaf in named[:3])
            raise self._error(
                f"there are no parameters to train{types and f': {types}'}; expected floats"
            )
        for name, leaf in named:
            if jnp.issubdtype(leaf.dtype, jnp.inexact) and not jnp.isfinite(leaf).all():
                raise self._error(f"{name} is not finite after init")

    def _moved(self, variables: Variables) -> Variables:
        """Returns the variables with noise on what is trained."""

        def moved(leaf: jax.Array, own: bool) -> jax.Array:
            noise = _NOISE * self._random.normal(size=leaf.shape)
            return (leaf + noise).astype(leaf.dtype) if own else leaf

        return jax.tree.map(moved, variables, self._network.trainable(variables))

    def _logits(self, variables: Variables, pixels: np.ndarray) -> np.ndarray:
        """Returns logits, checked as far as their shape goes, of a function that is traced anew."""
        task = self._network.task
        images = pixels.reshape((-1, *task.image_shape))
        model = self._network.model
        logits = self._tried(
            jax.jit(lambda variables, images: model.apply(variables, images, task)),
            variables,
            images,
        )
        expected = (len(pixels), task.num_classes)
        if not isinstance(logits, jax.Array):
            raise self._error(
                f"apply returns {type(logits).__name__}, expected one array of logits"
            )
        if logits.shape != expected:
            raise self._error(
                f"apply gives {list(logits.shape)} for {len(pixels)} images, expected "
                f"{list(expected)}: a number for each of {task.num_classes} classes"
            )
        if not jnp.issubdtype(logits.dtype, jnp.floating):
            raise self._error(f"the logits are {logits.dtype}, expected floats")
        return np.asarray(logits, np.float32)

    def _check_logits(self, logits: np.ndarray) -> None:
        if not np.isfinite(logits).all():
            raise self._error("the logits of images of noise are not finite with fresh parameters")
        if logits.shape[1] < 2:
            return
        for name, found in (
            ("softmax", np.abs(logits.sum(axis=1) - 1).max() if logits.min() >= 0 else np.inf),
            ("log-softmax", np.abs(logsumexp(logits, axis=1)).max()),
        ):
            if found < _OF_ONE:
                raise self._error(
                    f"the network ends in a {name}; leave it out, since the loss takes it"
                )

    def _check_training(self, variables: Variables) -> None:
        """Traces a step of training, forwards and backwards; nothing is computed."""
        network = self._network
        marks = jax.tree.leaves(network.trainable(variables))
        leaves, structure = jax.tree.flatten(variables)

        def loss(params: list, pixels: jax.Array) -> tuple[jax.Array, Any]:
            own = iter(params)
            joined = [next(own) if mark else leaf for leaf, mark in zip(leaves, marks, strict=True)]
            logits, changed = network.train_logits(
                jax.tree.unflatten(structure, joined), pixels, jax.random.key(0)
            )
            return logits.sum(), (logits, changed)

        params = [leaf for leaf, mark in zip(leaves, marks, strict=True) if mark]
        step = jax.value_and_grad(loss, has_aux=True)
        (_, (logits, changed)), _ = self._tried(jax.eval_shape, step, params, self._pixels)
        if logits.shape != (_IMAGES, network.task.num_classes):
            raise self._error(
                f"in training the logits are {list(logits.shape)}, expected "
                f"{[_IMAGES, network.task.num_classes]}"
            )
        if jax.tree.structure(changed) != structure:
            raise self._error("in training the variables change their structure")
        for (name, new), old in zip(named_leaves(changed), leaves, strict=True):
            if (new.shape, new.dtype) != (old.shape, old.dtype):
                raise self._error(
                    f"in training {name} becomes {new.dtype}{list(new.shape)}, and was "
                    f"{old.dtype}{list(old.shape)}"
                )

    def _tried(self, function: Callable, *arguments: Any) -> Any:
        """Calls the user's code; what it raises is told with the user's own line."""
        try:
            return function(*arguments)
        except Exception as error:
            raise fault(error, self._place()) from error

    def _error(self, what: str) -> ConfigError:
        return ConfigError(f"MODEL: {self._place()}: {what}")

    def _place(self) -> str:
        """Returns where the model is made."""
        return place_of(getattr(self._network.model, "source", type(self._network.model)))
