"""Every model runs on every image, and is timed in the ways that comparison.json tells."""

from typing import Any

import numpy as np
import pytest

from modules.inference import litert
from pipeline.verdict import run_models
from tests.support.digit_models import DigitModels


@pytest.fixture
def two_paths(digit_models: DigitModels) -> dict[str, str]:
    """Two device models, without the float32 one."""
    return {name: digit_models.tflite_paths[name] for name in ("dynamic_range", "int8_io")}


def test_logits_of_every_model_on_both_sets(
    digit_models: DigitModels, two_paths: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_models, "_AT_ONCE", 64)
    images, expected = digit_models.images, digit_models.logits
    labels = np.arange(200) % 10
    answers = run_models.predict_all(
        digit_models.server_dir,
        two_paths,
        test=iter([(images[:100], labels[:100]), (images[100:130], labels[100:130])]),
        hard=iter([(images[130:], labels[130:])]),
        stride=7,
    )
    found = answers.logits
    np.testing.assert_array_equal(answers.labels.test, labels[:130])
    np.testing.assert_array_equal(answers.labels.hard, labels[130:])
    np.testing.assert_array_equal(answers.first_image, images[:1])
    assert answers.contradictions == 0
    assert list(found) == ["saved_model", "dynamic_range", "int8_io"]
    for name, tolerance in (("saved_model", 1e-4), ("dynamic_range", 0.5), ("int8_io", 4.0)):
        test, hard, sampled, alone = found[name]
        assert (test.shape, hard.shape) == ((130, 10), (70, 10))
        for part, right in ((test, expected[:130]), (hard, expected[130:])):
            np.testing.assert_allclose(part, right, atol=tolerance, rtol=0)
            np.testing.assert_array_equal(part.argmax(axis=1), right.argmax(axis=1))
        np.testing.assert_array_equal(sampled, range(0, 130, 7))
        np.testing.assert_allclose(alone, test[sampled], atol=1e-4, rtol=0)
    together = np.concatenate(found["int8_io"][:2])
    np.testing.assert_array_equal(together, litert.predict(two_paths["int8_io"], images))


def test_latencies_of_every_model(
    digit_models: DigitModels, two_paths: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And of no other, such as the float32 one that lies beside the SavedModel."""
    loaded = []
    load = litert.load

    def recording_load(path: str, **options: Any) -> litert.LoadedModel:
        loaded.append((path, options["xnnpack"]))
        return load(path, **options)

    monkeypatch.setattr(litert, "load", recording_load)
    found = run_models.latencies(digit_models.server_dir, two_paths, digit_models.images[:1])
    both_ways = {"batch_1", "batch_1_without_xnnpack"}
    assert {name: set(ways) for name, ways in found.items()} == {
        "saved_model": {"batch_1"},
        "dynamic_range": both_ways,
        "int8_io": both_ways,
    }
    for ways in found.values():
        for percentiles in ways.values():
            assert 0 < percentiles.p50 <= percentiles.p90
    expected = [(path, way) for path in two_paths.values() for way in (True, False)]
    assert sorted(loaded) == sorted(expected)


def test_integer_model_is_timed_on_integers(digit_models: DigitModels) -> None:
    """A device's camera gives them: quantization of the image is no part of the time."""
    image = digit_models.images[:1]
    for xnnpack in (True, False):
        call = run_models._single_image_call(
            digit_models.tflite_paths["int8_io"], image, xnnpack=xnnpack
        )
        found = call()
        assert (found.dtype, found.shape) == (np.int8, (1, 10))
        assert found.argmax() == digit_models.logits[0].argmax()
