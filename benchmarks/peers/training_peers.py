"""What our training is measured against: the same network, trained as others train it.

Most functions here take images and labels and return a turn: an epoch of training over them. Then
there is what a machine can do at best, and what a step asks of it. Imports JAX only; Keras and
PyTorch are imported where they are used.
"""

import os
import time
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax.training.train_state import TrainState

from benchmarks.turns import Turn
from data.task import Task
from modules.models import cnn
from modules.models.network import Network

TUTORIAL_BATCH_SIZE, _TUTORIAL_EPOCHS = 32, 10
_LEARNING_RATE, _MOMENTUM = 0.1, 0.9  # the tutorial's
NETWORK = Network(cnn.MODEL, Task("digits", (28, 28, 1), tuple("0123456789")))
_NUM_CLASSES = NETWORK.task.num_classes
_IMAGE_SHAPE = NETWORK.task.image_shape
_MATRIX, _PRODUCTS = 2048, 5


def tutorial_loop(images: np.ndarray, labels: np.ndarray) -> Turn:
    """Returns the loop of Flax's MNIST tutorial, one compiled step after the other; it is compiled.

    Source: https://github.com/google/flax/tree/main/examples/mnist. The batches are cut out by
    NumPy, which on a CPU is a little faster than the tutorial's indexing of a JAX array.

    Args:
      images: normalised float32[N, 784].
      labels: int[N], 0 to 9.
    """
    images, labels = images.reshape(-1, *_IMAGE_SHAPE), np.asarray(labels, np.int32)
    network = cnn.CNN(_NUM_CLASSES)
    state = TrainState.create(
        apply_fn=network.apply,
        params=NETWORK.init(0)["params"],
        tx=optax.sgd(_LEARNING_RATE, _MOMENTUM),
    )
    generator = np.random.default_rng(0)
    first = slice(TUTORIAL_BATCH_SIZE)
    jax.block_until_ready(_update(state, _apply(state, images[first], labels[first])[0]))

    def epoch() -> tuple[int, float]:
        nonlocal state
        started = time.perf_counter()
        batches = _batches(generator, len(images), TUTORIAL_BATCH_SIZE)
        losses, accuracies = [], []
        for rows in batches:
            grads, loss, accuracy = _apply(state, images[rows], labels[rows])
            state = _update(state, grads)
            losses.append(loss)
            accuracies.append(accuracy)
        np.mean(losses), np.mean(accuracies)
        jax.block_until_ready(state)
        return batches.size, time.perf_counter() - started

    return epoch


@jax.jit
def _apply(
    state: TrainState, images: jax.Array, labels: jax.Array
) -> tuple[dict, jax.Array, jax.Array]:
    """Returns (gradients, loss, accuracy) for float32[B, 28, 28, 1] and int32[B]."""

    def loss_fn(params: dict) -> tuple[jax.Array, jax.Array]:
        logits = state.apply_fn({"params": params}, images)
        targets = jax.nn.one_hot(labels, _NUM_CLASSES)
        return optax.softmax_cross_entropy(logits, targets).mean(), logits

    (loss, logits), grads = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
    return grads, loss, jnp.mean(logits.argmax(axis=1) == labels)


@jax.jit
def _update(state: TrainState, grads: dict) -> TrainState:
    return state.apply_gradients(grads=grads)


def _batches(generator: np.random.Generator, count: int, batch_size: int) -> np.ndarray:
    """Returns rows int64[steps, batch_size] in random order, without a batch that is not full."""
    steps = count // batch_size
    return generator.permutation(count)[: steps * batch_size].reshape(steps, batch_size)


def time_tutorial(images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Times an epoch of the tutorial's loop, and computes from it the time of all its epochs."""
    started = time.perf_counter()
    epoch = tutorial_loop(images, labels)
    compile_seconds = time.perf_counter() - started
    count, seconds = epoch()
    return {
        "compile_s": round(compile_seconds, 2),
        "images_per_second": round(count / seconds),
        "epochs": _TUTORIAL_EPOCHS,
        "train_s_extrapolated_from_one_epoch": round(_TUTORIAL_EPOCHS * seconds, 1),
    }


def keras_network(policy: str = "float32") -> Any:
    """Returns the network in Keras, which is imported here; arguments as below."""
    import keras

    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input(_IMAGE_SHAPE),
            layers.Conv2D(32, 3, padding="same", activation="relu", dtype=policy),
            layers.AveragePooling2D(2, dtype=policy),
            layers.Conv2D(64, 3, padding="same", activation="relu", dtype=policy),
            layers.AveragePooling2D(2, dtype=policy),
            layers.Flatten(dtype=policy),
            layers.Dense(256, activation="relu", dtype=policy),
            layers.Dense(_NUM_CLASSES, dtype="float32"),
        ]
    )


