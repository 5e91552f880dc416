"""The extractor that TFMA runs TFLite models with, against TFMA's own one."""

import os
from collections.abc import Callable

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
import tfx.components  # noqa: F401 - TFMA only imports completely after it

# isort: split
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.extractors import tflite_predict_extractor
from tensorflow_model_analysis.utils import util
from tensorflow_transform.tf_metadata import schema_utils
from tfx_bsl.tfxio import tensor_adapter, tf_example_record

from data.splits import Split
from modules import features
from modules.examples import tf_examples
from modules.inference import litert, tflite_extractor
from pipeline.config import IN_MEMORY
from tests.support.digit_models import DigitModels

STOCK, OURS = tflite_predict_extractor.TFLitePredictionDoFn, tflite_extractor.PredictionDoFn
BATCH_SIZE = 2 * litert.BATCH_SIZE + 7

Metrics = dict[tuple[str, str, str], float]  # by slice, model and metric


def _eval_config(*models: tuple[str, bool]) -> tfma.EvalConfig:
    metrics = [
        tfma.MetricConfig(class_name="SparseCategoricalAccuracy", config='{"name": "accuracy"}'),
        tfma.MetricConfig(
            class_name="SparseCategoricalCrossentropy",
            config='{"name": "loss", "from_logits": true}',
        ),
    ]
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                name=name,
                model_type=tfma.TF_LITE,
                label_key=features.IMAGE_CLASS,
                is_baseline=is_baseline,
            )
            for name, is_baseline in models
        ],
        slicing_specs=[tfma.SlicingSpec(), tfma.SlicingSpec(feature_keys=[features.IMAGE_CLASS])],
        metrics_specs=[tfma.MetricsSpec(metrics=metrics)],
    )


def _shared_model(path: str, config: tfma.EvalConfig, name: str = "") -> tfma.types.EvalSharedModel:
    return tfma.default_eval_shared_model(
        os.path.dirname(path), model_name=name, eval_config=config
    )


@pytest.fixture(scope="module")
def labels(digit_models: DigitModels) -> np.ndarray:
    files = digit_models.files
    return files.features(Split.TRAIN, 0, len(digit_models.images))[1]


