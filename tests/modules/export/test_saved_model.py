"""Both exports compute what JAX does, from raw images, at every batch size."""

from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
import pytest
import tensorflow as tf

from modules.export import saved_model
from modules.export.trained import Trained
from modules.inference import litert
from modules.models import pure
from modules.models.network import Network
from tests.support.networks.exports import TASK, Exports

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
        "predict_features": ["image_floats"],
    }
    assert taken["predict_images"]["image_floats"].shape.as_list() == [None, 784]


def test_predictions_do_not_depend_on_the_batches(models_dir: str, images: np.ndarray) -> None:
    at_once = saved_model.predict_saved_model(models_dir, images, batch_size=200)
    in_batches = saved_model.predict_saved_model(models_dir, images, batch_size=64)
    np.testing.assert_allclose(in_batches, at_once, atol=1e-5)


def test_saved_model_holds_what_inference_reads_as_it_is(models_dir: str, trained: Trained) -> None:
    reader = tf.train.load_checkpoint(f"{models_dir}/variables/variables")
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("variables/")]
    found = sorted(reader.get_tensor(name).tobytes() for name in names)
    leaves = jax.tree.leaves(trained.variables)
    assert found == sorted(np.asarray(leaf).tobytes() for leaf in leaves)


def test_leaves_of_any_nesting_and_of_training_alone(exports: Exports) -> None:
    """With int keys, tuples and a list; the key of a dropout cannot be exported at all."""
    variables = {
        7: [np.full(768, 2, np.float32)],
        8: ({"a.b/c": np.eye(768, 7, dtype=np.float32)},),
        9: {"key": jax.random.key(0), "count": np.zeros(3, np.uint32)},
    }
    scaled = pure(
        lambda key, task: variables,
        lambda tree, x: (x.reshape((len(x), -1)) * tree[7][0]) @ tree[8][0]["a.b/c"],
    )
    trained = Trained(Network(scaled, TASK), variables, exports.tft_output)
    inference, leaves = trained.inference()
    assert [leaf.shape for leaf in leaves] == [(768,), (768, 7)]
    pixels = exports.normalized[:3]
    np.testing.assert_array_equal(inference(leaves, pixels), 2 * pixels[:, :7])


def test_bits_that_a_text_would_lose(tmp_path: Path, exports: Exports) -> None:
    odd = np.array([np.nan, -0.0, 1e-45, -np.inf, 0.1, 1e38, 3], np.float32)
    model = pure(lambda key, task: odd, lambda odd, x: x.reshape((len(x), -1))[:, :7] * odd)
    saved_model.save_saved_model(
        Trained(Network(model, TASK), odd, exports.tft_output), str(tmp_path)
    )
    reader = tf.train.load_checkpoint(f"{tmp_path}/variables/variables")
    [found] = [
        reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.startswith("variables/0")
    ]
    assert found.tobytes() == odd.tobytes()


def test_message_of_a_newer_serialization_names_the_remedy() -> None:
    saved_model.check_serialization_version(9, 9)
    saved_model.check_serialization_version(8, 9)
    with pytest.raises(ImportError, match="writes serialization version 10, .* up to 9") as caught:
        saved_model.check_serialization_version(10, 9)
    assert "`make setup`" in str(caught.value)
    assert "JAX_EXPORT_CALLING_CONVENTION_VERSION=9" in str(caught.value)
