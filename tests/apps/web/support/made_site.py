"""A site without npm and without models that anybody trained."""

import json
from pathlib import Path

from apps.web.found import Found
from data.task import Task
from serve.client.package import Package

TASK = Task("shapes", (6, 6, 1), ("cross", "line", "ring"))
INDEX = (
    '<meta http-equiv="Content-Security-Policy" content="%policy%"><title>%title%</title>'
    '<meta name="facts" content="%facts%"><script src="%page%/page.js"></script>'
)


def make_dist(folder: Path) -> Path:
    """Writes what a build of the page leaves, as far as the layout knows it."""
    for name, content in (
        ("index.html", INDEX),
        ("service-worker.js", "addEventListener('fetch', () => {})"),
        ("page/page.js", "console.log(1)"),
        ("page/style.css", "a { color: red }"),
        ("wasm/litert.wasm", "wasm " * 200),
        ("wasm/litert.wasm.br", "by brotli"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def make_device(folder: Path) -> Package:
    """Writes a device package with one model, and a file that is not of it."""
    folder.mkdir(parents=True)
    (folder / "float32.tflite").write_bytes(b"TFL3" * 100)
    (folder / "pushed.json").write_text("{}")
    (folder / "model.json").write_text(json.dumps({"labels": TASK.label_names}))
    return Package(TASK, folder.parent.parent, folder, {"float32": "float32.tflite"})


def make_found(output: Path) -> Found:
    """Returns models that nothing can be taught."""
    return Found(make_device(output / "device" / "1"), None, "There is <none>.")
