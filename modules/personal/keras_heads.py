"""Keras models as heads. They are traced in a process of their own, where Keras runs on JAX.

In this one Keras may run on TensorFlow, as TFT and TFMA want it, and has one backend only. What
goes from one process to the other is what `jax.export` serializes.
"""

import dataclasses
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.export
import numpy as np

from data.errors import ConfigError
from data.files import PROJECT_ROOT
from modules.personal.heads import Head

_APPLY, _PENALTY, _INITIAL = "apply.bin", "penalty.bin", "initial.npz"


@dataclasses.dataclass(frozen=True)
class KerasHead:
    """See `keras_head`."""

    make: Callable[[int, int], Any]


def keras_head(make: Callable[[int, int], Any]) -> KerasHead:
    """Makes a head of a Keras model that maps features float32[B, size] to logits.

    What it declares as regularization is the penalty. It is run as in inference, so that nothing
    drops out.

    Args:
      make: returns the model for the features of an image and a number of classes.
    """
    return KerasHead(make)


def traced(path: str, size: int, num_classes: int) -> Head:
    """Returns the Keras head of a file as a head of JAX.

    Args:
      path: of a Python file whose HEAD is a `KerasHead`.
      size: features of an image.
      num_classes: outputs.

    Raises:
      ConfigError: Keras cannot build it, or JAX cannot trace it.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", __name__, path, str(size), str(num_classes), folder]
        done = subprocess.run(
            command,
            cwd=PROJECT_ROOT,
            env={**os.environ, "KERAS_BACKEND": "jax"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no message"]
            raise ConfigError(f"{path}: Keras cannot make this head: {lines[-1]}")
        files = Path(folder)
        apply, penalty = (
            jax.export.deserialize(bytearray((files / name).read_bytes())).call
            for name in (_APPLY, _PENALTY)
        )
        with np.load(files / _INITIAL) as saved:
            initial = dict(saved)
    return Head(
        lambda key, size, num_classes: initial,
        lambda params, features, num_classes: apply(list(params.values()), features),
        lambda params: penalty(list(params.values())),
    )


def main(path: str, size: str, num_classes: str, folder: str) -> None:
    """Traces the head of a file, and writes what `traced` reads."""
    from modules.personal.loading import run_file  # here: it imports this module

    import keras  # isort: skip - with the backend that the environment says

    keras.utils.set_random_seed(0)
    model = run_file(path).make(int(size), int(num_classes))
    model.build((None, int(size)))
    states = [variable.value for variable in model.non_trainable_variables]

    def losses(params: list, features: jax.Array) -> tuple[jax.Array, list]:
        logits, _, losses = model.stateless_call(
            params, states, features, training=False, return_losses=True
        )
        return logits, losses

    def penalty(params: list) -> jax.Array:
        return sum(losses(params, np.zeros((1, int(size)), np.float32))[1], np.float32(0))

    params = [variable.value for variable in model.trainable_variables]
    (rows,) = jax.export.symbolic_shape("b")
    features = jax.ShapeDtypeStruct((rows, int(size)), np.float32)
    for name, function, args in (
        (_APPLY, lambda params, features: losses(params, features)[0], (params, features)),
        (_PENALTY, penalty, (params,)),
    ):
        exported = jax.export.export(jax.jit(function))(*args)
        Path(folder, name).write_bytes(exported.serialize(vjp_order=1))
    named = {f"{place}_{_name(variable)}": variable for place, variable in _numbered(model)}
    np.savez(Path(folder, _INITIAL), **{name: np.asarray(v.value) for name, v in named.items()})


def _numbered(model: Any) -> list[tuple[str, Any]]:
    width = len(str(len(model.trainable_variables)))
    return [(f"{place:0{width}}", each) for place, each in enumerate(model.trainable_variables)]


def _name(variable: Any) -> str:
    return "_".join(variable.path.split("/")[-2:])


if __name__ == "__main__":
    main(*sys.argv[1:])
