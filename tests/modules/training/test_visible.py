"""What a training shows: lines on the terminal, curves and mistakes in TensorBoard."""

import dataclasses
import re
from pathlib import Path

import jax
import numpy as np
import pytest
import tensorflow as tf
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from data.task import Task
from modules.training import loop, visible
from modules.training.saved import checkpoints
from tests.modules.training.small_training import (
    HALVES,
    SMALL,
    Data,
    assert_same_bits,
    make_few,
    make_riddle,
)

MISTAKES = "mistakes on validation images"
SCALARS = {"train_loss", "validation_loss", "validation_accuracy", "learning_rate"}


@dataclasses.dataclass(frozen=True)
class Shown:
    """A training, and what was seen of it."""

    result: loop.TrainResult
    events: EventAccumulator
    figure: Figure  # of the mistakes
    terminal: str


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that are drawn."""
    drawn: list[Figure] = []

    def canvas(figure: Figure) -> FigureCanvasAgg:
        drawn.append(figure)
        return FigureCanvasAgg(figure)

    monkeypatch.setattr(visible, "FigureCanvasAgg", canvas)
    return drawn


def show(
    data: Data,
    folder: Path,
    figures: list[Figure],
    capsys: pytest.CaptureFixture[str],
    saved: checkpoints.Checkpoints | None = None,
) -> Shown:
    result = visible.train(HALVES, *data, SMALL, str(folder), saved)
    events = EventAccumulator(str(folder))
    events.Reload()
    [figure] = figures
    return Shown(result, events, figure, capsys.readouterr().err)


@pytest.fixture
def riddle(tmp_path: Path, figures: list[Figure], capsys: pytest.CaptureFixture[str]) -> Shown:
    """A training that cannot but make mistakes."""
    return show(make_riddle(), tmp_path, figures, capsys)


def test_the_training_is_the_same_as_without_a_look_at_it(
    halves: Data, small_result: loop.TrainResult, tmp_path: Path
) -> None:
    assert_same_bits(visible.train(HALVES, *halves, SMALL, str(tmp_path)), small_result)


def test_tensorboard_has_the_metrics_of_every_epoch(riddle: Shown) -> None:
    assert set(riddle.events.Tags()["tensors"]) == {*SCALARS, MISTAKES}
    for name in SCALARS:
        found = {
            event.step: float(tf.make_ndarray(event.tensor_proto))
            for event in riddle.events.Tensors(name)
        }
        expected = {metrics.epoch: getattr(metrics, name) for metrics in riddle.result.history}
        assert found == pytest.approx(expected), name


def image_of(shown: Shown) -> np.ndarray:
    """Returns the one image of the mistakes, uint8[height, width, 3]."""
    [event] = shown.events.Tensors(MISTAKES)
    assert event.step == SMALL.epochs
    _, _, png = tf.make_ndarray(event.tensor_proto)
    return tf.io.decode_png(png).numpy()


def test_tensorboard_has_the_mistakes_the_worst_first(riddle: Shown) -> None:
    images, labels = (array[riddle.result.validation_rows] for array in make_riddle())
    logits = loop.predict(HALVES, riddle.result.variables, images)
    predicted = logits.argmax(axis=1)
    own = jax.nn.log_softmax(logits)[np.arange(len(labels)), labels]
    worst = sorted(np.flatnonzero(predicted != labels), key=lambda row: own[row])
    assert 1 < len(worst) < len(labels)

    shown = riddle.figure.axes
    names = HALVES.task.label_names
    titles = [f"{names[labels[row]]} → {names[predicted[row]]}" for row in worst]
    assert [axes.get_title() for axes in shown] == titles
    for axes, row in zip(shown, worst, strict=True):
        np.testing.assert_array_equal(axes.images[0].get_array(), images[row].reshape(28, 28))
    title = riddle.figure.get_suptitle()
    assert title == f"{len(worst)} of {len(labels)} misclassified (label → output)"
    drawn = np.asarray(riddle.figure.canvas.buffer_rgba())[..., :3]
    np.testing.assert_array_equal(image_of(riddle), drawn)
    assert np.unique(drawn).size > 100


def test_no_more_mistakes_are_drawn_than_one_can_look_at(
    halves: Data, small_result: loop.TrainResult, figures: list[Figure]
) -> None:
    images, labels = halves
    logits = loop.predict(HALVES, small_result.variables, images)
    visible._draw_mistakes(HALVES.task, logits, images, 1 - labels)
    [figure] = figures
    assert figure.get_suptitle() == "200 of 200 misclassified (label → output)"
    assert len(figure.axes) == 24


def test_colours_are_drawn_as_such_whatever_their_range(figures: list[Figure]) -> None:
    task = Task("colours", (2, 3, 3), ("ant", "bee"))
    images = np.linspace(-1, 3, 2 * 18, dtype=np.float32).reshape(2, 18)
    visible._draw_mistakes(task, np.float32([[1, 0], [1, 0]]), images, np.array([1, 0]))
    [axes] = figures[0].axes
    assert axes.get_title() == "bee → ant"
    drawn = np.asarray(axes.images[0].get_array())
    assert (drawn.shape, drawn.min(), drawn.max()) == ((2, 3, 3), 0, 1)
    np.testing.assert_allclose(drawn.ravel(), np.linspace(0, 1, 18), atol=1e-6)


def test_what_is_to_be_known_of_a_training_is_told_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, labels = make_few()
    config = dataclasses.replace(SMALL, epochs=1, batch_size=64)
    result = visible.train(HALVES, images, labels, config, str(tmp_path))
    assert len(result.notes) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"  {result.notes[0]}"


def test_without_any_mistake_the_image_says_so(
    halves: Data, tmp_path: Path, figures: list[Figure], capsys: pytest.CaptureFixture[str]
) -> None:
    shown = show(halves, tmp_path, figures, capsys)
    assert shown.result.history[-1].validation_accuracy == 1
    assert shown.figure.axes == []
    assert shown.figure.get_suptitle() == "0 of 10 misclassified (label → output)"
    image = image_of(shown)
    assert image[: image.shape[0] // 4].min() < 128 and image[image.shape[0] // 2 :].min() == 255


def test_the_terminal_has_a_line_an_epoch_and_one_at_the_end(riddle: Shown) -> None:
    *epochs, last, note = riddle.terminal.splitlines()
    assert note == f"  {riddle.result.notes[0]}" and "learnt nothing" in note
    assert epochs == [
        f"  epoch  {metrics.epoch}/4: loss {metrics.train_loss:.4f}, validation loss "
        f"{metrics.validation_loss:.4f}, accuracy {metrics.validation_accuracy:.2%}"
        for metrics in riddle.result.history
    ]
    accuracy = riddle.result.history[-1].validation_accuracy
    assert re.fullmatch(
        r"  trained in \d+\.\d s, [\d,]+ images/s, after \d+\.\d s of compilation: "
        rf"validation accuracy {accuracy:.2%}",
        last,
    )


def test_on_a_terminal_a_bar_shows_what_is_done_and_how_fast(
    halves: Data,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    visible.train(HALVES, *halves, SMALL, str(tmp_path))
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    bars = re.findall(r"  training \S+ +(\d+)% ([^\r\n]*)", shown)
    assert bars[0][0] == "0" and "compiling" in bars[0][1]
    assert bars[-1][0] == "100" and re.search(r"[\d,]+ images/s", bars[-1][1])


def test_an_interrupted_training_shows_the_epochs_before_again(
    tmp_path: Path,
    figures: list[Figure],
    capsys: pytest.CaptureFixture[str],
) -> None:
    saved = checkpoints.Checkpoints(tmp_path / "checkpoints", "riddle", print)
    whole = loop.train(HALVES, *make_riddle(), SMALL, checkpoints=saved)
    again = checkpoints.Checkpoints(tmp_path / "checkpoints", "riddle", print)
    shown = show(make_riddle(), tmp_path / "log", figures, capsys, again)
    assert_same_bits(shown.result, whole)
    assert [event.step for event in shown.events.Tensors("train_loss")] == [1, 2, 3, 4]
    assert len(re.findall(r"^  epoch  \d/4: ", shown.terminal, re.MULTILINE)) == 4
    assert ", 0 images/s, after " in shown.terminal
