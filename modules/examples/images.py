"""Images, stored in as little memory as possible and made when they are asked for."""

from collections.abc import Callable

import numpy as np

from modules.examples import spill

_WHITE = np.float32(255)
# The levels that ExampleGen writes. They are kept as places in this table, which sort as the
# bytes of the floats do: in what order examples come does not depend on how they are kept.
_GREYS = np.arange(256, dtype=np.float32) / _WHITE
_ORDER = np.argsort(_GREYS.view("V4"))
_GREYS, _PLACES = _GREYS[_ORDER], np.argsort(_ORDER).astype(np.uint8)

_LABEL = ("label", ">i8")  # in bytes that sort as the numbers do
_Step = Callable[[np.ndarray], np.ndarray]


class NotGreyError(ValueError):
    """A pixel is not one of the 256 levels."""


def to_records(images: np.ndarray, labels: np.ndarray, pixel: type[np.generic]) -> np.ndarray:
    """Returns examples as records that sort, as bytes, by the image and then by the label.

    Args:
      images: raw float32[B, pixels].
      labels: int64[B].
      pixel: what a pixel is kept as: np.uint8, which takes a quarter of the memory, or np.float32,
        which takes any pixels.

    Raises:
      NotGreyError: np.uint8 would not give the same bits back.
    """
    records = np.empty(len(labels), [("image", pixel, images.shape[1]), _LABEL])
    records["label"] = labels
    if pixel is np.float32:
        records["image"] = images
        return records
    with np.errstate(invalid="ignore"):  # a NaN is told from a level below
        levels = np.rint(images * _WHITE).astype(np.uint8)
    if (levels / _WHITE).tobytes() != np.ascontiguousarray(images).tobytes():
        raise NotGreyError("a pixel is not one of the levels 0/255 to 255/255")
    np.take(_PLACES, levels, out=records["image"], mode="clip")
    return records


class Images:
    """Some images, as an array of which only those rows exist that are asked for."""

    def __init__(
        self, records: np.ndarray | spill.InFile, steps: tuple[_Step, ...] | None = None
    ) -> None:
        """Takes records of `to_records`, and what makes the images of a batch of them."""
        self._records = records
        self._steps = steps or (_pixels,)

    def __len__(self) -> int:
        """Returns how many images there are."""
        return len(self._records)

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Returns float32[B, pixels] of a slice without a step, or of int[B]."""
        batch = self._records[rows]
        for step in self._steps:
            batch = step(batch)
        return batch

    def then(self, step: _Step) -> "Images":
        """Returns the same images with one more step, float32[B, pixels] to the same shape."""
        return Images(self._records, (*self._steps, step))


def _pixels(records: np.ndarray) -> np.ndarray:
    if records["image"].dtype == np.float32:
        return np.ascontiguousarray(records["image"])
    return np.take(_GREYS, records["image"], mode="clip")
