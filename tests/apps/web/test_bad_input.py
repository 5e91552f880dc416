"""What goes wrong is told in a sentence, and the rest of the page goes on."""

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.web import found, layout
from apps.web.found import Found
from modules.inference.personal.client import PersonalModel
from tests.apps.web.support.page import Page, Served
from tests.apps.web.support.strokes import around
from tests.support.browser import Tab
from tests.support.pushed_models import record

FORGETS_S = 3  # what Chromium has counted of a page's room, after the page was left
WORDS = [f"a thing of kind {number}" for number in range(10)]
RING = around((0.5, 0.5), 0.3, 12)
# As an older browser: the runtime tries a small program with such instructions.
NO_RELAXED_SIMD = """
const { instantiate } = WebAssembly
WebAssembly.instantiate = (code, ...rest) =>
  code.byteLength < 1000 ? Promise.reject(new Error('refused')) : instantiate(code, ...rest)
"""


@pytest.fixture(scope="module")
def lesson(page: Page) -> Page:
    """The page with one sample, which was saved."""
    page.teach("ring", RING)
    page.wait_until_saved()
    return page


def test_files_that_are_no_pictures(page: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_text("no picture")
    page.choose("#choose", tmp_path / "notes.png")
    assert page.message() == "“notes.png” is no picture that this browser can read."
    (tmp_path / "empty.png").touch()
    page.choose("#choose", tmp_path / "empty.png")
    assert page.message() == "“empty.png” is empty; choose a picture."


def test_photos_that_are_large_or_too_large(page: Page, tmp_path: Path) -> None:
    pixels = np.full((3000, 4000), 255, np.uint8)
    pixels[1000:2000, 1900:2100] = 0
    Image.fromarray(pixels).save(tmp_path / "large.jpg")
    page.choose("#choose", tmp_path / "large.jpg")
    page.tab.wait_for("document.querySelector('#photo').width === 1024")
    page.tab.wait_for("document.querySelector('#models').ariaBusy === 'false'")
    assert page.seen()[14, 14] == 1

    Image.new("1", (20_000, 20), 1).save(tmp_path / "wide.png")
    page.choose("#choose", tmp_path / "wide.png")
    assert page.message().startswith("“wide.png” has 20000x20 pixels, more than this page can")
    with open(tmp_path / "huge.png", "wb") as file:
        file.truncate(65_000_000)
    page.choose("#choose", tmp_path / "huge.png")
    assert page.message().startswith("“huge.png” has 65 MB, more than the 64 MB that this page")
    page.clear()


def test_a_picture_without_a_figure(page: Page, tmp_path: Path) -> None:
    Image.new("L", (50, 50), 200).save(tmp_path / "blank.png")
    page.choose("#choose", tmp_path / "blank.png")
    page.wait_for_text("#verdict", "hows no figure, expected one that is darker or lighter")
    page.clear()


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("NotFoundError", "There is no camera here; open a picture instead."),
        ("NotAllowedError", "The browser does not let this page use the camera; allow it, or"),
    ],
)
def test_no_camera(page: Page, error: str, sentence: str) -> None:
    page.tab.evaluate(
        "navigator.mediaDevices.getUserMedia = () =>"
        f"Promise.reject(new DOMException('', '{error}')); 0"
    )
    page.click("#take")
    assert page.message().startswith(sentence)


def test_samples_without_a_name_or_a_drawing(lesson: Page) -> None:
    lesson.clear()
    lesson.name("ring")
    lesson.click("#add-sample")
    assert lesson.message() == "There is nothing to add: draw, or choose a picture first."
    lesson.draw(RING)
    lesson.name("  ")
    lesson.click("#add-sample")
    assert lesson.message().startswith("Say first which class it is of")
    assert lesson.samples() == {"ring": 1}


