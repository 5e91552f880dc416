"""The SavedModel as others take it: TF Hub and Keras load it, train it, and their weights move."""

import warnings
from pathlib import Path

import jax
import numpy as np
import pytest
import tensorflow as tf

from modules.export import saved_model
from modules.export.trained import Trained
from modules.models import mlp, pure
from modules.models.network import Network
from tests.support.digit_models import DigitModels
from tests.support.networks.exports import TASK, Exports

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it imports pkg_resources, which warns
    import tensorflow_hub as hub
import keras
import tf_keras

LABELS = np.arange(200) % 10


def moved(layer: object, before: list[np.ndarray]) -> list[bool]:
    pairs = zip(layer.weights, before, strict=True)
    return [bool(np.any(weight.numpy() != old)) for weight, old in pairs]


@pytest.mark.parametrize("trainable", [True, False])
def test_hub_layer_trains_what_it_should(
    models_dir: str, images: np.ndarray, trainable: bool
) -> None:
    """A base that loads, fits and never trains would fail here."""
    layer = hub.KerasLayer(models_dir, trainable=trainable, input_shape=(784,))
    model = tf_keras.Sequential([layer, tf_keras.layers.Dense(10)])
    loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(tf_keras.optimizers.SGD(0.05), loss)
    model.build((None, 784))
    before = [weight.numpy() for weight in layer.weights]
    history = model.fit(images, LABELS, epochs=3, batch_size=50, verbose=0).history["loss"]
    assert len(layer.trainable_weights) == (8 if trainable else 0)
    assert moved(layer, before) == [trainable] * 8
    assert history[-1] < history[0]


def test_hub_layer_of_the_feature_extractor(models_dir: str, images: np.ndarray) -> None:
    loaded = hub.load(models_dir)
    layer = hub.KerasLayer(loaded.feature_extractor, trainable=True)
    model = tf_keras.Sequential([layer, tf_keras.layers.Dense(2)])
    model.compile("sgd", tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    pictures = images.reshape((-1, 28, 28, 1))
    assert model(pictures[:3]).shape == (3, 2)
    before = [weight.numpy() for weight in layer.weights]
    model.fit(pictures, LABELS % 2, epochs=1, batch_size=50, verbose=0)
    assert moved(layer, before) == [True] * 6  # without the two of the last layer


@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("endpoint", ["__call__", "predict_features"])
def test_keras_layer(models_dir: str, images: np.ndarray, endpoint: str, trainable: bool) -> None:
    base = keras.layers.TFSMLayer(models_dir, call_endpoint=endpoint, trainable=trainable)
    inputs = keras.Input((784,))
    outputs = base(inputs)
    outputs = outputs["features"] if isinstance(outputs, dict) else outputs
    model = keras.Model(inputs, keras.layers.Dense(10)(outputs))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    before = [weight.numpy() for weight in base.weights]
    model.fit(images, LABELS, epochs=1, batch_size=50, verbose=0)
    assert len(before) == (8 if endpoint == "__call__" else 6)
    assert moved(base, before) == [trainable] * len(before)


def test_gradients_are_those_of_jax(
    models_dir: str, images: np.ndarray, trained: Trained, digit_models: DigitModels
) -> None:
    def loss(variables: dict) -> jax.Array:
        logits = trained.network.logits(variables, digit_models.normalized[:8])
        return -jax.nn.log_softmax(logits)[np.arange(8), LABELS[:8]].sum()

    loaded = tf.saved_model.load(models_dir)
    with tf.GradientTape() as tape:
        found = tf.nn.sparse_softmax_cross_entropy_with_logits(LABELS[:8], loaded(images[:8]))
    gradients = tape.gradient(found, loaded.trainable_variables)
    expected = jax.tree.leaves(jax.grad(loss)(trained.variables))
    for ours, theirs in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
        assert np.any(ours != 0)


@pytest.mark.parametrize("sizes", [(), (1, 16, 128)])
def test_each_batch_size_gives_what_jax_gives(
    tmp_path: Path, images: np.ndarray, exports: Exports, sizes: tuple[int, ...]
) -> None:
    """For the pure JAX model; `test_round_trip` has the Flax one."""
    network = Network(mlp.MODEL, TASK)
    trained = Trained(network, network.init(0), exports.tft_output)
    assert saved_model.save_saved_model(trained, str(tmp_path), sizes) == []
    loaded = tf.saved_model.load(str(tmp_path))
    expected = np.asarray(network.logits(trained.variables, exports.normalized))
    rows = np.resize(np.arange(100), 128)
    for size in (1, 16, 128):
        by_row, by_image = (
            loaded(exports.images[rows[:size]].reshape((size, *shape)))
            for shape in ((768,), TASK.image_shape)
        )
        np.testing.assert_allclose(by_row, expected[rows[:size]], atol=1e-5)
        np.testing.assert_array_equal(by_row, by_image)
    features = loaded.feature_extractor(exports.images[:1])
    assert features.shape[0] == 1
    if sizes:
        with pytest.raises(ValueError, match=r"shape=\(1, 768\)(.|\n)*shape=\(128, 768\)"):
            loaded(exports.images[:7])
        for name in ("predict_images", "predict_features"):
            with pytest.raises(tf.errors.InvalidArgumentError, match="1, 16 or 128 images"):
                loaded.signatures[name](image_floats=tf.constant(exports.images[:7]))
        found = saved_model.predict_saved_model(str(tmp_path), exports.images)
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_names_that_tensorflow_does_not_take(tmp_path: Path, exports: Exports) -> None:
    """And state: it is there, and nothing trains it."""
    odd = {"ä b.c": np.eye(768, 7, dtype=np.float32), "_count": np.int32(3)}
    model = pure(
        lambda key, task: odd,
        lambda tree, x: x.reshape((len(x), -1)) @ tree["ä b.c"] * tree["_count"],
    )
    trained = Trained(Network(model, TASK), odd, exports.tft_output)
    saved_model.save_saved_model(trained, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    assert [variable.name for variable in loaded.variables] == ["leaf_count:0", "leaf__b.c:0"]
    assert [variable.name for variable in loaded.trainable_variables] == ["leaf__b.c:0"]


def test_a_network_whose_gradient_cannot_be_had(tmp_path: Path, exports: Exports) -> None:
    """It is served all the same, and says that nothing of it can be trained."""

    @jax.custom_jvp
    def product(x: jax.Array, kernel: jax.Array) -> jax.Array:
        return x @ kernel

    @product.defjvp
    def _no_gradient(primals: tuple, tangents: tuple) -> tuple:
        raise NotImplementedError("no gradient here\nat all")

    kernel = np.eye(768, 7, dtype=np.float32)
    model = pure(lambda key, task: kernel, lambda k, x: product(x.reshape((len(x), -1)), k))
    trained = Trained(Network(model, TASK), kernel, exports.tft_output)
    lacks = saved_model.save_saved_model(trained, str(tmp_path))
    assert lacks[0] == "the SavedModel cannot be trained further: no gradient here"
    assert lacks[1].startswith("the SavedModel has no feature extractor: its logits come from")
    loaded = tf.saved_model.load(str(tmp_path))
    assert list(loaded.trainable_variables) == [] and len(loaded.variables) == 1
    found = saved_model.predict_saved_model(str(tmp_path), exports.images)
    np.testing.assert_allclose(found, exports.normalized[:, :7], atol=1e-5)
