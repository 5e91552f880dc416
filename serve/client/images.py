"""What FILE holds, as a model sees it: PNG and other image files, a folder of them, an IDX file."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from data import drawing
from data.errors import DataError, disk_errors, shown
from data.forms import idx, pictures
from data.forms.decompressed import open_regular
from data.forms.idx_files import TRANSPOSED_SETS
from data.forms.layout import image_shape_of
from data.task import Task

_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM")
_IDX, _GZIP = b"\0\0", b"\x1f\x8b"


@dataclasses.dataclass(frozen=True)
class Seen:
    """An image as the models see it.

    Attributes:
      name: the file's, or its place in an IDX file.
      pixels: uint8[H, W, C] of the task.
    """

    name: str
    pixels: np.ndarray


@dataclasses.dataclass(frozen=True)
class Found:
    """The images that were found.

    Attributes:
      images: in their order.
      left_out: a sentence for each image that is none, and for those beyond the limit.
    """

    images: tuple[Seen, ...]
    left_out: tuple[str, ...]


def read(paths: Sequence[str], task: Task, limit: int) -> Found:
    """Returns the first images of files and folders.

    Args:
      paths: what FILE gives.
      task: says what the models take; see `as_seen`.
      limit: how many images to take.

    Raises:
      DataError: there is no image, or a file that was given is none.
    """
    images: list[Seen] = []
    left_out: list[str] = []
    for path in map(Path, paths):
        with disk_errors("read", Path(shown(str(path)))):
            path.stat()
            is_folder = path.is_dir()
        if is_folder:
            _read_folder(path, task, limit, images, left_out)
        elif len(images) < limit:
            images += _read_file(path, task, limit - len(images), left_out)
        else:
            left_out.append(f"{path}: left out, as only the first {limit} images are taken")
    return Found(tuple(images), tuple(left_out))


def as_seen(pixels: np.ndarray, task: Task) -> np.ndarray:
    """Returns an image as the models of a task see it, uint8[H, W, C].

    Where the task's images are drawings, it is made one by `data.drawing`. Otherwise it is resized,
    as the pipeline does with images of other sizes.

    Args:
      pixels: uint8[h, w, 3] or [h, w, 1].
      task: of the models.

    Raises:
      DataError: there is no figure to be seen.
    """
    if task.drawing is None:
        return pictures.resized(pixels, task.image_shape)
    if pixels.shape[2] == 1:
        grey = pixels[..., 0]
    else:
        opaque = np.full((*pixels.shape[:2], 1), 255, np.uint8)
        grey = drawing.grey_of(np.concatenate([pixels, opaque], axis=2))
    return drawing.as_image(grey, task.drawing, task.image_shape[:2])[..., np.newaxis]


def _read_folder(
    folder: Path, task: Task, limit: int, images: list[Seen], left_out: list[str]
) -> None:
    """Adds the images right in a folder; what is none is told, unless there is nothing else."""
    with disk_errors("look into", folder):
        files = sorted(
            path for path in folder.iterdir() if path.suffix.lower() in pictures.SUFFIXES
        )
    if not files:
        raise DataError(
            f"{folder}: there is no image in it, expected files ending in "
            f"{', '.join(pictures.SUFFIXES)}; give the folder that they are right in"
        )
    problems = []
    before = len(images)
    for number, path in enumerate(files):
        if len(images) >= limit:
            left_out.append(
                f"{folder}: {len(files) - number:,} more images are left out, as only the first "
                f"{limit} are taken"
            )
            break
        try:
            images.append(Seen(path.name, _picture(path, task)))
        except DataError as error:
            problems.append(str(error))
    if problems and len(images) == before < limit:
        raise DataError(problems[0])
    left_out += problems


def _read_file(path: Path, task: Task, limit: int, left_out: list[str]) -> Iterator[Seen]:
    with disk_errors("read", path), open(path, "rb", opener=open_regular) as file:
        start = file.read(4)
    if start.startswith(_SIGNATURES):
        return iter([Seen(path.name, _picture(path, task))])
    if start.startswith((_IDX, _GZIP)):
        return _read_idx(path, task, limit, left_out)
    raise DataError(
        f"{path}: {'is empty' if not start else 'begins as neither'}, expected an image (PNG, JPEG "
        "or BMP) or an IDX file of images; give such a file, or a folder of images"
    )


def _picture(path: Path, task: Task) -> np.ndarray:
    if task.drawing is None:
        return pictures.read_picture(path, task.image_shape)
    grey = drawing.grey_of(pictures.read_rgba(path))
    try:
        image = drawing.as_image(grey, task.drawing, task.image_shape[:2])
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    return image[..., np.newaxis]


def _read_idx(path: Path, task: Task, limit: int, left_out: list[str]) -> Iterator[Seen]:
    header = idx.read_header(path)
    shape = image_shape_of(header.shape) if header.dtype == np.uint8 else None
    if shape is None or len(header.shape) < 2 or not header.shape[0]:
        what = "labels" if len(header.shape) == 1 else "no images"
        raise DataError(
            f"{path}: holds {what} ({header.dtype.name} of shape {header.shape}), expected images, "
            "uint8 of shape (N, H, W); give the file of images, as t10k-images-idx3-ubyte"
        )
    count = min(limit, header.shape[0])
    if count < header.shape[0]:
        left_out.append(f"{path}: the first {count} of {header.shape[0]:,} images are taken")
    is_transposed = path.name.lower().startswith(TRANSPOSED_SETS)
    for number, values in enumerate(idx.read_range(path, 0, count)):
        pixels = values.reshape(shape)
        if is_transposed:
            pixels = np.ascontiguousarray(pixels.swapaxes(0, 1))
        name = f"image {number}"
        try:
            yield Seen(name, as_seen(pixels, task))
        except DataError as error:
            left_out.append(f"{name}: {error}")
