"""A headless Chromium, steered through its DevTools protocol.

See https://chromedevtools.github.io/devtools-protocol/ for the methods and events.
"""

import base64
import contextlib
import http.client
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import websocket

from pipeline.beam import direct_http
from tests.support.machine import lacks

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_TIMEOUT = 20  # seconds, for a busy machine
_TURN = 0.05  # seconds


def find_browser() -> str:
    """Returns the program; without one the test is skipped, or fails if REQUIRE_BROWSER=1."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    lacks("BROWSER", f"none of {', '.join(_NAMES)} is on PATH")


class Tab:
    """One page: it sends commands and keeps all events that came meanwhile."""

    def __init__(self, address: str):
        # Chromium refuses sockets that come with an Origin.
        self._socket = websocket.create_connection(
            address, timeout=_TIMEOUT, suppress_origin=True, max_size=None
        )
        self._number = 0
        self.events: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Sends a command and waits for its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]
            self.events.append(message)

    def show(self, path: Path, width: int, height: int, scheme: str) -> None:
        """Loads a file at a width and height in CSS pixels, in the scheme "light" or "dark"."""
        self.look(width, height, scheme)
        self.events.clear()
        self.go(path.as_uri())

    def look(self, width: int, height: int, scheme: str) -> None:
        """Has pages shown so from now on."""
        mobile = width < 700
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if mobile else 1,
            mobile=mobile,
        )
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", features=features)

    def go(self, address: str) -> None:
        """Loads a page."""
        loaded = self._loaded()
        self.send("Page.navigate", url=address)
        while self._loaded() == loaded:
            self.events.append(json.loads(self._socket.recv()))

    def _loaded(self) -> int:
        return sum(event["method"] == "Page.loadEventFired" for event in self.events)

    def evaluate(self, script: str) -> Any:
        """Returns the value of an expression in the page; of a promise, what it comes to."""
        result = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait_for(self, script: str) -> Any:
        """Waits until an expression in the page is true in JavaScript's sense; returns it."""
        deadline = time.monotonic() + _TIMEOUT
        while time.monotonic() < deadline:
            if value := self.evaluate(script):
                return value
            time.sleep(_TURN)
        raise TimeoutError(f"{script} is not true after {_TIMEOUT} s")

    def screenshot(self, path: Path, **params: Any) -> None:
        """Writes what is shown as a PNG."""
        data = self.send("Page.captureScreenshot", format="png", **params)["data"]
        path.write_bytes(base64.b64decode(data))

    def requests(self) -> list[str]:
        """Returns the addresses that the page asked for."""
        sent = "Network.requestWillBeSent"
        return [e["params"]["request"]["url"] for e in self.events if e["method"] == sent]

    def complaints(self) -> list[str]:
        """Returns what the console and the log hold, such as breaches of the page's own policy."""
        methods = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [json.dumps(event) for event in self.events if event["method"] in methods]

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def open_tab(folder: Path) -> Iterator[Tab]:
    """Starts a browser with an empty profile in `folder`; ends it afterwards."""
    process = subprocess.Popen(
        [
            find_browser(),
            "--headless=new",
            "--no-sandbox",  # which root does not get
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--use-fake-device-for-media-stream",  # a camera, which sees a moving figure
            "--use-fake-ui-for-media-stream",
            "--disable-features=BackForwardCache",  # a page that was left is gone
            "--remote-debugging-port=0",
            f"--user-data-dir={folder}",
            "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        tab = Tab(_address(process, folder / "DevToolsActivePort"))
        yield tab
        tab.close()
    finally:
        process.terminate()
        process.wait(_TIMEOUT)


def _address(process: subprocess.Popen, port_file: Path) -> str:
    """Waits for the browser; returns the address of its first tab."""
    deadline = time.monotonic() + _TIMEOUT
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the browser ended with status {process.returncode}"
        not_yet = (OSError, http.client.HTTPException, ValueError, IndexError, StopIteration)
        with contextlib.suppress(*not_yet):
            port = port_file.read_text().splitlines()[0]
            with direct_http.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=10) as answer:
                pages = json.load(answer)
            return next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page")
        time.sleep(0.1)
    raise TimeoutError(f"no tab after {_TIMEOUT} s")
