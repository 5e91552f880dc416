"""Images a second of this project's TFLite extractor, against TFMA's own one.

Both take the test images of DATASET and MNIST_DIR, in the same batches, through the same models of
fresh parameters, in turns. Writes output/bench/extractor_throughput.json.
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
import tensorflow_transform as tft
import tfx.components  # noqa: F401 - TFMA imports completely only after it

# isort: split
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.extractors import tflite_predict_extractor

from benchmarks.peers.training_peers import NETWORK
from data.files import PROJECT_ROOT
from data.splits import Split
from modules import features
from modules.export import tflite
from modules.export.recipes import DYNAMIC_RANGE, FLOAT32, INT8, Recipe
from modules.export.trained import Trained
from modules.inference import litert, tflite_extractor
from pipeline.settings import config_from_environment
from pipeline.verdict import tfma_config
from pipeline.verdict.limits import Limits
from tests.support.digit_models import analyze

OUTPUT = PROJECT_ROOT / "output" / "bench" / "extractor_throughput.json"
DO_FNS: dict[str, type[beam.DoFn]] = {
    "ours": tflite_extractor.PredictionDoFn,
    "stock": tflite_predict_extractor.TFLitePredictionDoFn,
}
_RECIPES = (FLOAT32, DYNAMIC_RANGE, INT8)
_TARGET = 5.0
_REPETITIONS = 7
_REPRESENTATIVE = 300
_EXAMPLES = 10_000  # as MNIST's test set


def form_batches(images: np.ndarray) -> list[tfma.types.Extracts]:
    """Returns extracts of all images float32[N, 784] in batches such as an Evaluator gets.

    Beam doubles their size from 1 until one is slow enough for it, then varies it; in an
    Evaluator over MNIST's test images that was between 100 and 185.
    """
    varying = np.random.default_rng(0).integers(100, 186, len(images) // 100)
    ends = np.cumsum([1, 2, 4, 8, 16, 32, 64, *varying])
    parts = np.split(images, ends[ends < len(images)])
    return [{tfma.FEATURES_KEY: {features.IMAGE_FLOATS: part}} for part in parts]


def make_model(
    recipe: Recipe, tft_output: tft.TFTransformOutput, images: np.ndarray, folder: Path
) -> tfma.types.EvalSharedModel:
    """Writes a model for raw images float32[N, 784] into the folder, for TFMA to load."""
    trained = Trained(NETWORK, jax.device_get(NETWORK.init(0)), tft_output)
    tflite.save_tflite(trained, recipe, str(folder), images[:_REPRESENTATIVE])
    return tfma.default_eval_shared_model(str(folder), eval_config=eval_config())


def eval_config() -> tfma.EvalConfig:
    """Returns the pipeline's EvalConfig for a TFLite model."""
    return tfma_config.eval_config(
        tfma_config.TF_LITE, NETWORK.task.num_classes, _EXAMPLES, Limits()
    )


def measure(
    shared_model: tfma.types.EvalSharedModel,
    batches: list[tfma.types.Extracts],
    max_difference: float,
) -> dict[str, list[float]]:
    """Runs both extractors' DoFns over the batches, in turns; returns the seconds of each turn.

    Raises:
      AssertionError: their logits differ by more than `max_difference`.
    """
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
        np.testing.assert_allclose(logits["ours"], logits["stock"], atol=max_difference)
    return seconds


def main() -> None:
    """Measures both and prints the ratio."""
    data = config_from_environment(os.environ).dataset
    images, _ = data.features(Split.EVAL)
    batches, models = form_batches(images), {}
    with tempfile.TemporaryDirectory() as name:
        tft_output = analyze(images[:100], Path(name))
        for recipe in _RECIPES:
            folder = Path(name) / recipe.name
            folder.mkdir()
            shared_model = make_model(recipe, tft_output, images, folder)
            seconds = measure(shared_model, batches, recipe.max_logit_difference)
            speed = {
                whose: round(len(images) / statistics.median(turns))
                for whose, turns in seconds.items()
            }
            ratio = round(speed["ours"] / speed["stock"], 2)
            models[recipe.name] = {
                "images_per_second": speed,
                "ratio": ratio,
                "seconds": {
                    whose: [round(turn, 3) for turn in turns] for whose, turns in seconds.items()
                },
            }
            print(
                f"{recipe.name:<14} ours {speed['ours']:>7,} images/s, "
                f"stock {speed['stock']:>6,} images/s, ratio {ratio}; "
                f"at least {_TARGET}: {'reached' if ratio >= _TARGET else 'MISSED'}"
            )
    result = {
        "dataset": data.name,
        "images": len(images),
        "threads": {"ours": litert.NUM_THREADS, "stock": 1},
        "models": models,
    }
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{len(images):,} images; written to {OUTPUT}")


if __name__ == "__main__":
    main()
