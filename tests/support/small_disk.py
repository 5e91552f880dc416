"""A disk of a few pages, for what happens when it is full."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.machine import lacks

PAGE = os.sysconf("SC_PAGE_SIZE")


class SmallDisk:
    """A tmpfs in `folder`, whose space is counted in pages."""

    def __init__(self, folder: Path):
        """Mounts it, with 256 pages."""
        self.folder = folder
        self._mount(256, 0)

    def remake(self, pages: int, files: int = 0) -> None:
        """Puts an empty one in its place.

        Args:
          pages: of content.
          files: and folders, with itself one of them; 0: any number.
        """
        self.close()
        self._mount(pages, files)

    def fill(self) -> Path:
        """Fills it with a file, and returns that."""
        return self.fill_folder(self.folder)

    @staticmethod
    def fill_folder(folder: Path) -> Path:
        """The same, given its folder."""
        filler = folder / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while file.write(bytes(PAGE)) == PAGE:
                pass
        return filler

    def close(self) -> None:
        """Takes it away with all that is in it."""
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def _mount(self, pages: int, files: int) -> None:
        options = f"size={pages * PAGE},nr_inodes={files}"
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.folder)]
        subprocess.run(command, check=True, capture_output=True, text=True)


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[SmallDisk]:
    """Makes the folder and mounts one there; skips the test where this user may not mount."""
    folder.mkdir()
    try:
        disk = SmallDisk(folder)
    except FileNotFoundError:
        lacks("SMALL_DISK", "there is no `mount` here")
    except subprocess.CalledProcessError as error:
        lacks("SMALL_DISK", f"no small disk can be mounted here: {error.stderr.strip()}")
    try:
        yield disk
    finally:
        disk.close()
