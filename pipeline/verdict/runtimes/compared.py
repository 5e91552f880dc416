"""What the runtimes say of one file, held against XNNPACK: the content of `runtimes.json`."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

FILE = "runtimes.json"


@dataclasses.dataclass(frozen=True)
class Difference:
    """An image for which a runtime names another class than XNNPACK.

    Attributes:
      image: its row in the eval split, as ExampleGen's files have it.
      label: its class.
      expected: the class that XNNPACK names.
      found: the class that the runtime names.
    """

    image: int
    label: int
    expected: int
    found: int


@dataclasses.dataclass(frozen=True)
class RuntimeMetrics:
    """What one runtime says of the images, and how it differs from XNNPACK on the same ones.

    Attributes:
      images: how many there are.
      accuracy: share of them whose label it names.
      agreement: share with XNNPACK's class.
      agreement_but_for_ties: the same, where classes that XNNPACK has closer together than the
        recipe tells apart count as one.
      lost: images that only XNNPACK gets right.
      gained: images that only this runtime gets right.
      max_step_difference: the largest, of an output of integers; None for another.
      max_logit_difference: the largest, of any logit.
      ms_per_image: time of the process, its start included, for each of the images.
      first_difference: the first image with another class; None where there is none.
    """

    images: int
    accuracy: float
    agreement: float
    agreement_but_for_ties: float
    lost: int
    gained: int
    max_step_difference: int | None
    max_logit_difference: float
    ms_per_image: float
    first_difference: Difference | None


@dataclasses.dataclass(frozen=True)
class ComparedFile:
    """What the runtimes made of one file.

    Attributes:
      sha256: of the file that was run.
      logit_spread: standard deviation of all logits that XNNPACK gives; None where it gives none.
      runtimes: what those say that were run, XNNPACK first.
      not_run: why others were not, in sentences.
      failed: those of them that tried, and failed over the file.
    """

    sha256: str
    logit_spread: float | None
    runtimes: Mapping[str, RuntimeMetrics]
    not_run: Mapping[str, str]
    failed: tuple[str, ...]


_FORM = TypeAdapter(dict[str, ComparedFile])


def write(files: Mapping[str, ComparedFile], folder: Path) -> None:
    """Writes FILE, what came of the device models by name, into a folder that is made."""
    folder.mkdir(parents=True, exist_ok=True)
    content = json.dumps(_FORM.dump_python(dict(files)), indent=2)
    (folder / FILE).write_text(content + "\n")


def read(folder: Path) -> dict[str, ComparedFile]:
    """Returns what `write` wrote."""
    return _FORM.validate_python(json.loads((folder / FILE).read_text("utf-8")))
