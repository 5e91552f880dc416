"""The Trainer's `run_fn`: examples in, one training, one Model artifact with both formats out."""

import dataclasses
import time

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft
from rich import progress
from rich.console import Console
from tfx.components.trainer.fn_args_utils import FnArgs

from modules import examples, export, export_checks, litert, recipes, training
from modules.train_config import TrainConfig

_CHECKED_EXAMPLES = 1000


def run_fn(fn_args: FnArgs) -> None:
    """Trains the network once and writes the SavedModel and the TFLite model that come of it.

    Args:
      fn_args: TFX's; `custom_config` holds the fields of `TrainConfig`, and a digest.

    Raises:
      training.TrainingDivergedError: the loss left the range of a training.
      flatbuffer.ConversionError: the TFLite model cannot be used.
      export_checks.ExportMismatchError: an exported model computes something else than JAX.
    """
    settings = dict(fn_args.custom_config)
    settings.pop("source_digest")
    config = TrainConfig(**settings)
    tft_output = tft.TFTransformOutput(fn_args.transform_output)
    raw_images, labels = examples.load_raw(fn_args.train_files)
    images = examples.normalize(raw_images, tft_output)

    result = _train_visibly(images, labels, config, fn_args.model_run_dir)

    export.save_saved_model(result.params, tft_output, fn_args.serving_model_dir)
    tflite_path = export.save_tflite(
        result.params, tft_output, recipes.FLOAT32, fn_args.serving_model_dir
    )

    checked = result.validation_rows[:_CHECKED_EXAMPLES]
    expected = training.predict(result.params, images[checked])
    saved_model_logits = export.predict_saved_model(fn_args.serving_model_dir, raw_images[checked])
    export_checks.check_logits("SavedModel", expected, saved_model_logits)
    tflite_logits = litert.predict(tflite_path, raw_images[checked])
    export_checks.check_logits("TFLite model", expected, tflite_logits, recipes.FLOAT32)


def _train_visibly(
    images: np.ndarray, labels: np.ndarray, config: TrainConfig, log_dir: str
) -> training.TrainResult:
    """Trains with a progress bar, a line an epoch, and TensorBoard scalars under `log_dir`."""
    console = Console(stderr=True)
    train_rows, _ = training.split_rows(len(images), config)
    steps = len(train_rows) // config.batch_size
    started = time.monotonic()
    with (
        tf.summary.create_file_writer(log_dir).as_default(),
        progress.Progress(
            progress.TextColumn("  training"),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TextColumn("{task.fields[speed]}"),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ) as bar,
    ):
        task = bar.add_task("training", total=config.epochs * steps, speed="")

        def on_step(epoch: int, step: int) -> None:
            done = (epoch - 1) * steps + step
            speed = done * config.batch_size / (time.monotonic() - started)
            bar.update(task, completed=done, speed=f"{speed:,.0f} images/s")

        def on_epoch(metrics: training.EpochMetrics) -> None:
            values = dataclasses.asdict(metrics)
            epoch = values.pop("epoch")
            for name, value in values.items():
                tf.summary.scalar(name, value, step=epoch)
            bar.console.print(
                f"  epoch {epoch:>2}/{config.epochs}: loss {metrics.train_loss:.4f}, "
                f"validation loss {metrics.validation_loss:.4f}, "
                f"accuracy {metrics.validation_accuracy:.2%}",
                highlight=False,
            )

        result = training.train(images, labels, config, on_step, on_epoch)
        seconds = time.monotonic() - started
        images_seen = config.epochs * steps * config.batch_size
        bar.console.print(
            f"  trained in {seconds:.1f} s, {images_seen / seconds:,.0f} images/s", highlight=False
        )
        return result