@pytest.fixture(scope="module")
def evaluate(
    digit_models: DigitModels,
    labels: np.ndarray,
    serialize: Callable[[np.ndarray, int | None], bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Metrics]:
    """(models, is_stock): what TFMA finds on the digits, in batches of BATCH_SIZE."""

    def run(paths: dict[str, str], is_stock: bool = False) -> Metrics:
        names = list(paths)
        config = _eval_config(*((name, name == tfma.BASELINE_KEY) for name in names))
        shared = [_shared_model(path, config, name) for name, path in paths.items()]
        maybe_one = shared if len(shared) > 1 else shared[0]
        source = tf_example_record.TFExampleBeamRecord(
            physical_format="inmemory",
            schema=schema_utils.schema_from_feature_spec(tf_examples.raw_feature_spec(784)),
            raw_record_column_name=tfma.ARROW_INPUT_COLUMN,
            telemetry_descriptors=["test"],
        )
        layout = tensor_adapter.TensorAdapterConfig(
            source.ArrowSchema(), source.TensorRepresentations()
        )
        custom = tflite_extractor.custom_extractors(maybe_one, config, layout)
        output = str(tmp_path_factory.mktemp("evaluation"))
        with beam.Pipeline(argv=list(IN_MEMORY)) as pipeline:
            _ = (
                pipeline
                | beam.Create(
                    [serialize(*pair) for pair in zip(digit_models.images, labels, strict=True)]
                )
                | source.BeamSource(batch_size=BATCH_SIZE)
                | tfma.ExtractEvaluateAndWriteResults(
                    eval_shared_model=maybe_one,
                    eval_config=config,
                    extractors=None if is_stock else custom,
                    output_path=output,
                    tensor_adapter_config=layout,
                )
            )
        return {
            (str(slice_key), name, metric): value["doubleValue"]
            for name in names
            for slice_key, found in tfma.load_eval_result(output, model_name=name).slicing_metrics
            for metric, value in found[""][""].items()
            if "doubleValue" in value
        }

    return run


def _predictions(do_fn: type[beam.DoFn], path: str, images: np.ndarray) -> np.ndarray:
    """What a prediction DoFn makes of one batch of extracts."""
    batch = {features.IMAGE_FLOATS: images}
    (result,) = _run(do_fn, path, batch)
    assert result[tfma.FEATURES_KEY] is batch
    return result[tfma.PREDICTIONS_KEY]


def _run(do_fn: type[beam.DoFn], path: str, batch: tfma.types.Extracts) -> list:
    config = _eval_config(("", False))
    prediction = do_fn(config, {"": _shared_model(path, config)})
    prediction.setup()
    return prediction.process({tfma.FEATURES_KEY: batch})


def test_metrics_of_a_float_model_are_those_of_the_stock_extractor(
    evaluate: Callable[..., Metrics], variants: dict[str, str]
) -> None:
    stock = evaluate({"": variants["float32"]}, is_stock=True)
    ours = evaluate({"": variants["float32"]})
    assert len(ours) == 2 * 11  # overall, and ten classes
    assert ours == pytest.approx(stock, rel=0, abs=1e-6)
    assert 0 < ours["()", "", "loss"] < 0.5


def test_candidate_and_baseline(
    evaluate: Callable[..., Metrics],
    variants: dict[str, str],
    images: np.ndarray,
    labels: np.ndarray,
) -> None:
    paths = {tfma.CANDIDATE_KEY: variants["float32"], tfma.BASELINE_KEY: variants["int8_io"]}
    metrics = evaluate(paths)
    losses = []
    for name, path in paths.items():
        logits = litert.predict(path, images).astype(np.float64)
        chosen = logits[np.arange(len(labels)), labels]
        losses.append(float(np.mean(np.log(np.exp(logits).sum(axis=1)) - chosen)))
        accuracy = float((logits.argmax(axis=1) == labels).mean())
        assert metrics["()", name, "accuracy"] == pytest.approx(accuracy, abs=1e-6)
        assert metrics["()", name, "loss"] == pytest.approx(losses[-1], rel=1e-5)
    assert abs(losses[0] - losses[1]) > 1e-4 * losses[0]


@pytest.mark.parametrize("size", [1, 7, BATCH_SIZE])
def test_batches(digit_models: DigitModels, size: int) -> None:
    path = digit_models.tflite_paths["float32"]
    images = np.resize(digit_models.images, (size, digit_models.images.shape[1]))
    found = _predictions(OURS, path, images)
    assert (found.shape, found.dtype) == ((size, 10), np.float32)
    expected = np.resize(digit_models.logits, (size, 10))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(found, _predictions(STOCK, path, images), atol=1e-4)


def test_integers_are_rounded_where_the_stock_extractor_truncates(
    variants: dict[str, str], images: np.ndarray
) -> None:
    path = variants["int8_io"]
    (taken,) = litert.make_interpreter(path).get_input_details()
    scale, zero = taken["quantization"]

    def by_hand(integers: np.ndarray, xnnpack: bool) -> np.ndarray:
        interpreter = litert.make_interpreter(path, xnnpack=xnnpack)
        ((step, offset),) = [entry["quantization"] for entry in interpreter.get_output_details()]
        run = interpreter.get_signature_runner(litert.SIGNATURE)
        found = run(image_floats=integers.astype(np.int8))["logits"]
        return (found.astype(np.float64) - offset) * step

    real = (images / np.float32(scale)).astype(np.float64) + zero
    rounded, truncated = np.rint(real), np.trunc(real)
    assert np.count_nonzero(rounded != truncated) > 0.05 * np.count_nonzero(images)
    np.testing.assert_array_equal(rounded, np.rint(images * 255) - 128)
    ours = _predictions(OURS, path, images)
    np.testing.assert_allclose(ours, by_hand(rounded, xnnpack=True), rtol=1e-6)
    stock = _predictions(STOCK, path, images)
    np.testing.assert_array_equal(stock, by_hand(truncated, xnnpack=False))
    assert (stock != by_hand(rounded, xnnpack=False)).any()


def test_too_bright_is_white_where_the_stock_extractor_makes_it_black(
    variants: dict[str, str],
) -> None:
    path = variants["int8_io"]
    black, white = np.zeros((1, 784), np.float32), np.ones((1, 784), np.float32)
    too_bright = white + np.float32(1 / 255)
    np.testing.assert_array_equal(
        _predictions(OURS, path, too_bright), _predictions(OURS, path, white)
    )
    dark = _predictions(STOCK, path, black)
    np.testing.assert_array_equal(_predictions(STOCK, path, too_bright), dark)
    assert (_predictions(OURS, path, white) != _predictions(OURS, path, black)).any()


def test_input_that_is_no_feature(variants: dict[str, str], images: np.ndarray) -> None:
    """The stock extractor feeds -1 for every pixel."""
    batch = {"pixels": images[:3], "image_class": np.zeros((3, 1), np.int64)}
    (result,) = _run(STOCK, variants["float32"], dict(batch))
    as_if = _predictions(OURS, variants["float32"], np.full((3, 784), -1, np.float32))
    np.testing.assert_allclose(result[tfma.PREDICTIONS_KEY], as_if, rtol=1e-4)
    message = r"model's input 'image_floats' is not among \['image_class', 'pixels'\]"
    with pytest.raises(ValueError, match=message):
        _run(OURS, variants["float32"], batch)


@pytest.mark.parametrize(
    "lengths", [[784, None, 784], [None] * 3, [784, 783, 784], [783] * 3, [785] * 3, [0] * 3]
)
def test_example_without_its_values(variants: dict[str, str], lengths: list[int | None]) -> None:
    """In whatever form TFMA gives such a column."""
    values = [None if length is None else [0.5] * length for length in lengths]
    column = pa.array(values, pa.list_(pa.float32()))
    record_batch = pa.RecordBatch.from_arrays([column], [features.IMAGE_FLOATS])
    batch = util.record_batch_to_tensor_values(record_batch)
    message = "feature 'image_floats', an input of the model, does not have 784 values in each"
    with pytest.raises(ValueError, match=message):
        _run(OURS, variants["float32"], batch)


def test_text_is_taken_and_none_among_it_is_not() -> None:
    """A model with string inputs gets arrays of objects."""
    words = np.array([[b"a"], [b"bc"]], object)
    found = tflite_extractor._values({"word": words}, "word", np.array([1, 1]))
    assert found.tolist() == words.tolist()
    with pytest.raises(ValueError, match="feature 'word'.* does not have 1 values"):
        tflite_extractor._values({"word": np.array([[b"a"], [None]])}, "word", np.array([1, 1]))


def test_features_take_the_shape_of_the_input() -> None:
    pixels = np.arange(2 * 784.0).reshape(2, 784)
    found = tflite_extractor._values({"image": pixels}, "image", np.array([1, 28, 28, 1]))
    assert found.shape == (2, 28, 28, 1)
    np.testing.assert_array_equal(found.reshape(2, 784), pixels)
