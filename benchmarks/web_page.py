"""How fast the page is in headless Chromium on loopback, beside LiteRT in Python.

The page of the newest pushed models, which the settings lead to, is opened a few times by somebody
who was never there: until it is ready, and how many bytes the server sent by then. Then digits'
strokes are drawn: the time from a stroke's end until every model's answer is shown, with those
models that are loaded unasked and with all of them; and a model's time for one image, beside that
of LiteRT in Python in the same minute. Last, 60 samples of three symbols are trained for ten
epochs. Writes output/bench/web_page.json; takes a minute.
"""

import json
import os
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from apps.web import build, found, layout
from apps.web.found import Found
from data.files import PROJECT_ROOT
from modules import features
from modules.inference import litert
from pipeline.running.exit_status import tells_wrong_settings
from tests.apps.web.support.page import Page, Served
from tests.apps.web.support.strokes import Stroke, around
from tests.support.browser import open_tab

OUTPUT = PROJECT_ROOT / "output" / "bench" / "web_page.json"
_VISITS, _DRAWINGS, _PYTHON_RUNS = 5, 12, 200
_SYMBOLS = {"star": (5, 2), "square": (4, 1), "triangle": (3, 1)}
_SAMPLES, _EPOCHS = 20, 10  # of each symbol
_SETTLE_S = 1.5  # until the page has taken the times of all models
_DURATIONS = "performance.getEntriesByName('{}').map(entry => entry.duration)"


class Counting(Served):
    """Counts what is sent, headers included."""

    def __init__(self, site: layout.Site):
        super().__init__(site)
        self.sent, lock = 0, threading.Lock()
        plain = self._server.RequestHandlerClass

        def count(size: int) -> None:
            with lock:
                self.sent += size

        class Handler(plain):  # type: ignore[misc, valid-type]
            def setup(self) -> None:
                super().setup()
                write = self.wfile.write

                def counted(content: bytes) -> int:
                    count(len(content))
                    return write(content)

                self.wfile.write = counted

        self._server.RequestHandlerClass = Handler


def strokes(number: int) -> list[Stroke]:
    """Returns a drawing; each is another one."""
    corners, step = list(_SYMBOLS.values())[number % 3]
    return around((0.5 + 0.002 * number, 0.5), 0.25 + 0.002 * number, corners, step)


def visits(page: Page, counting: Counting) -> dict[str, Any]:
    """Opens the page as a new person does, a few times."""
    ready, first, sent = [], [], []
    for number in range(_VISITS):
        counting.sent = 0
        page.open()
        page.wait_until_ready()
        ready.append(page.tab.evaluate("performance.getEntriesByName('ready')[0].startTime"))
        sent.append(counting.sent)
        page.draw(strokes(number))
        first.append(page.tab.evaluate(_DURATIONS.format("prediction"))[0])
    return {
        "ready_ms": statistics.median(ready),
        "first_prediction_ms": statistics.median(map(sum, zip(ready, first, strict=True))),
        "sent_bytes": int(statistics.median(sent)),
    }


def predictions(page: Page) -> dict[str, float]:
    """Draws, and returns times from a stroke's end to the answers in milliseconds."""
    page.tab.evaluate("performance.clearMeasures(); 0")
    for number in range(_DRAWINGS):
        page.draw(strokes(number))
    times = page.tab.evaluate(_DURATIONS.format("prediction"))
    return {
        "models": len(page.answers()),
        "median_ms": statistics.median(times),
        "most_ms": max(times),
    }


def model_times(page: Page, models: Found) -> dict[str, dict[str, float]]:
    """Returns microseconds of one image, in the page and in Python."""
    page.draw(strokes(0))
    time.sleep(_SETTLE_S)
    image = page.seen().reshape(1, -1)
    found = {}
    for name in page.answers():
        if name == "personal":
            continue
        text = page.text(f"[data-model={name}] .facts")
        run = litert.BatchRunner(
            litert.make_interpreter(str(models.device_folder / f"{name}.tflite"), 1)
        )
        times = []
        for _ in range(_PYTHON_RUNS):
            start = time.perf_counter()
            run({features.IMAGE_FLOATS: image})
            times.append(time.perf_counter() - start)
        here = float(text.partition(" µs")[0].replace(",", ""))
        found[name] = {"page_us": here, "python_us": 1e6 * statistics.median(times)}
    return found


def training(page: Page) -> dict[str, float]:
    """Teaches three symbols, and trains."""
    for number in range(_SAMPLES):
        for place, name in enumerate(_SYMBOLS):
            page.teach(name, strokes(3 * number + place))
    said = page.train(_EPOCHS)
    [duration] = page.tab.evaluate(_DURATIONS.format("training"))
    return {"samples": sum(page.samples().values()), "ms": duration, "said": said}


@tells_wrong_settings
def main() -> int:
    """Measures, prints and writes."""
    models = found.find(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        served = Counting(layout.lay_out(models, build.built(), Path(folder) / "web"))
        with open_tab(Path(folder) / "profile") as tab:
            tab.look(1280, 900, "light")
            page = Page(tab, served)
            result: dict[str, Any] = {"task": models.device.task.name, **visits(page, served)}
            result["unasked"] = predictions(page)
            page.load_all()
            page.start_teaching()
            result["all_bytes"] = served.sent
            result["all"] = predictions(page)
            result["one_image"] = model_times(page, models)
            result["training"] = training(page)
        served.leave()
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    OUTPUT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
