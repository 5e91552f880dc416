"""What the images are: the one place that their shape and their labels come from."""

import dataclasses
import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal

MAX_SIDE = 224  # pixels


@dataclass(frozen=True)
class Augmentation:
    """What may be done to an image in training without making it one of another class.

    Attributes:
        max_rotation: in degrees, either way.
        max_shift: share of the image's height and width, either way.
        max_scaling: share of the size, larger or smaller.
        flip: whether left and right may be exchanged.
    """

    max_rotation: float = 15.0
    max_shift: float = 2 / 28
    max_scaling: float = 0.15
    flip: bool = False


@dataclass(frozen=True)
class Drawing:
    """How a data set's images were made of single figures, light on black; see `data.drawing`.

    Attributes:
        size: of the figure's longer side, in pixels of a field of `field` times `field`.
        field: to which `size` refers; a field of another size holds figures of the same share.
        centre: what lies in the middle of the field: the figure's centre of mass, or of its box.
    """

    size: int = 20
    field: int = 28
    centre: Literal["mass", "box"] = "mass"


@dataclass(frozen=True)
class Task:
    """A classification of small images.

    Attributes:
        name: in the names of folders and of the pipeline.
        image_shape: height, width and channels; 1 channel is grey, 3 are red, green and blue.
        label_names: of the classes 0, 1, ...: there are as many classes as names.
        title: for people; "" for the name.
        augmentation: what training may do to the images.
        min_accuracy: share of the test images that a model must get right, unless a setting says
            otherwise.
        drawing: how a drawing becomes one of its images; None where images are only resized.
    """

    name: str
    image_shape: tuple[int, int, int]
    label_names: tuple[str, ...]
    title: str = ""
    augmentation: Augmentation = field(default_factory=Augmentation)
    min_accuracy: float = 0.97
    drawing: Drawing | None = None

    def __post_init__(self) -> None:
        """Checks the shape and the labels.

        Raises:
            ValueError: the shape is not one of small images, or there are no labels, or two alike.
        """
        height, width, channels = self.image_shape
        if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE and channels in (1, 3)):
            raise ValueError(
                f"image_shape is {self.image_shape}, expected height and width from 1 to "
                f"{MAX_SIDE} and 1 or 3 channels"
            )
        if not self.label_names or len(set(self.label_names)) < len(self.label_names):
            raise ValueError(f"label_names are {self.label_names}, expected different ones")

    @property
    def num_pixels(self) -> int:
        """How many numbers an image is: height * width * channels."""
        height, width, channels = self.image_shape
        return height * width * channels

    @property
    def num_classes(self) -> int:
        """Labels go from 0 to num_classes - 1."""
        return len(self.label_names)

    def resized(self, size: tuple[int, int]) -> "Task":
        """Returns the task for images of this height and width.

        Its name tells the size, since runs on images of another would share a history.
        """
        name = f"{self.name}-{written_size(size)}"
        return dataclasses.replace(self, name=name, image_shape=(*size, self.image_shape[2]))

    def to_json(self) -> str:
        """Returns the task as a text for `from_json`, the same for equal tasks."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Task":
        """Returns the task that `to_json` made a text of."""
        values: dict[str, Any] = json.loads(text)
        values["augmentation"] = Augmentation(**values["augmentation"])
        values["drawing"] = Drawing(**values["drawing"]) if values.get("drawing") else None
        values["image_shape"] = tuple(values["image_shape"])
        values["label_names"] = tuple(values["label_names"])
        return cls(**values)


def written_size(size: tuple[int, int]) -> str:
    """Returns height and width as a text that `parse_image_size` takes."""
    return "{}x{}".format(*size)


def parse_image_size(text: str) -> tuple[int, int]:
    """Returns height and width from a text such as 48x64, or 64 for both.

    Raises:
        ValueError: it is no such text, or too large.
    """
    match = re.fullmatch(r"(\d{1,3})(?:x(\d{1,3}))?", text, re.ASCII)
    size = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not (min(size) > 0 and max(size) <= MAX_SIDE):
        raise ValueError(
            f"expected a number from 1 to {MAX_SIDE}, or two as 48x64 (height x width)"
        )
    return size
