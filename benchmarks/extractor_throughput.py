"""Images a second of this project's TFLite extractor, against TFMA's own one.

Both take the test images of DATASET and MNIST_DIR, in the same batches, through the same float32
model of fresh parameters, in turns. Writes output/bench/extractor_throughput.json.
"""

import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import apache_beam as beam
import jax
import numpy as np
import tfx.components  # noqa: F401 - TFMA imports completely only after it

# isort: split
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.extractors import tflite_predict_extractor

from data import dataset
from modules import export, features, model, tflite_extractor
from modules.recipes import FLOAT32
from pipeline import evaluation
from pipeline.config import PROJECT_ROOT, config_from_environment
from tests.digit_models import analyze

OUTPUT = PROJECT_ROOT / "output" / "bench" / "extractor_throughput.json"
DO_FNS: dict[str, type[beam.DoFn]] = {
    "ours": tflite_extractor.PredictionDoFn,
    "stock": tflite_predict_extractor.TFLitePredictionDoFn,
}
_REPETITIONS = 7
_NUM_CLASSES = 10


def form_batches(images: np.ndarray) -> list[tfma.types.Extracts]:
    """Returns extracts of all images float32[N, 784] in batches such as an Evaluator gets.

    Beam doubles their size from 1 until one is slow enough for it, then varies it; in an
    Evaluator over MNIST's test images that was between 100 and 185.
    """
    varying = np.random.default_rng(0).integers(100, 186, len(images) // 100)
    ends = np.cumsum([1, 2, 4, 8, 16, 32, 64, *varying])
    parts = np.split(images, ends[ends < len(images)])
    return [{tfma.FEATURES_KEY: {features.IMAGE_FLOATS: part}} for part in parts]


def make_model(images: np.ndarray, folder: Path) -> tfma.types.EvalSharedModel:
    """Writes a model for raw images float32[N, 784] below the folder, for TFMA to load."""
    params = jax.device_get(model.init_params(jax.random.key(0), _NUM_CLASSES))
    tft_output = analyze(images[:100], folder)
    export.save_tflite(params, tft_output, FLOAT32, str(folder))
    return tfma.default_eval_shared_model(str(folder), eval_config=eval_config())


def eval_config() -> tfma.EvalConfig:
    """Returns the pipeline's EvalConfig for a TFLite model."""
    return evaluation.eval_config(evaluation.TF_LITE, _NUM_CLASSES, 0.0, 1.0)


def measure(
    shared_model: tfma.types.EvalSharedModel, batches: list[tfma.types.Extracts]
) -> dict[str, list[float]]:
    """Runs both extractors' DoFns over the batches, in turns; returns the seconds of each turn."""
    seconds: dict[str, list[float]] = {name: [] for name in DO_FNS}
    predictors = {name: make(eval_config(), {"": shared_model}) for name, make in DO_FNS.items()}
    for predictor in predictors.values():
        predictor.setup()
    for _ in range(_REPETITIONS):
        logits = {}
        for name, predictor in predictors.items():
            started = time.perf_counter()
            results = [predictor.process(batch) for batch in batches]
            seconds[name].append(time.perf_counter() - started)
            logits[name] = np.concatenate([result[tfma.PREDICTIONS_KEY] for (result,) in results])
        np.testing.assert_allclose(logits["ours"], logits["stock"], atol=1e-4)
    return seconds


def main() -> None:
    """Measures both and prints the ratio."""
    data = config_from_environment(os.environ).dataset
    images, _ = dataset.read_split_range(data.eval_images, data.eval_labels, 0, data.eval_examples)
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(make_model(images, Path(folder)), form_batches(images))
    throughput = {
        name: round(len(images) / statistics.median(turns)) for name, turns in seconds.items()
    }
    result = {
        "dataset": data.name,
        "images": len(images),
        "images_per_second": throughput,
        "seconds": {name: [round(turn, 3) for turn in turns] for name, turns in seconds.items()},
        "threads": {"ours": tflite_extractor.NUM_THREADS, "stock": 1},
        "ratio": round(throughput["ours"] / throughput["stock"], 2),
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    for name, figure in throughput.items():
        print(f"{name:<5} {figure:>7,} images/s")
    print(f"ratio {result['ratio']}, {len(images):,} images; written to {OUTPUT}")


if __name__ == "__main__":
    main()
