"""Where a training keeps its checkpoints, which its runner knows.

Were the folder a parameter of the Trainer, TFX's cache would take it for something that decides
over the result, and train again for an OUTPUT that was copied elsewhere.
"""

import tempfile
from pathlib import Path

NAME = "checkpoints"
_folder: Path | None = None


def keep_in(output: Path) -> None:
    """Has the trainings of this process keep their checkpoints in `output`/checkpoints."""
    global _folder
    _folder = output / NAME


def folder() -> Path:
    """Returns the folder; a new one, for this process alone, where no runner named one."""
    return _folder or Path(tempfile.mkdtemp(prefix=f"{NAME}-"))
