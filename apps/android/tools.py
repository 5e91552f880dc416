"""Programs that the build runs: Debian's, and those of a JDK."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from data.errors import ConfigError, DataError

# By name, and the package of Debian's that has each.
_PACKAGES = {
    "aapt": "aapt",
    "zipalign": "zipalign",
    "apksigner": "apksigner",
    "java": "openjdk-17-jdk-headless",
    "javac": "openjdk-17-jdk-headless",
    "keytool": "openjdk-17-jre-headless",
}
_LAST_LINES = 12  # of what a program says before it fails


def check() -> None:
    """Sees to it that all programs are there.

    Raises:
      ConfigError: one is not; it says how to get it.
    """
    missing = [name for name in _PACKAGES if not shutil.which(name)]
    if missing:
        packages = " ".join(dict.fromkeys(_PACKAGES[name] for name in missing))
        raise ConfigError(
            f"{', '.join(missing)}: not found, which `make android` needs; on Debian, "
            f"`apt install {packages}`"
        )


def run(
    command: Sequence[str | Path],
    cwd: Path | None = None,
    secrets: Mapping[str, str] | None = None,
) -> str:
    """Runs a program and returns what it prints.

    Args:
      command: its name and its arguments, which others on the machine may see.
      cwd: the folder that it runs in.
      secrets: more variables of its environment, which they may not.

    Raises:
      DataError: it fails, with the last lines of what it says.
    """
    result = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(secrets or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    if result.returncode:
        said = "\n".join(result.stdout.strip().splitlines()[-_LAST_LINES:])
        raise DataError(f"{command[0]} failed with status {result.returncode}:\n{said}")
    return result.stdout
