"""The page in a browser, as a person uses it."""

import base64
import json
import threading
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from apps.web.layout import Site
from apps.web.server import PageServer
from tests.apps.web.support.strokes import Stroke
from tests.support.browser import Tab

_TURNS = 1000  # of 20 ms, for a busy machine
_IS_SETTLED = "document.querySelector('#models').ariaBusy === 'false'"


class Served:
    """A site on a port of its own, which can be away for a while."""

    def __init__(self, site: Site):
        self._server = PageServer(0)
        self._server.site = site
        self.address, self._port = self._server.address, self._server.port
        self._start()

    def _start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def replace(self, site: Site) -> None:
        self._server.site = site

    def leave(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def come_back(self) -> None:
        site = self._server.site
        self._server = PageServer(self._port)
        self._server.site = site
        self._start()


class Page:
    """What a tab shows."""

    def __init__(self, tab: Tab, served: Served):
        self.tab, self.served = tab, served

    def open(self, is_new: bool = True) -> None:
        """Loads the page; as one who was never there, where `is_new`."""
        if is_new:
            self.tab.go("about:blank")
            self.tab.send("Network.clearBrowserCache")
            self.tab.send(
                "Storage.clearDataForOrigin", origin=self.served.address[:-1], storageTypes="all"
            )
        self.tab.go(self.served.address)

    def wait_until_ready(self) -> None:
        self.tab.wait_for("performance.getEntriesByName('ready').length")

    def load_all(self) -> None:
        """Has it load the models that it only offers."""
        self.tab.wait_for("performance.getEntriesByName('ready').length")
        if not self.tab.evaluate("document.querySelector('#load-rest').hidden"):
            self.click("#load-rest")
            self.tab.wait_for("document.querySelector('#load-rest').hidden")

    def start_teaching(self) -> None:
        self.tab.wait_for(
            "!document.querySelector('#teach-start').hidden"
            " || !document.querySelector('#lesson').hidden"
        )
        if self.tab.evaluate("document.querySelector('#lesson').hidden"):
            self.click("#teach-start")
            self.tab.wait_for("!document.querySelector('#lesson').hidden")

    def click(self, selector: str) -> None:
        self.tab.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def text(self, selector: str) -> str:
        return self.tab.evaluate(f"document.querySelector({json.dumps(selector)}).textContent")

    def wait_for_text(self, selector: str, part: str) -> str:
        query = f"document.querySelector({json.dumps(selector)}).textContent"
        self.tab.wait_for(f"{query}.includes({json.dumps(part)})")
        return self.text(selector)

    def clear(self) -> None:
        self.click("#clear")

    def draw(self, strokes: Sequence[Stroke]) -> None:
        """Draws on an empty sheet with the mouse, and waits until the models have told it."""
        self.clear()
        for stroke in strokes:
            self._draw_line(stroke)
        self.tab.wait_for(_IS_SETTLED)

    def _draw_line(self, stroke: Stroke) -> None:
        x, y, width, height = self.box("#pad")
        points = [(x + width * across, y + height * down) for across, down in stroke]
        held = {"button": "left", "buttons": 1, "clickCount": 1}
        self._mouse("mousePressed", points[0], **held)
        for point in points[1:] or points:
            self._mouse("mouseMoved", point, **held)
        self._mouse("mouseReleased", points[-1], **{**held, "buttons": 0})

    def _mouse(self, kind: str, point: tuple[float, float], **held: Any) -> None:
        self.tab.send("Input.dispatchMouseEvent", type=kind, x=point[0], y=point[1], **held)

    def box(self, selector: str) -> list[float]:
        return self.tab.evaluate(
            "(() => { const b = document.querySelector("
            f"{json.dumps(selector)}).getBoundingClientRect();"
            "return [b.left, b.top, b.width, b.height] })()"
        )

    def choose(self, selector: str, *files: Path) -> None:
        """Gives files to a field, as somebody who chose them."""
        found = self.tab.send(
            "Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})"
        )
        self.tab.send(
            "DOM.setFileInputFiles",
            files=[str(file) for file in files],
            objectId=found["result"]["objectId"],
        )

    def seen(self) -> np.ndarray:
        """Returns the image that the page shows as what the models see, float32[H, W] in [0, 1]."""
        address = self.tab.evaluate("document.querySelector('#seen').toDataURL('image/png')")
        content = base64.b64decode(address.partition(",")[2])
        grey = np.asarray(Image.open(BytesIO(content)).convert("L"))
        return grey.astype(np.float32) / np.float32(255)

    def answers(self) -> dict[str, dict[str, float]]:
        """Returns the probability of each class by each model that runs."""
        return self.tab.evaluate(
            "Object.fromEntries([...document.querySelectorAll('.model:not(.off)')].map(row =>"
            "[row.dataset.model, Object.fromEntries([...row.querySelectorAll('.bars li')].map(li =>"
            "[li.querySelector('.label').textContent, Number(li.querySelector('data').value)]))]))"
        )

    def name(self, name: str) -> None:
        """Types the name of a class."""
        self.tab.evaluate(f"document.querySelector('#class-name').value = {json.dumps(name)}; 0")

    def teach(self, name: str, strokes: Sequence[Stroke]) -> None:
        """Draws a sample of a class and adds it."""
        self.draw(strokes)
        self.name(name)
        before = self.samples().get(name, 0)
        self.click("#add-sample")
        self.tab.wait_for(f"{_SAMPLES}[{json.dumps(name)}] > {before}")

    def samples(self) -> dict[str, int]:
        """Returns how many samples the page says that there are of each class."""
        return self.tab.evaluate(_SAMPLES)

    def train(self, epochs: int = 10) -> str:
        """Trains to the end; returns what the page says of it."""
        self.tab.evaluate(f"document.querySelector('#epochs').value = {epochs}; 0")
        self.click("#train")
        return self.wait_for_text("#progress", "Trained for")

    def wait_until_saved(self) -> None:
        self.wait_for_text("#saved", "Saved in this browser at")

    def exported(self, folder: Path) -> bytes:
        """Returns the file that Export gives, which is saved in a folder and taken from there."""
        self.tab.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        self.click("#export")
        file = folder / "mine.safetensors"
        for _ in range(_TURNS):
            if file.exists():  # it is renamed when it is whole
                break
            self.tab.evaluate("new Promise(resolve => setTimeout(resolve, 20))")
        content = file.read_bytes()
        file.unlink()
        return content

    def message(self) -> str:
        """Waits for a message; returns it, and closes it."""
        self.tab.wait_for("!document.querySelector('#message').hidden")
        text = self.text("#message-text")
        self.click("#message-close")
        return text

    def errors(self) -> list[str]:
        """Returns what the console has of errors, and not of notes of the browser's own."""
        return [text for text in self.tab.complaints() if '"level": "warning"' not in text]


_SAMPLES = (
    "Object.fromEntries([...document.querySelectorAll('.class')].map(li =>"
    "[li.dataset.name, parseInt(li.querySelector('.count').textContent)]))"
)
