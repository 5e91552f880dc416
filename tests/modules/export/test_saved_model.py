"""Both exports compute what JAX does, from raw images, at every batch size."""

from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft

from modules.export import saved_model, tflite
from modules.export.recipes import FLOAT32
from modules.inference import litert
from modules.models import cnn

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def served(models_dir: str) -> Callable[[np.ndarray], np.ndarray]:
    return saved_model.load_saved_model(models_dir)


@pytest.mark.parametrize("size", [1, 7, 100])
def test_both_formats_give_what_jax_gives_for_the_normalised_images(
    models_dir: str,
    served: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    jax_logits: np.ndarray,
    size: int,
) -> None:
    """Fed with raw images: so the Transform graph is inside both."""
    for found in (
        served(images[:size]),
        litert.predict(f"{models_dir}/tflite", images[:size]),
    ):
        assert (found.dtype, found.shape) == (np.float32, (size, 10))
        np.testing.assert_allclose(found, jax_logits[:size], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("size", [0, 2, 3, 4, 5, 8, 9, 15, 16, 17])
def test_saved_model_around_powers_of_two(
    served: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    jax_logits: np.ndarray,
    size: int,
) -> None:
    """It pads the batch and cuts the logits back; an empty batch gives no logits."""
    found = served(images[50 : 50 + size])
    assert found.shape == (size, 10)
    np.testing.assert_allclose(found, jax_logits[50 : 50 + size], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(
    ("sizes", "compiled"),
    [([0, 1], 1), ([2], 2), ([3, 4], 4), ([5, 6, 7, 8], 8), ([9, 16], 16), ([1000, 1024], 1024)],
)
def test_batches_are_padded_to_few_sizes(sizes: list[int], compiled: int) -> None:
    """TensorFlow compiles the network once for each that it meets."""
    met = []

    def network(batch: tf.Tensor) -> dict[str, tf.Tensor]:
        met.append(batch.shape[0])
        return {"logits": batch[:, :10]}

    for size in sizes:
        batch = tf.random.uniform([size, 784])
        logits = saved_model._in_few_batch_sizes(network, batch)
        np.testing.assert_array_equal(logits, batch[:, :10])
    assert met == [compiled] * len(sizes)


def test_examples_with_and_without_label(
    models_dir: str,
    served: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    serialize: Callable[[np.ndarray, int | None], bytes],
) -> None:
    """`serving_default` reads tf.Examples, as TensorFlow Serving and TFMA send them."""
    serving = tf.saved_model.load(models_dir).signatures["serving_default"]
    expected = served(images[:6])
    for labels in ([None] * 6, range(6), [None, 1, None, 2, None, 3]):
        examples = [serialize(image, label) for image, label in zip(images, labels, strict=False)]
        found = serving(examples=tf.constant(examples))
        assert set(found) == {"logits", "probabilities", "class"}
        np.testing.assert_allclose(found["logits"], expected, atol=1e-6)
        np.testing.assert_allclose(found["probabilities"], jax.nn.softmax(expected), atol=1e-6)
        np.testing.assert_array_equal(found["class"], expected.argmax(axis=1))
        assert found["class"].dtype == tf.int64


def test_signatures(models_dir: str) -> None:
    signatures = tf.saved_model.load(models_dir).signatures
    taken = {name: signatures[name].structured_input_signature[1] for name in signatures}
    assert {name: list(specs) for name, specs in taken.items()} == {
        "serving_default": ["examples"],
        "predict_images": ["image_floats"],
    }
    assert taken["predict_images"]["image_floats"].shape.as_list() == [None, 784]


def test_predictions_do_not_depend_on_the_batches(models_dir: str, images: np.ndarray) -> None:
    at_once = saved_model.predict_saved_model(models_dir, images, batch_size=200)
    in_batches = saved_model.predict_saved_model(models_dir, images, batch_size=64)
    np.testing.assert_allclose(in_batches, at_once, atol=1e-5)


def test_saved_model_holds_exactly_the_parameters(models_dir: str, params: cnn.Params) -> None:
    found = saved_model.load_params(models_dir)
    assert jax.tree.structure(found) == jax.tree.structure(params)
    for ours, theirs in zip(jax.tree.leaves(found), jax.tree.leaves(params), strict=True):
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        assert ours.tobytes() == theirs.tobytes()


def test_parameters_of_any_depth(
    tmp_path: Path, tft_output: tft.TFTransformOutput, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the values that a text, or a comparison by ==, would lose."""
    odd = np.array([np.nan, -0.0, 1e-45, -np.inf, np.float32(0.1)], np.float32)
    params = {"parameters": odd, "block": {"parameters": {"inner_0": {"kernel": odd[::-1].copy()}}}}
    monkeypatch.setattr(
        cnn, "apply_flat", lambda params, pixels: pixels[:, :5] * params["parameters"]
    )
    saved_model.save_saved_model(params, tft_output, str(tmp_path))
    found = saved_model.load_params(str(tmp_path))
    assert jax.tree.structure(found) == jax.tree.structure(params)
    assert found["parameters"].tobytes() == odd.tobytes()
    kernel = found["block"]["parameters"]["inner_0"]["kernel"]
    assert kernel.tobytes() == odd[::-1].tobytes()


def test_more_classes(
    tmp_path: Path, tft_output: tft.TFTransformOutput, images: np.ndarray
) -> None:
    params = jax.device_get(cnn.init_params(jax.random.key(1), 26))
    saved_model.save_saved_model(params, tft_output, str(tmp_path))
    path = tflite.save_tflite(params, tft_output, FLOAT32, str(tmp_path))
    assert saved_model.predict_saved_model(str(tmp_path), images[:3]).shape == (3, 26)
    assert litert.predict(path, images[:3]).shape == (3, 26)


def test_message_of_a_newer_serialization_names_the_remedy() -> None:
    saved_model.check_serialization_version(9, 9)
    saved_model.check_serialization_version(8, 9)
    with pytest.raises(ImportError, match="writes serialization version 10, .* up to 9") as caught:
        saved_model.check_serialization_version(10, 9)
    assert "`make setup`" in str(caught.value)
    assert "JAX_EXPORT_CALLING_CONVENTION_VERSION=9" in str(caught.value)
