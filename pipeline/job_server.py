"""Beam's job servers, the programs in Java that hand its work to Flink or Spark.

`python -m pipeline.job_server flink` takes the one of Beam's version from Maven Central, by Maven.
"""

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

from pipeline.errors import ConfigError

FOLDER = Path(__file__).resolve().parent.parent / ".beam"
_GROUP = "org.apache.beam"
# The engines' versions are the newest ones that Beam's own options name.
ARTIFACTS = {
    "flink": "beam-runners-flink-2.2-job-server",
    "spark": "beam-runners-spark-3-job-server",
}


def jar_path(engine: str, folder: Path = FOLDER) -> Path:
    """Returns where the job server of an engine in ARTIFACTS is, or will be."""
    return folder / f"{ARTIFACTS[engine]}-{_version()}.jar"


def coordinates(engine: str) -> str:
    """Returns what Maven calls it; its version is that of the Beam that is installed."""
    return f"{_GROUP}:{ARTIFACTS[engine]}:{_version()}"


def fetch(engine: str, folder: Path = FOLDER) -> Path:
    """Takes the job server from the repositories that Maven is set up for, unless it is there.

    Maven checks what it downloads against the repository's checksum.

    Raises:
      ConfigError: there is no Maven, or it cannot get the file.
    """
    path = jar_path(engine, folder)
    if path.exists():
        return path
    if not shutil.which("mvn"):
        raise ConfigError(
            f"{path.name}: there is no Maven to take it with (Debian: apt install maven); or put "
            f"the file into {folder}"
        )
    command = ["mvn", "--batch-mode", "--no-transfer-progress", "--strict-checksums"]
    command += ["--update-snapshots"]  # or Maven would repeat an earlier failure from memory
    command += ["dependency:copy", f"-Dartifact={coordinates(engine)}"]
    # A jar that is only partly copied must not be found later.
    command += [f"-DoutputDirectory={folder / 'unfinished'}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if line.startswith("[ERROR]")]
        reason = errors[0].removeprefix("[ERROR] ") if errors else f"status {done.returncode}"
        raise ConfigError(f"Maven cannot get {coordinates(engine)}: {reason}")
    (folder / "unfinished" / path.name).rename(path)
    return path


def _version() -> str:
    return importlib.metadata.version("apache-beam")


def main(arguments: list[str]) -> int:
    """Fetches the job servers of the engines that the arguments name."""
    if not arguments or set(arguments) - ARTIFACTS.keys():
        print(f"usage: python -m pipeline.job_server {'|'.join(ARTIFACTS)} ...", file=sys.stderr)
        return 2
    try:
        for engine in arguments:
            print(fetch(engine))
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
