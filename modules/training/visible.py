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

from data.task import Task
from modules.models.network import Network
from modules.training import feed, loop
from modules.training.config import TrainConfig
from modules.training.plan import make_plan
from modules.training.saved import checkpoints

_SHOWN_MISTAKES = 24
_COLUMNS = 8


def train(
    network: Network,
    images: feed.Images,
    labels: np.ndarray,
    config: TrainConfig,
    log_dir: str,
    saved: checkpoints.Checkpoints | None = None,
) -> loop.TrainResult:
    """Trains with a progress bar and a line for each epoch, and writes the results to TensorBoard.

    What `loop.train` has to say about the training is told in lines of its own.

    Args:
      network: what to train, and for which images.
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
    plan = make_plan(network, labels, config)
    steps, batch_size = plan.steps_of_epoch, plan.config.batch_size
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
            speed = (done - first_steps[0]) * batch_size / seconds if seconds else 0
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

        result = loop.train(network, images, labels, config, on_steps, on_epoch, saved)
        rows = result.validation_rows
        logits = loop.predict(network, result.variables, feed.Rows(images, rows))
        mistakes = _draw_mistakes(network.task, logits, feed.Rows(images, rows), labels[rows])
        writer.image("mistakes on validation images", mistakes, result.epoch)
        kept = result.history[result.epoch - 1]
        bar.console.print(
            f"  trained in {result.train_seconds:.1f} s, "
            f"{result.trained_images / result.train_seconds:,.0f} images/s, after "
            f"{result.compile_seconds:.1f} s of compilation: "
            f"validation accuracy {kept.validation_accuracy:.2%}",
            highlight=False,
            soft_wrap=True,
        )
        for note in result.notes:
            bar.console.print(f"  {note}", highlight=False, soft_wrap=True)
        return result


def _draw_mistakes(
    task: Task, logits: np.ndarray, images: feed.Images, labels: np.ndarray
) -> np.ndarray:
    """Draws the misclassified images, the most wrong ones first: uint8[1, height, width, 3].

    Each is titled with the name of its label and of what the network takes it for.
    """
    predicted = logits.argmax(axis=1)
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    losses = np.where(predicted == labels, -np.inf, losses)
    count = np.count_nonzero(predicted != labels)
    worst = np.argsort(-losses, kind="stable")[: min(_SHOWN_MISTAKES, count)]
    rows = max(1, -(-len(worst) // _COLUMNS))
    figure = Figure(figsize=(_COLUMNS, 1.3 * rows + 0.4), layout="constrained")
    figure.suptitle(f"{count} of {len(labels)} misclassified (label → output)")
    names = task.label_names
    for place, (row, image) in enumerate(zip(worst, images[worst], strict=True)):
        axes = figure.add_subplot(rows, _COLUMNS, place + 1)
        axes.imshow(_picture(image.reshape(task.image_shape)), cmap="gray_r")
        axes.set_title(f"{names[labels[row]]} → {names[predicted[row]]}", fontsize="medium")
        axes.set_axis_off()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[None, ..., :3]


def _picture(image: np.ndarray) -> np.ndarray:
    """Returns what matplotlib draws of normalised pixels: greys as they are, colours in [0, 1]."""
    if image.shape[2] == 1:
        return image[:, :, 0]
    darkest, lightest = image.min(), image.max()
    return (image - darkest) / max(lightest - darkest, np.finfo(np.float32).tiny)
