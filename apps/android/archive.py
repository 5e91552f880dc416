"""Zip archives that are the same, byte for byte, whenever they are made of the same files."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

_DATE = (1981, 1, 1, 1, 1, 2)  # as the Android Gradle plugin has it
_STORED = ("resources.arsc",)  # read in place by the system
_FILE = 0o644 << 16


def write(path: Path, files: Mapping[str, Path | bytes]) -> None:
    """Writes files, or their contents, by their names in the archive, in the names' order."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(files):
            content = files[name]
            info = zipfile.ZipInfo(name, _DATE)
            info.external_attr = _FILE
            info.compress_type = zipfile.ZIP_STORED if name in _STORED else zipfile.ZIP_DEFLATED
            data = content if isinstance(content, bytes) else content.read_bytes()
            archive.writestr(info, data, compresslevel=9)


def members(path: Path) -> dict[str, bytes]:
    """Returns the contents of an archive's files by their names."""
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}
