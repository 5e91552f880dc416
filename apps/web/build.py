"""Has npm and esbuild make the page's JavaScript, where that is missing or stale."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from data.errors import DataError
from data.files import file_sha256
from pipeline.running.exit_status import tells_wrong_settings

HERE = Path(__file__).parent
DIST = "dist"
_SOURCES = ("package-lock.json", "build.mjs", "index.html", "src/**/*", "static/**/*")
_STAMP = "sources.sha256"  # in DIST: of what it was built
_INSTALLED = Path("node_modules", ".sources.sha256")  # of which lock they are
_OLDEST_NODE = 20


def built(folder: Path = HERE) -> Path:
    """Returns the folder with the built page, which is made anew where it is missing or stale.

    Args:
      folder: with package.json, build.mjs and the sources.

    Raises:
      DataError: node or npm is missing or too old, or one of them failed.
    """
    dist = folder / DIST
    wanted = _digest(folder, _SOURCES)
    if _content(dist / _STAMP) == wanted:
        return dist
    _check_node()
    lock = _digest(folder, _SOURCES[:1])
    if _content(folder / _INSTALLED) != lock:
        print("taking the page's packages with npm (25 MB) ...", flush=True)
        _run(folder, "npm", "ci")
        (folder / _INSTALLED).write_text(lock)
    print("building the page ...", flush=True)
    _run(folder, "node", "build.mjs")
    (dist / _STAMP).write_text(wanted)
    return dist


def _digest(folder: Path, patterns: tuple[str, ...]) -> str:
    files = sorted({f for pattern in patterns for f in folder.glob(pattern) if f.is_file()})
    lines = (f"{file.relative_to(folder).as_posix()} {file_sha256(file)}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _content(path: Path) -> str | None:
    return path.read_text() if path.is_file() else None


def _check_node() -> None:
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise DataError(
                f"there is no {program} on PATH, which builds the page; install Node.js "
                f"{_OLDEST_NODE} or newer with npm (Debian: apt install nodejs npm)"
            )
    said = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
    major = said.removeprefix("v").partition(".")[0]
    if not major.isdigit() or int(major) < _OLDEST_NODE:
        raise DataError(f"node is {said or 'broken'}, expected {_OLDEST_NODE} or newer; update it")


def _run(folder: Path, *command: str) -> None:
    """Runs a command in a folder; raises DataError with the last line that it wrote."""
    done = subprocess.run(
        command,
        cwd=folder,
        # Where a proxy stands between, npm hears of it; it asks nothing and paints nothing.
        env={**os.environ, "CI": "1", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        reasons = [line for line in lines if "error" in line.lower()] or lines[-1:]
        reason = reasons[0] if reasons else f"status {done.returncode}"
        raise DataError(
            f"`{' '.join(command)}` in {folder} failed: {reason}; run it there to see all, and "
            "check that the network lets npm through"
        )


@tells_wrong_settings
def main() -> int:
    """Builds the page where that is due; returns the exit status."""
    print(f"the page is built in {built()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
