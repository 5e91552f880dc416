"""Four ways to a classifier from a few labelled images, in plain Keras; two reuse the base."""

import dataclasses
from collections.abc import Iterator

import keras
import numpy as np

from modules import features
from modules.export.saved_model import SERVE_FEATURES

BATCH_SIZE = 32
_TEST_BATCH = 512

ON_PIXELS, ON_EXTRACTOR = "head on raw pixels", "head on the extractor"
THEN_ALL, FROM_SCRATCH = "head, then all", "CNN from scratch"
METHODS = (ON_PIXELS, ON_EXTRACTOR, THEN_ALL, FROM_SCRATCH)
# Of Adam, chosen on validation images, see docs/saved-model.md#reuse-measured.
RATES = {ON_PIXELS: 0.003, ON_EXTRACTOR: 0.003, THEN_ALL: 0.0003, FROM_SCRATCH: 0.001}


@dataclasses.dataclass(frozen=True)
class Training:
    """A training that each method does in its way.

    Attributes:
      base: folder of the SavedModel that is reused.
      image_shape: height, width, channels.
      num_classes: length of the logits.
      steps: of the optimizer, for each method.
      seed: of the fresh weights and of the order of the images.
      rates: the learning rate of each method.
    """

    base: str
    image_shape: tuple[int, int, int]
    num_classes: int
    steps: int
    seed: int
    rates: dict[str, float] = dataclasses.field(default_factory=RATES.copy)

    def pixels(self) -> keras.KerasTensor:
        """Returns the input of a model, raw float32[B, H*W*C] in [0, 1]."""
        return keras.Input((int(np.prod(self.image_shape)),))

    def head(self) -> keras.layers.Dense:
        """Returns a fresh last layer."""
        return keras.layers.Dense(self.num_classes)


def trained(
    training: Training, images: np.ndarray, labels: np.ndarray
) -> Iterator[tuple[str, keras.Model]]:
    """Yields the name and the model of each method in turn.

    They get the same images in the same batches, the same head, optimizer and number of steps. The
    models that reuse the base share its weights: use each before the next is asked for.

    Args:
      training: what to do.
      images: raw float32[N, H*W*C] in [0, 1].
      labels: int64[N].

    Raises:
      RuntimeError: weights of the base moved that should not, or did not that should.
    """
    keras.utils.set_random_seed(training.seed)
    batches, rates = _batches(len(labels), training), training.rates
    halfway = training.steps // 2

    pixels = training.pixels()
    model = keras.Model(pixels, training.head()(pixels))
    fit(model, images, labels, batches, rates[ON_PIXELS])
    yield ON_PIXELS, model

    base = keras.layers.TFSMLayer(training.base, call_endpoint=SERVE_FEATURES)
    extractor = keras.Model(pixels, base(pixels)[features.FEATURES])
    head = training.head()
    model = keras.Model(pixels, head(extractor.output))
    as_saved = [weight.numpy() for weight in base.weights]

    # What does not move gives the same features in each step, so once is enough.
    base.trainable = False
    known = extractor.predict(images, _TEST_BATCH, verbose=0)
    of_features = keras.Input(known.shape[1:])
    head_alone = keras.Model(of_features, head(of_features))
    fit(head_alone, known, labels, batches[:halfway], rates[ON_EXTRACTOR])
    half_trained = head.get_weights()
    fit(head_alone, known, labels, batches[halfway:], rates[ON_EXTRACTOR])
    check_moved(base, as_saved)
    yield ON_EXTRACTOR, model

    head.set_weights(half_trained)
    base.trainable = True
    fit(model, images, labels, batches[halfway:], rates[THEN_ALL])
    check_moved(base, as_saved)
    yield THEN_ALL, model

    model = from_scratch(training)
    fit(model, images, labels, batches, rates[FROM_SCRATCH])
    yield FROM_SCRATCH, model


def from_scratch(training: Training) -> keras.Model:
    """Returns the network of `modules/models/cnn.py` in Keras, with fresh weights."""
    pixels = training.pixels()
    x = keras.layers.Reshape(training.image_shape)(pixels)
    for filters in (32, 64):
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.AveragePooling2D(2, padding="same")(x)
    x = keras.layers.Dense(256, activation="relu")(keras.layers.Flatten()(x))
    return keras.Model(pixels, training.head()(x))


def fit(
    model: keras.Model, inputs: np.ndarray, labels: np.ndarray, batches: np.ndarray, rate: float
) -> None:
    """Trains what is trainable of a model for a step with each of the batches.

    Args:
      model: to train.
      inputs: float32[N, ...].
      labels: int64[N].
      batches: int64[steps, B], rows of these.
      rate: Adam's learning rate.
    """
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, jit_compile=False)
    # Here and not in the first step, where Keras 3.15 makes a scope of the name of each weight, and
    # TensorFlow takes none with the ":0" that ends the names of a SavedModel's variables.
    model.optimizer.build(model.trainable_variables)
    rows = batches.reshape(-1)
    model.fit(inputs[rows], labels[rows], batches.shape[1], shuffle=False, verbose=0)


def check_moved(base: keras.Layer, before: list[np.ndarray]) -> None:
    """Raises RuntimeError unless just those weights moved that are trainable.

    A SavedModel may well load, fit, and never train.

    Args:
      base: the layer that holds it; if it is trainable, some of its weights have to be.
      before: its weights before the training.
    """
    trainable = {id(weight) for weight in base.trainable_weights}
    if base.trainable and not trainable:
        raise RuntimeError("the base was to be trained, and none of its weights can be")
    for weight, old in zip(base.weights, before, strict=True):
        has_moved = not np.array_equal(weight.numpy(), old)
        if has_moved != (id(weight) in trainable):
            fault = "moved, and was to stay" if has_moved else "was to be trained, and did not move"
            raise RuntimeError(f"the weight {weight.name} of the base {fault}")


def accuracy(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    """Returns the share of images float32[N, H*W*C] whose largest logit is their label's."""
    logits = model.predict(images, _TEST_BATCH, verbose=0)
    return float(np.mean(logits.argmax(axis=1) == labels))


def _batches(count: int, training: Training) -> np.ndarray:
    """Returns int64[steps, B] rows out of `count`: all of them, in a new order each time."""
    size = min(BATCH_SIZE, count)
    generator = np.random.default_rng(training.seed)
    rounds = -(-training.steps * size // count)
    rows = np.concatenate([generator.permutation(count) for _ in range(rounds)])
    return rows[: training.steps * size].reshape(training.steps, size)
