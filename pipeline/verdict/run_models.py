"""Runs the models once more, for what TFMA does not measure: agreement and latency."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from modules import features
from modules.export import saved_model
from modules.export.reusable import batch_sizes
from modules.inference import litert, timing
from pipeline.verdict.measured import Labels, Logits
from pipeline.verdict.verdict import BATCH_1, BATCH_1_WITHOUT_XNNPACK, REFERENCE, Latency

Batches = Iterable[tuple[np.ndarray, np.ndarray]]
_Predict = Callable[[np.ndarray], np.ndarray]
_AT_ONCE = 512  # images that a model is run on


class Answers(NamedTuple):
    """What the models say.

    Attributes:
      logits: by model.
      labels: of both sets.
      first_image: raw float32[1, pixels], of the test images.
      contradictions: see `serve_alone`.
    """

    logits: dict[str, Logits]
    labels: Labels
    first_image: np.ndarray
    contradictions: int


def predict_all(
    saved_model_dir: str, tflite_paths: Mapping[str, str], test: Batches, hard: Batches, stride: int
) -> Answers:
    """Runs every model on all images, of which a batch at a time has to be in memory.

    Args:
      saved_model_dir: of the reference.
      tflite_paths: of the device models, by name.
      test: raw images float32[B, pixels] in [0, 1] and labels int64[B], batch by batch.
      hard: the same, of the hard set.
      stride: every so many of the test images is given to each model by itself, too.
    """
    predict: dict[str, _Predict] = {REFERENCE: saved_model.load_saved_model(saved_model_dir)}
    for name, path in tflite_paths.items():
        predict[name] = _tflite_predict(path, litert.NUM_THREADS)
    labels: dict[str, list[np.ndarray]] = {"test": [], "hard": []}
    samples, count = [], 0

    def of_test() -> Iterable[np.ndarray]:
        nonlocal count
        for images, classes in test:
            labels["test"].append(classes)
            samples.append(images[-count % stride :: stride].copy())  # a view would keep all
            count += len(images)
            yield images

    def of_hard() -> Iterable[np.ndarray]:
        for images, classes in hard:
            labels["hard"].append(classes)
            yield images

    test_logits, hard_logits = _logits(predict, of_test()), _logits(predict, of_hard())
    sample = np.concatenate(samples)
    served, contradictions = serve_alone(saved_model_dir, sample)
    alone = {REFERENCE: served}
    # Backwards, on an interpreter of its own: an answer must not depend on those before it.
    for name, path in tflite_paths.items():
        run = _tflite_predict(path, num_threads=1)
        answers = [run(sample[row : row + 1]) for row in reversed(range(len(sample)))]
        alone[name] = np.concatenate(answers[::-1])
    sampled = np.arange(0, count, stride)
    logits = {
        name: Logits(test_logits[name], hard_logits[name], sampled, alone[name]) for name in predict
    }
    both = Labels(**{name: np.concatenate(parts) for name, parts in labels.items()})
    return Answers(logits, both, sample[:1], contradictions)


def serve_alone(saved_model_dir: str, images: np.ndarray) -> tuple[np.ndarray, int]:
    """Asks a SavedModel for one image after the other, as clients of a server do.

    Args:
      saved_model_dir: with the signature `saved_model.SERVE_EXAMPLES`.
      images: raw float32[N, pixels].

    Returns:
      The logits float32[N, classes], and for how many of the images the probabilities are not their
      softmax, or the class is not the most likely one.
    """
    loaded = tf.saved_model.load(saved_model_dir)
    serve = loaded.signatures[saved_model.SERVE_EXAMPLES]
    copies = min(batch_sizes.sizes_of(loaded), default=1)
    logits, contradictions = [], 0
    for image in images:
        example = tf.train.Example()
        example.features.feature[features.IMAGE_FLOATS].float_list.value.extend(image)
        served = serve(tf.constant([example.SerializeToString()] * copies))
        answer = {name: rows[:1] for name, rows in served.items()}
        probabilities = tf.nn.softmax(answer[features.LOGITS])
        follows = np.allclose(
            answer[features.PROBABILITIES], probabilities, rtol=0, atol=1e-5
        ) and answer[features.CLASS] == tf.argmax(probabilities, axis=1)
        logits.append(answer[features.LOGITS].numpy())
        contradictions += not follows
    return np.concatenate(logits), contradictions


def _tflite_predict(path: str, num_threads: int) -> _Predict:
    run = litert.BatchRunner(litert.make_interpreter(path, num_threads))
    return lambda images: run({features.IMAGE_FLOATS: images})[features.LOGITS]


def _logits(
    predict: Mapping[str, _Predict], batches: Iterable[np.ndarray]
) -> dict[str, np.ndarray]:
    """Returns float32[N, classes] by model."""
    found: dict[str, list[np.ndarray]] = {name: [] for name in predict}
    for batch in batches:
        for start in range(0, len(batch), _AT_ONCE):
            for name, model in predict.items():
                found[name].append(model(batch[start : start + _AT_ONCE]))
    return {name: np.concatenate(parts) for name, parts in found.items()}


def latencies(
    saved_model_dir: str, tflite_paths: Mapping[str, str], image: np.ndarray
) -> dict[str, dict[str, Latency]]:
    """Times single images, on one thread, all models in turns.

    Args:
      saved_model_dir: of the reference.
      tflite_paths: of the device models, by name.
      image: raw float32[1, pixels].

    Returns:
      By model what `timing.latencies_us` found, under BATCH_1 and, for device models, under
      BATCH_1_WITHOUT_XNNPACK.
    """
    serve = saved_model.load_saved_model(saved_model_dir)
    calls = {(REFERENCE, BATCH_1): lambda: serve(image)}
    for name, path in tflite_paths.items():
        calls[name, BATCH_1] = _single_image_call(path, image, xnnpack=True)
        calls[name, BATCH_1_WITHOUT_XNNPACK] = _single_image_call(path, image, xnnpack=False)
    times = timing.latencies_us(calls)
    found: dict[str, dict[str, Latency]] = {}
    for (name, how), percentiles in times.items():
        found.setdefault(name, {})[how] = Latency(**percentiles)
    return found


def _single_image_call(path: str, image: np.ndarray, xnnpack: bool) -> Callable[[], np.ndarray]:
    model = litert.load(path, xnnpack=xnnpack)
    prepared = model.prepare(image)
    return lambda: model(prepared)
