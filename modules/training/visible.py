"""Shows a training while it runs, on the terminal and in TensorBoard."""

import contextlib
import dataclasses
import time

import numpy as np
import optax
from flax.metrics.tensorboard import SummaryWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from rich import progress
from rich.console import Console

from modules import features
from modules.training import checkpoints, feed, loop
from modules.training.config import TrainConfig

_SHOWN_MISTAKES = 24
_COLUMNS = 8


def train(
    images: feed.Images,
    labels: np.ndarray,
    config: TrainConfig,
    log_dir: str,
    saved: checkpoints.Checkpoints | None = None,
) -> loop.TrainResult:
    """Trains with a progress bar and a line for each epoch, and writes the results to TensorBoard.

    Args:
      images: normalised.
      labels: int[N].
      config: how to train.
      log_dir: TensorBoard's folder. It gets the scalars of each epoch, and the validation images
        that the trained network is most wrong about.
      saved: where epochs are saved, and restored from after an interruption.

    Raises:
      divergence.TrainingDivergedError: the loss left the range of a sound training.
      ValueError: see `loop.train`.
    """
    console = Console(stderr=True)
    calls, steps = loop.steps_of_epoch(len(images), config)
    steps *= calls
    first_steps: tuple[int, float] | None = None  # and when they were done
    with (
        contextlib.closing(SummaryWriter(log_dir)) as writer,
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
        task = bar.add_task("training", total=config.epochs * steps, speed="compiling")

        def on_steps(epoch: int, step: int) -> None:
            nonlocal first_steps
            done = (epoch - 1) * steps + step
            first_steps = first_steps or (done, time.monotonic())
            seconds = time.monotonic() - first_steps[1]
            speed = (done - first_steps[0]) * config.batch_size / seconds if seconds else 0
            bar.update(task, completed=done, speed=f"{speed:,.0f} images/s" if speed else "")

        def on_epoch(metrics: loop.EpochMetrics) -> None:
            values = dataclasses.asdict(metrics)
            epoch = values.pop("epoch")
            for name, value in values.items():
                writer.scalar(name, value, epoch)
            bar.console.print(
                f"  epoch {epoch:>2}/{config.epochs}: loss {metrics.train_loss:.4f}, "
                f"validation loss {metrics.validation_loss:.4f}, "
                f"accuracy {metrics.validation_accuracy:.2%}",
                highlight=False,
            )

        result = loop.train(images, labels, config, on_steps, on_epoch, saved)
        rows = result.validation_rows
        mistakes = _draw_mistakes(result.params, feed.Rows(images, rows), labels[rows])
        writer.image("mistakes on validation images", mistakes, config.epochs)
        last = result.history[-1]
        bar.console.print(
            f"  trained in {result.train_seconds:.1f} s, "
            f"{result.trained_images / result.train_seconds:,.0f} images/s, after "
            f"{result.compile_seconds:.1f} s of compilation: "
            f"validation accuracy {last.validation_accuracy:.2%}",
            highlight=False,
            soft_wrap=True,
        )
        return result


def _draw_mistakes(params: dict, images: feed.Images, labels: np.ndarray) -> np.ndarray:
    """Draws the misclassified images, the most wrong ones first: uint8[1, height, width, 3].

    Each is titled with its label and what the network takes it for.
    """
    logits = loop.predict(params, images)
    predicted = logits.argmax(axis=1)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    losses = np.where(predicted == labels, -np.inf, losses)
    count = np.count_nonzero(predicted != labels)
    worst = np.argsort(-losses, kind="stable")[: min(_SHOWN_MISTAKES, count)]
    rows = max(1, -(-len(worst) // _COLUMNS))
    figure = Figure(figsize=(_COLUMNS, 1.3 * rows + 0.4), layout="constrained")
    figure.suptitle(f"{count} of {len(labels)} misclassified (label → output)")
    for place, (row, image) in enumerate(zip(worst, images[worst], strict=True)):
        axes = figure.add_subplot(rows, _COLUMNS, place + 1)
        axes.imshow(image.reshape(features.IMAGE_SHAPE[:2]), cmap="gray_r")
        axes.set_title(f"{labels[row]} → {predicted[row]}", fontsize="medium")
        axes.set_axis_off()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[None, ..., :3]
