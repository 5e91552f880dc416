"""Writes the C files, and `micro.json`, which has all the figures."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from apps.micro import c_text, operators
from apps.micro.model_file import Border, ModelFile
from apps.micro.samples import Samples
from apps.micro.vela import Estimate
from data.errors import disk_errors
from data.task import Task

FIGURES = "micro.json"
_TEMPLATES = Path(__file__).parent / "templates"
_SCHEMA_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Found:
    """What is known of a model on a microcontroller.

    Attributes:
      task: what the images are.
      model: in integers.
      samples: images for the example.
      outputs: int8[N, classes], what the model says of them in an arena of `arena_bytes`.
      arena_bytes: the least that it runs in.
      npus: what Vela says.
    """

    task: Task
    model: ModelFile
    samples: Samples
    outputs: np.ndarray
    arena_bytes: int
    npus: tuple[Estimate, ...]

    @property
    def said(self) -> tuple[int, ...]:
        """The places of the labels that the model gives the images."""
        return tuple(int(place) for place in self.outputs.argmax(axis=1))

    @property
    def is_right(self) -> bool:
        """Whether these are the true ones."""
        return self.said == self.samples.labels

    def to_json(self) -> str:
        """Returns all figures as JSON; of arrays, their sizes."""
        return json.dumps(_figures(self), indent=2) + "\n"


def write(found: Found, folder: Path) -> None:
    """Writes the files into a folder that is there, `micro.json` last.

    Raises:
      DataError: the folder cannot be written to, or an operator is none of TFLite's own.
    """
    height, width, channels = found.task.image_shape
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # of labels, C gets string literals alone
    )
    environment.filters |= {
        "c_string": c_text.string_literal,
        "c_float": c_text.float_literal,
        "c_numbers": c_text.numbers,
    }
    values = {
        "model": found.model,
        "samples": found.samples,
        "arena_bytes": found.arena_bytes,
        "npus": found.npus,
        "methods": operators.methods(found.model.operators),
        "height": height,
        "width": width,
        "channels": channels,
    }
    texts = {
        path.stem: environment.get_template(path.name).render(values)
        for path in sorted(_TEMPLATES.iterdir())
    }
    with disk_errors("write", folder):
        (folder / FIGURES).unlink(missing_ok=True)
        for name, text in {**texts, FIGURES: found.to_json()}.items():
            (folder / name).write_text(text)


def _figures(found: Found) -> dict[str, Any]:
    model, answers = found.model, found.samples.answers
    scores = model.output.real(found.outputs).tolist()
    return {
        "schema_version": _SCHEMA_VERSION,
        "task": found.task.name,
        "version": model.path.parent.name,
        "file": model.path.name,
        "sha256": model.sha256,
        "flash_bytes": len(model.content),
        "arena_bytes": found.arena_bytes,
        "host_seconds_per_image": answers.seconds,
        "host_images": len(answers.outputs),
        "operators": list(model.operators),
        "resolver": list(operators.methods(model.operators)),
        "image_shape": list(found.task.image_shape),
        "input": _border(model.input),
        "output": _border(model.output),
        "labels": list(model.labels),
        "samples": [
            {"test_image": place, "label": label, "said": said, "scores": of_image}
            for place, label, said, of_image in zip(
                found.samples.places, found.samples.labels, found.said, scores, strict=True
            )
        ],
        "npus": [dataclasses.asdict(npu) for npu in found.npus],
    }


def _border(border: Border) -> dict[str, Any]:
    return {"dtype": "int8", **dataclasses.asdict(border)}
