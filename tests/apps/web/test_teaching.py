"""Teaching on the page: symbols are learnt, and the state is Python's, there and back."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from apps.web.found import Found
from modules.inference.personal.client import PersonalModel
from tests.apps.web.support.page import Page
from tests.apps.web.support.strokes import Stroke, around

ZIGZAG: list[Stroke] = [[(-1, -0.8), (-0.5, 0.8), (0, -0.8), (0.5, 0.8), (1, -0.8)]]
SYMBOLS = {"star": around((0, 0), 1, 5, 2), "square": around((0, 0), 1, 4), "zigzag": ZIGZAG}
SAMPLES, EPOCHS = 5, 20


def shape(name: str, number: int) -> list[Stroke]:
    """One of a symbol, each a little elsewhere and of another size."""
    across, down, size = (
        0.5 + 0.03 * (number % 3 - 1),
        0.5 + 0.02 * (number % 2),
        0.3 + 0.01 * number,
    )
    return [[(across + size * x, down + size * y) for x, y in stroke] for stroke in SYMBOLS[name]]


@pytest.fixture(scope="module")
def taught(page: Page) -> Page:
    """The page after somebody has taught it three symbols."""
    for name in SYMBOLS:
        for number in range(SAMPLES):
            page.teach(name, shape(name, number))
    page.train(EPOCHS)
    page.wait_until_saved()
    return page


def test_three_symbols_are_learnt(taught: Page) -> None:
    assert taught.samples() == dict.fromkeys(SYMBOLS, SAMPLES)
    assert taught.text("#places").endswith("and has no room for new classes.")
    for name in SYMBOLS:
        taught.draw(shape(name, SAMPLES - 2))
        shares = taught.answers()["personal"]
        assert max(shares, key=shares.__getitem__) == name
        assert f"Yours says {name}." in taught.text("#verdict")
    assert taught.text("#progress").startswith(f"Trained for {EPOCHS} epochs, ")
    assert float(taught.text("#loss")) < 0.5
    assert taught.text("#accuracy").endswith("%")
    lines = taught.tab.evaluate(
        "[...document.querySelectorAll('#curve .line')].map(l => l.points.numberOfItems)"
    )
    assert lines == [EPOCHS, EPOCHS]
    pictures = "document.querySelectorAll('.class[data-name=star] .thumbs canvas').length"
    assert taught.tab.evaluate(pictures) == SAMPLES


def test_the_state_goes_to_python_and_back(taught: Page, models: Found, tmp_path: Path) -> None:
    (tmp_path / "page.safetensors").write_bytes(taught.exported(tmp_path))
    python = PersonalModel(str(models.personal))
    python.load(tmp_path / "page.safetensors")
    assert python.class_names[10:] == tuple(SYMBOLS)
    taught.draw(shape("star", 7))
    image = taught.seen().reshape(28, 28, 1)
    here = list(taught.answers()["personal"].values())
    np.testing.assert_allclose(here, list(python.infer(image).values()), atol=1e-5)

    python.train(5)
    python.save(tmp_path / "python.safetensors")
    taught.choose("#import", tmp_path / "python.safetensors")
    taught.wait_for_text("#progress", f"Imported, {python.step} steps in all.")
    taught.draw(shape("star", 7))
    there = list(taught.answers()["personal"].values())
    told = python.infer(taught.seen().reshape(28, 28, 1))
    np.testing.assert_allclose(there, list(told.values()), atol=1e-5)
    assert np.abs(np.subtract(here, there)).max() > 1e-4  # Python's training is seen
    back = safetensors.numpy.load(taught.exported(tmp_path))
    for name, array in safetensors.numpy.load_file(tmp_path / "python.safetensors").items():
        np.testing.assert_array_equal(back[name], array)


def test_a_sample_is_taken_back(taught: Page) -> None:
    before = taught.samples()
    taught.teach("star", shape("star", 2))
    assert taught.samples()["star"] == before["star"] + 1
    taught.click("#undo-sample")
    assert taught.samples() == before


def test_there_is_no_place_for_a_fourth_symbol(taught: Page) -> None:
    taught.draw(shape("star", 1))
    taught.name("heart")
    taught.click("#add-sample")
    assert taught.message().startswith("There is no output free for a class 'heart': all 13 have")
    assert "heart" not in taught.samples()


def test_a_training_rests_goes_on_and_is_stopped(taught: Page) -> None:
    taught.tab.evaluate("document.querySelector('#epochs').value = 50; 0")
    taught.click("#train")
    taught.click("#pause")
    taught.wait_for_text("#progress", "Resting after ")
    assert taught.text("#pause") == "Continue"
    taught.click("#pause")
    taught.click("#stop")
    assert taught.wait_for_text("#progress", "Stopped after ")
    assert taught.text("#pause") == "Pause"


def test_what_was_taught_is_there_again(taught: Page, tmp_path: Path) -> None:
    """Also where the tab is closed in the midst of a training: that is as if it had not begun."""
    taught.train(1)
    taught.wait_until_saved()
    before, samples = taught.exported(tmp_path), taught.samples()
    taught.tab.evaluate("document.querySelector('#epochs').value = 50; 0")
    taught.click("#train")
    taught.tab.wait_for("!document.querySelector('#stop').disabled")
    taught.open(is_new=False)
    taught.start_teaching()
    assert taught.samples() == samples
    after = taught.exported(tmp_path)
    assert parts(after) == parts(before)
    taught.load_all()


def test_reset_forgets_it_all(taught: Page) -> None:
    taught.tab.evaluate("window.confirm = () => true; 0")
    taught.click("#reset")
    taught.wait_for_text("#progress", "Nothing was trained yet.")
    assert taught.samples() == {}
    taught.open(is_new=False)
    taught.start_teaching()
    assert taught.samples() == {}
    assert taught.errors() == []


def parts(content: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    """The metadata and the arrays of a state."""
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(io.BytesIO(content[8 : 8 + length]).read())["__metadata__"]
    arrays = safetensors.numpy.load(content)
    return metadata, {name: array.tobytes() for name, array in arrays.items()}
