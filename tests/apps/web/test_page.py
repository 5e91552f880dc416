"""Drawings and pictures on the page: the models' answers are those of Python; and how it looks."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.web.found import Found
from data.files import PROJECT_ROOT
from modules.inference import litert
from modules.inference.personal.client import PersonalModel
from tests.apps.web.support.page import Page
from tests.apps.web.support.strokes import strokes_of

PHONE, DESKTOP = (360, 740), (1280, 900)
AXE = PROJECT_ROOT / "apps/web/node_modules/axe-core/axe.min.js"
RUN_AXE = (
    "axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' ')))"
)
IN_BROWSERS = ("float32", "float16", "dynamic_range", "int8")


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def test_drawn_digits_are_told_as_python_tells_them(
    page: Page, models: Found, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    personal = PersonalModel(str(models.personal))
    right = 0
    for image, label in zip(digits[0][::2], digits[1][::2], strict=True):
        page.draw(strokes_of(image))
        seen, answers = page.seen(), page.answers()
        assert answers.keys() == {"personal", *IN_BROWSERS}
        for name in IN_BROWSERS:
            path = models.device_folder / f"{name}.tflite"
            [logits] = litert.predict(str(path), seen.reshape(1, -1))
            shares = list(answers[name].values())
            np.testing.assert_allclose(shares, softmax(logits), atol=1e-5)
        told = personal.infer(seen.reshape(28, 28, 1))
        assert answers["personal"].keys() == told.keys()
        np.testing.assert_allclose(
            list(answers["personal"].values()), list(told.values()), atol=1e-5
        )
        right += max(answers["float32"], key=answers["float32"].__getitem__) == str(label)
    assert right >= 4  # it was trained on 200 digits, drawn by others
    assert page.errors() == []
    outside = [url for url in page.tab.requests() if not url.startswith(page.served.address)]
    assert [url for url in outside if not url.startswith(("blob:", "data:", "about:"))] == []


def test_what_a_browser_cannot_run_is_said_beside_the_model(page: Page) -> None:
    why = page.text("[data-model=int8_io] .why")
    assert "Takes and gives int8, which LiteRT.js has no tensors for" in why


def test_a_model_says_what_it_costs(page: Page, models: Found) -> None:
    page.tab.wait_for(
        "document.querySelector('[data-model=int8] .facts').textContent.includes('µs')"
    )
    size = (models.device_folder / "int8.tflite").stat().st_size
    assert page.text("[data-model=int8] .facts").endswith(
        f" µs · {round(size / 1000)} kB · 99.0% accurate"
    )


def test_models_that_disagree_are_marked(page: Page) -> None:
    """A line of dots is no digit: what it is told to be hangs on the last bits."""
    marked = (
        "[...document.querySelectorAll('.model.differs')].every(row => "
        "!row.querySelector('.badge:not(.own)').hidden)"
    )
    rng = np.random.default_rng(3)
    for _ in range(12):
        page.draw([[tuple(point) for point in rng.uniform(0.1, 0.9, (7, 2))]])
        told = {
            name: max(shares, key=shares.__getitem__) for name, shares in page.answers().items()
        }
        is_split = len(set(told.values())) > 1
        assert page.text("#verdict").startswith("The models disagree") == is_split
        differing = page.tab.evaluate(
            "[...document.querySelectorAll('.model.differs')].map(row => row.dataset.model)"
        )
        assert bool(differing) == is_split and len({told[name] for name in differing}) < 5
        assert page.tab.evaluate(marked)


def test_a_drawing_is_made_without_a_mouse(page: Page, tmp_path: Path, digits: tuple) -> None:
    """A picture instead of it, a camera that was turned, and a hand that undoes and clears."""
    levels = 255 - np.rint(digits[0][7] * 255).astype(np.uint8)
    sheet = Image.new("L", (60, 50), 255)
    sheet.paste(Image.fromarray(levels), (20, 10))
    large = sheet.resize((600, 500), Image.Resampling.BICUBIC)
    large.save(tmp_path / "seven.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    large.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif, quality=98)
    seen = []
    for name in ("seven.png", "turned.jpg"):
        page.clear()
        page.choose("#choose", tmp_path / name)
        page.tab.wait_for("document.querySelector('#seen').ariaLabel?.includes('they see')")
        seen.append(page.seen())
    assert np.abs(seen[0] - seen[1]).mean() < 0.02
    assert seen[0].max() == 1
    page.clear()
    assert page.seen().max() == 0


def test_the_camera_takes_a_photo(page: Page) -> None:
    page.clear()
    page.click("#take")
    page.tab.wait_for("document.querySelector('#camera').open")
    page.tab.wait_for("document.querySelector('#camera-video').videoWidth")
    page.click("#shoot")
    page.tab.wait_for("document.querySelector('#photo').width === 512")
    page.tab.wait_for("document.querySelector('#models').ariaBusy === 'false'")
    assert page.seen().max() == 1
    assert page.tab.evaluate("document.querySelector('#camera-video').srcObject") is None
    page.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_it_can_be_read_and_used_by_everybody(
    page: Page, digits: tuple, tmp_path: Path, size: tuple[int, int], scheme: str
) -> None:
    page.tab.look(*size, scheme)
    try:
        page.draw(strokes_of(digits[0][3]))
        page.tab.evaluate(f"{AXE.read_text()}; 0")
        assert page.tab.evaluate(RUN_AXE) == []
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= size[0]
        page.tab.screenshot(tmp_path / "page.png")
        corner = np.asarray(Image.open(tmp_path / "page.png").convert("L"))[0, 0]
        assert corner > 220 if scheme == "light" else corner < 40
    finally:
        page.tab.look(*DESKTOP, "light")


def test_keys_reach_everything(page: Page) -> None:
    """From the top of the page on, by Tab alone."""
    page.draw([[(0.5, 0.2), (0.5, 0.8)]])
    page.tab.evaluate("document.activeElement.blur(); window.scrollTo(0, 0); 0")
    page.tab.evaluate("document.querySelector('.skip').focus(); 0")
    reached = set()
    for _ in range(40):
        for kind in ("rawKeyDown", "keyUp"):
            page.tab.send(
                "Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9
            )
        reached.add(page.tab.evaluate("document.activeElement.id"))
    assert {"clear", "undo-stroke", "choose", "take", "class-name", "add-sample"} <= reached
    assert {"add-photos", "epochs", "export", "import", "reset"} <= reached