def keras_fit(images: np.ndarray, labels: np.ndarray, batch_size: int, policy: str) -> Turn:
    """Returns Keras's `fit` on the TensorFlow backend, less what it does before the epoch begins.

    Args:
      images: normalised float32[N, 784].
      labels: int[N], 0 to 9.
      batch_size: images a step.
      policy: Keras's dtype policy; the last layer stays float32, as its manual says.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    network = keras_network(policy)
    network.compile(
        optimizer=keras.optimizers.SGD(_LEARNING_RATE, _MOMENTUM),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    images = images.reshape(-1, *_IMAGE_SHAPE)
    times: list[float] = []
    clock = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda *_: times.append(time.perf_counter()),
        on_epoch_end=lambda *_: times.append(time.perf_counter()),
    )

    def epoch() -> tuple[int, float]:
        network.fit(images, labels, batch_size, verbose=0, callbacks=[clock])
        return len(images), times[-1] - times[-2]

    return epoch


def torch_loop(images: np.ndarray, labels: np.ndarray, batch_size: int) -> Turn:
    """Returns PyTorch's usual loop; arguments as above."""
    import torch

    network = torch.nn.Sequential(
        *(torch.nn.Conv2d(1, 32, 3, padding=1), torch.nn.ReLU(), torch.nn.AvgPool2d(2)),
        *(torch.nn.Conv2d(32, 64, 3, padding=1), torch.nn.ReLU(), torch.nn.AvgPool2d(2)),
        *(torch.nn.Flatten(), torch.nn.Linear(7 * 7 * 64, 256), torch.nn.ReLU()),
        torch.nn.Linear(256, _NUM_CLASSES),
    )
    optimizer = torch.optim.SGD(network.parameters(), _LEARNING_RATE, _MOMENTUM)
    pixels = torch.tensor(images.reshape(-1, 1, *_IMAGE_SHAPE[:2]))
    targets = torch.tensor(labels, dtype=torch.int64)
    generator = np.random.default_rng(0)

    def epoch() -> tuple[int, float]:
        started = time.perf_counter()
        batches = torch.from_numpy(_batches(generator, len(images), batch_size))
        for rows in batches:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(pixels[rows]), targets[rows]).backward()
            optimizer.step()
        return batches.numel(), time.perf_counter() - started

    return epoch


def matrix_product(dtype: str, images: np.ndarray, labels: np.ndarray) -> Turn:
    """Returns a turn that multiplies two 2048x2048 matrices, and does not look at the images.

    The turn gives floating-point operations, products and sums apart, and the seconds of the
    fastest of five such products.

    Args:
      dtype: of the factors; the product is float32.
      images: of the other contenders.
      labels: of the other contenders.
    """
    del images, labels
    matrix = jax.random.normal(jax.random.key(0), (_MATRIX, _MATRIX), dtype)
    product = jax.jit(partial(jnp.dot, preferred_element_type=jnp.float32))

    def turn() -> tuple[int, float]:
        seconds = []
        for _ in range(_PRODUCTS):
            started = time.perf_counter()
            product(matrix, matrix).block_until_ready()
            seconds.append(time.perf_counter() - started)
        return 2 * _MATRIX**3, min(seconds)

    return turn


def flops_of_an_image() -> int:
    """Returns the floating-point operations of a step for one image, products and sums apart.

    Counted are convolutions, done directly, and dense layers: forward once, backward twice, but for
    the gradient of the first layer's input.
    """
    params = NETWORK.shapes()["params"]
    positions, forward, first = NETWORK.task.num_pixels, 0, 0
    for layer in sorted(params):  # Conv_0, Conv_1, ..., which pooling follows, then dense ones
        kernel = params[layer]["kernel"]
        is_convolution = len(kernel.shape) == 4
        flops = 2 * kernel.size * (positions if is_convolution else 1)
        first = first or flops
        forward += flops
        positions //= 4 if is_convolution else 1
    return 3 * forward - first
