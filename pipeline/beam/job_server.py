"""Beam's job servers, the programs in Java that hand its work to Flink or Spark.

Maven takes the one of Beam's version from Maven Central. Mirrors do not all have it; where it is
missing, Maven makes one of Beam's libraries instead, as deploy/job_server.xml says.
"""

import importlib.metadata
import shutil
import sys
from pathlib import Path
from xml.etree import ElementTree

from data.errors import ConfigError
from data.files import PROJECT_ROOT
from pipeline import maven

FOLDER = PROJECT_ROOT / ".beam"
_GROUP = "org.apache.beam"
# The engines' versions are the newest ones that Beam's own options name.
ARTIFACTS = {
    "flink": "beam-runners-flink-2.2-job-server",
    "spark": "beam-runners-spark-3-job-server",
}
POM = PROJECT_ROOT / "deploy" / "job_server.xml"


def jar_path(engine: str, folder: Path = FOLDER) -> Path:
    """Returns where the job server of an engine in ARTIFACTS is, or will be."""
    ready = folder / f"{ARTIFACTS[engine]}-{_version()}.jar"
    if not ready.exists() and made_path(engine, folder).exists():
        return made_path(engine, folder)
    return ready


def made_path(engine: str, folder: Path = FOLDER) -> Path:
    """Returns where the job server of an engine is if it was made of libraries."""
    pom = ElementTree.parse(POM)
    profiles = pom.iterfind("{*}profiles/{*}profile")
    of_engine = next(profile for profile in profiles if profile.findtext("{*}id") == engine)
    name = of_engine.findtext("{*}properties/{*}jar", "")
    return folder / f"{name.replace('${project.version}', pom.findtext('{*}version', ''))}.jar"


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
    if not maven.has_maven():
        raise ConfigError(f"{path.name}: {maven.NO_MAVEN}; or put the file into {folder}")
    # A jar that is only partly there must not be found later, not by Maven either.
    unfinished = folder / f"unfinished-{engine}"
    shutil.rmtree(unfinished, ignore_errors=True)
    # Without updates, Maven would repeat an earlier failure from memory.
    copy = ("--update-snapshots", "dependency:copy", f"-Dartifact={coordinates(engine)}")
    wanted = f"get {coordinates(engine)}"
    reason = maven.run(*copy, f"-DoutputDirectory={unfinished}")
    if reason:
        path = made_path(engine, folder)
        print(f"Maven cannot {wanted}: making {path.name} ...", file=sys.stderr)
        wanted = f"make {path.name} of Beam's libraries"
        reason = maven.run("package", f"--file={POM}", f"-P{engine}", f"-Dfolder={unfinished}")
    if reason:
        raise ConfigError(f"Maven cannot {wanted}: {reason}")
    (unfinished / path.name).rename(path)
    shutil.rmtree(unfinished)
    return path


def _version() -> str:
    return importlib.metadata.version("apache-beam")
