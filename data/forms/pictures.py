"""Image files: what they are of, and their pixels as uint8."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from data.errors import DataError, disk_errors
from data.forms.decompressed import open_regular
from data.forms.layout import MAX_PIXELS

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
_FORMATS = ("PNG", "JPEG", "BMP")
# Of EXIF; from 5 to 8, height and width are exchanged:
# https://www.cipa.jp/std/documents/e/DC-008-2012_E.pdf
_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)
_GREY_MODES = ("1", "L", "LA")
_COLOUR_MODES = ("P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "La", "RGBa")


def size_of(path: Path) -> tuple[int, int]:
    """Returns an image's height and width, from its header alone.

    Raises:
        DataError: it is no image, or far too large.
    """
    with _opened(path) as picture:
        is_turned = _is_photo(picture) and picture.getexif().get(_ORIENTATION, 1) in _TURNED
        return picture.size if is_turned else picture.size[::-1]


def is_grey(path: Path) -> bool:
    """Returns whether an image has no colour, by its pixels where its mode may have some.

    Raises:
        DataError: it is no whole image.
    """
    with _opened(path) as picture:
        if picture.mode in _GREY_MODES:
            return True
        pixels = np.asarray(_flat(picture).convert("RGB"))
    return bool((pixels == pixels[..., :1]).all())


def read_picture(path: Path, shape: tuple[int, int, int]) -> np.ndarray:
    """Returns an image as uint8 of `shape`, upright, on black where it is transparent.

    Raises:
        DataError: it is no whole image.
    """
    height, width, channels = shape
    with _opened(path) as picture:
        upright = ImageOps.exif_transpose(picture) if _is_photo(picture) else _flat(picture)
        flat = upright.convert("L" if channels == 1 else "RGB")
    return _fitted(flat, (height, width))


def read_rgba(path: Path) -> np.ndarray:
    """Returns an image's pixels uint8[h, w, 4], upright: red, green, blue and alpha.

    Raises:
        DataError: it is no whole image.
    """
    with _opened(path) as picture:
        upright = ImageOps.exif_transpose(picture) if _is_photo(picture) else picture
        return np.asarray(upright.convert("RGBA"))


def resized(pixels: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Returns pixels uint8[h, w, 1 or 3] as uint8 of `shape`, as `read_picture` does a file's."""
    height, width, channels = shape
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    return _fitted(picture.convert("L" if channels == 1 else "RGB"), (height, width))


def _fitted(flat: Image.Image, size: tuple[int, int]) -> np.ndarray:
    height, width = size
    if flat.size != (width, height):
        flat = flat.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(flat).reshape(height, width, -1)


def _is_photo(picture: Image.Image) -> bool:
    """Whether a camera may have made it; all of a PNG would be read to look for EXIF."""
    return picture.format not in ("PNG", "BMP")


def _flat(picture: Image.Image) -> Image.Image:
    """Puts what is transparent on black."""
    has_alpha = picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info
    if has_alpha:
        rgba = picture.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba)
        return flat.convert("L" if picture.mode in ("L", "LA", "La") else "RGB")
    return picture


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Yields an image of which only the header was read; errors within become DataErrors."""
    with disk_errors("read", path), open(path, "rb", opener=open_regular) as file:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of Pillow, about what is checked here
                with Image.open(file, formats=_FORMATS) as picture:
                    _check(path, picture)
                    yield picture
        except DataError:
            raise
        except Image.DecompressionBombError as error:
            raise _too_large(path, "of far more pixels") from error
        # Damage makes Pillow raise nearly anything.
        except Exception as error:
            raise DataError(
                f"{path}: expected a whole PNG, JPEG or BMP image ({_reason(error)}); it is "
                "damaged or none, so fetch it again or remove it"
            ) from error


def _check(path: Path, picture: Image.Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_large(path, f"{picture.height}x{picture.width} pixels")
    if picture.mode not in _GREY_MODES + _COLOUR_MODES:
        raise DataError(
            f"{path}: has pixels of mode {picture.mode}, expected 8 bits for each channel; save it "
            "as 8-bit grey or RGB"
        )


def _too_large(path: Path, size: str) -> DataError:
    return DataError(
        f"{path}: says that it is {size}, expected at most {MAX_PIXELS:,} in all; shrink it or "
        "remove it"
    )


def _reason(error: Exception) -> str:
    if isinstance(error, Image.UnidentifiedImageError):
        return "it does not begin as one"
    return str(error) or type(error).__name__