def test_states_that_are_damaged_or_of_another_model(
    lesson: Page, models: Found, softmax_package: Path, tmp_path: Path
) -> None:
    before = lesson.exported(tmp_path)
    PersonalModel(str(softmax_package)).save(tmp_path / "shapes.safetensors")
    (tmp_path / "half.safetensors").write_bytes(before[: len(before) // 2])
    for name in ("shapes.safetensors", "half.safetensors"):
        lesson.choose("#import", tmp_path / name)
        message = lesson.message()
        assert message.startswith(f"“{name}”") and message.count(".") <= 3
    assert lesson.samples() == {"ring": 1}
    assert lesson.exported(tmp_path) == before


def test_a_browser_without_room_keeps_the_old_state(lesson: Page, tmp_path: Path) -> None:
    origin = lesson.served.address[:-1]
    before = lesson.exported(tmp_path)
    lesson.tab.go("about:blank")
    time.sleep(FORGETS_S)
    lesson.tab.send("Storage.overrideQuotaForOrigin", origin=origin, quotaSize=1)
    try:
        lesson.open(is_new=False)
        lesson.start_teaching()
        lesson.draw(RING)
        lesson.name("ring")
        lesson.click("#add-sample")
        assert lesson.message() == (
            "What was trained cannot be kept here, and what was kept before is untouched: the "
            "browser has no room left for this page; free some, or export the state as a file."
        )
        assert lesson.text("#saved") == "The last change is not saved."
    finally:
        lesson.tab.send("Storage.overrideQuotaForOrigin", origin=origin)
    lesson.open(is_new=False)
    lesson.start_teaching()
    assert lesson.samples() == {"ring": 1}
    assert lesson.exported(tmp_path) == before


@pytest.fixture
def broken(models: Found, dist: Path, output: Path, tab: Tab, tmp_path: Path) -> Iterator[Page]:
    """A page for photos, with a model that was damaged on its way, and none that can be taught."""
    folder = tmp_path / "output"
    shutil.copytree(output / "device", folder / "device")
    manifest = folder / "device" / "7" / "model.json"
    content = json.loads(manifest.read_text())
    content["labels"] = WORDS
    content["input"]["drawing"] = None
    manifest.write_text(json.dumps(content))
    (manifest.parent / "pushed.json").unlink()
    record(manifest.parent)
    site = layout.lay_out(found.find({"OUTPUT": str(folder)}), dist, tmp_path / "site")
    file = next(asset for path, asset in site.items() if path.endswith("/int8.tflite"))
    content = bytearray(file.path.read_bytes())
    content[len(content) // 2] ^= 1
    file.path.write_bytes(content)
    file.encoded["gzip"].unlink()
    served = Served({**site, f"/{file.path.relative_to(tmp_path / 'site')}": bare(file)})
    page = Page(tab, served)
    page.open()
    page.load_all()
    yield page
    tab.go("about:blank")
    served.leave()


def bare(file: layout.Asset) -> layout.Asset:
    return layout.Asset(file.path, file.sha256, file.is_kept, {})


def test_a_damaged_model_is_left_out(broken: Page, tmp_path: Path) -> None:
    assert broken.text("[data-model=int8] .why").startswith("Int8 is damaged: its SHA-256 begins")
    photo = Image.new("RGB", (300, 200), (10, 60, 200))
    photo.paste((200, 150, 40), (100, 50, 200, 150))
    photo.save(tmp_path / "photo.png")
    broken.choose("#choose", tmp_path / "photo.png")
    broken.wait_for_text("#verdict", "say")
    answers = broken.answers()
    assert answers.keys() == {"float32", "float16", "dynamic_range"}
    assert list(answers["float32"]) == WORDS
    expected = photo.convert("L").resize((28, 28), Image.Resampling.BILINEAR)
    np.testing.assert_allclose(broken.seen() * 255, np.asarray(expected), atol=1e-3)
    assert broken.tab.evaluate("document.querySelector('#sheet').hidden")
    assert broken.text("#teach-intro").startswith(
        "There is no model that can be taught yet: `make personalize"
    )
    assert broken.errors() == []


@pytest.mark.parametrize(
    ("lack", "selector", "sentence"),
    [
        ("delete window.WebAssembly", "#lack", "This browser has no WebAssembly, which models"),
        (
            "delete navigator.__proto__.serviceWorker",
            "#offline",
            "This browser keeps no pages: without a network this one will not open",
        ),
        (
            NO_RELAXED_SIMD,
            "#runtime",
            "LiteRT.js, the compatible build.",
        ),
        ("delete window.indexedDB", "#message-text", "What was trained cannot be kept here"),
    ],
)
def test_what_the_browser_lacks_is_said(
    tab: Tab, served: Served, lack: str, selector: str, sentence: str
) -> None:
    page = Page(tab, served)
    script = tab.send("Page.addScriptToEvaluateOnNewDocument", source=lack)["identifier"]
    try:
        page.open()
        if "indexedDB" in lack:
            page.start_teaching()
        assert page.wait_for_text(selector, sentence)
        if selector != "#lack":
            page.wait_until_ready()
            page.draw(RING)
            assert page.answers()
    finally:
        tab.send("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
        tab.events.clear()
