"""Bases of SavedModels and of Keras's networks."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from data.errors import ConfigError
from modules.export.personalize import bases
from modules.export.reusable.reading import read_trained
from modules.models import cnn
from tests.support.digit_models import DigitModels

SIDE = 32


def test_a_signature_of_our_savedmodel(
    tmp_path: Path, digit_models: DigitModels, models_dir: str
) -> None:
    base = bases.of_saved_model(models_dir, "predict_features", str(tmp_path))
    loaded = tf.saved_model.load(models_dir)
    images = digit_models.images[:5]
    np.testing.assert_allclose(base.features(images), loaded.feature_extractor(images), atol=1e-4)
    assert (base.size, base.rest) == (256, None)


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        ("serving_default", "expected one input float32 and one output"),
        ("nothing", "has no signature 'nothing'; it has"),
    ],
)
def test_signatures_that_will_not_do(
    tmp_path: Path, models_dir: str, signature: str, reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        bases.of_saved_model(models_dir, signature, str(tmp_path))
    with pytest.raises(ConfigError, match="is no SavedModel"):
        bases.of_saved_model(str(tmp_path), signature, str(tmp_path))


def test_keras_s_mobile_network_with_random_weights(tmp_path: Path) -> None:
    """All of its weights are in the file; what it computes is compared when it is made."""
    base = bases.of_keras_application("MobileNetV2", None, SIDE, str(tmp_path))
    assert base.size == 1280
    assert Path(base.path).stat().st_size > 4 * 2_200_000
    with pytest.raises(ConfigError, match="there is no such network"):
        bases.of_keras_application("MobileNet17", None, SIDE, str(tmp_path))


def test_a_pushed_savedmodel_is_read_back_as_its_network(
    digit_models: DigitModels,
) -> None:
    found = read_trained(digit_models.server_dir, cnn.MODEL, digit_models.files.task)
    logits = found.network.logits(found.variables, digit_models.normalized[:9])
    np.testing.assert_allclose(logits, digit_models.logits[:9], atol=1e-5)
