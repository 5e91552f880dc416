"""What a path leads to: a SavedModel, a `.tflite`, or neither, and then what is nearest."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from data.errors import DataError, disk_errors, shown
from modules.inspection.files import GRAPH_FILES, LARGEST
from modules.inspection.report import DeviceModel, ServerModel

_IDENTIFIER = b"TFL3"  # at the fifth byte of a .tflite

_DEEPEST, _MOST_FILES = 4, 5000  # to look for a model in
_EXPECTED = "expected the folder of a SavedModel or a .tflite file"


def inspect(path: str) -> DeviceModel | ServerModel:
    """Returns what a model offers.

    Args:
      path: of a SavedModel's folder, or of a `.tflite` file, whatever its name.

    Raises:
      DataError: there is no such model, or it is damaged.
    """
    place = Path(path)
    with disk_errors("read", Path(shown(path))):
        mode = place.stat().st_mode
        if stat.S_ISDIR(mode):
            is_model = _is_saved_model(place)
        elif stat.S_ISREG(mode):
            is_model = _is_tflite(place)
        else:
            raise DataError(f"{path}: is neither a file nor a folder; {_EXPECTED}")
    if not is_model:
        raise DataError(_nothing(place, stat.S_ISDIR(mode)))
    # Here: TensorFlow takes its seconds, which a wrong path should not have to wait for.
    if stat.S_ISDIR(mode):
        from modules.inspection import server_model

        return server_model.inspect(path)
    if place.stat().st_size > LARGEST:
        raise DataError(
            f"{path}: has {place.stat().st_size:,} bytes; a .tflite file has at most {LARGEST:,}, "
            "so make or fetch it again"
        )
    from modules.inspection import device_model

    return device_model.inspect(path)


def _is_saved_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in GRAPH_FILES)


def _is_tflite(path: Path) -> bool:
    with open(path, "rb") as file:
        return file.read(8)[4:] == _IDENTIFIER


def _nothing(place: Path, is_folder: bool) -> str:
    """Returns the sentence for what is no model, with the nearest path that leads to one."""
    if is_folder:
        what = f"there is no {GRAPH_FILES[0]} in this folder"
    elif not place.stat().st_size:
        what = "is empty"
    else:
        what = "does not begin as a .tflite file"
    nearest = next((each for each in place.resolve().parents if _is_saved_model(each)), None)
    if is_folder and not nearest:
        nearest = next(_models_below(place), None)
    advice = f"the nearest is FILE={nearest}" if nearest else "there is none near it"
    return f"{place}: {what}; {_EXPECTED}, and {advice}"


def _models_below(folder: Path) -> Iterator[Path]:
    """Yields the models in a folder, those that lie highest first, and newer versions first."""
    level, looked_at = [folder], 0
    for _ in range(_DEEPEST):
        below: list[Path] = []
        for each in level:
            try:
                entries = sorted(os.scandir(each), key=_newest_first)
            except OSError:  # of another user, or gone
                continue
            for entry in entries:
                looked_at += 1
                if looked_at > _MOST_FILES:
                    return
                path = Path(entry.path)
                try:
                    if entry.is_dir(follow_symlinks=False):
                        below.append(path)
                        if _is_saved_model(path):
                            yield path
                    elif entry.is_file() and _is_tflite(path):
                        yield path
                except OSError:
                    continue
        level = below


def _newest_first(entry: os.DirEntry) -> tuple[int, str]:
    is_version = entry.name.isascii() and entry.name.isdigit() and len(entry.name) < 19
    return (-int(entry.name) if is_version else 0, entry.name)
