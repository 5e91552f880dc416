"""What is taken from Maven Central: `maven.lock` has every file, with what it is for and its hash.

A line of the lock is a use, Maven's coordinates `group:artifact:version[:type[:classifier]]` and a
SHA-256. A file that is taken for one use may stand there for another, too.
"""

import dataclasses
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

from data.errors import ConfigError
from data.files import PROJECT_ROOT, file_sha256
from pipeline import maven

LOCK = Path(__file__).parent / "maven.lock"
FOLDER = PROJECT_ROOT / ".android" / "maven"

_DEFAULTS = ("jar", "")  # of type and classifier


@dataclasses.dataclass(frozen=True)
class Artifact:
    """A file of a Maven repository.

    Attributes:
      use: what it is for; see `files`.
      group, name, version, type, classifier: its coordinates; the last is "" where it has none.
      sha256: of its content, in hexadecimal digits.
    """

    use: str
    group: str
    name: str
    version: str
    type: str
    classifier: str
    sha256: str

    @property
    def file_name(self) -> str:
        """What Maven calls a copy of it."""
        end = f"-{self.classifier}" if self.classifier else ""
        return f"{self.name}-{self.version}{end}.{self.type}"


def read_lock(path: Path = LOCK) -> tuple[Artifact, ...]:
    """Returns what the lock has, in its order.

    Raises:
      ConfigError: a line is not of its form.
    """
    artifacts = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        parts = words[1].split(":") if len(words) == 3 else []
        if not (3 <= len(parts) <= 5 and len(words[2]) == 64):
            raise ConfigError(
                f"{path}, line {number}: expected a use, group:artifact:version[:type[:classifier]]"
                " and a SHA-256"
            )
        coordinates = (*parts, *_DEFAULTS[len(parts) - 3 :])
        artifacts.append(Artifact(words[0], *coordinates, words[2]))
    return tuple(artifacts)


def files(*uses: str, folder: Path = FOLDER, lock: Path = LOCK) -> list[Path]:
    """Returns where the files for some uses are, or will be, in the order of the lock."""
    return [folder / each.file_name for each in _wanted(uses, lock)]


def fetch(*uses: str, folder: Path = FOLDER, lock: Path = LOCK) -> list[Path]:
    """Takes the files for some uses from the repositories that Maven is set up for.

    Those that are there already are left as they are.

    Returns:
      All of them, in the order of the lock.

    Raises:
      ConfigError: there is no Maven, it cannot get a file, or a file is not that of the lock.
    """
    missing = [each for each in _wanted(uses, lock) if not (folder / each.file_name).exists()]
    if missing:
        if not maven.has_maven():
            raise ConfigError(f"{missing[0].file_name}: {maven.NO_MAVEN}")
        folder.mkdir(parents=True, exist_ok=True)
        # A file that is only partly there, or another one, must not be found later.
        unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder))
        try:
            _copy(missing, unfinished)
            for each in missing:
                _check(each, unfinished / each.file_name)
                (unfinished / each.file_name).rename(folder / each.file_name)
        finally:
            shutil.rmtree(unfinished)
    return files(*uses, folder=folder, lock=lock)


def _wanted(uses: Iterable[str], lock: Path) -> list[Artifact]:
    return list({each.file_name: each for each in read_lock(lock) if each.use in uses}.values())


def _copy(artifacts: list[Artifact], folder: Path) -> None:
    """Has Maven copy files; one call, as each would take seconds."""
    project = folder / "pom.xml"
    project.write_text(_project(artifacts, folder), "utf-8")
    # Without updates, Maven would repeat an earlier failure from memory.
    reason = maven.run("--update-snapshots", f"--file={project}", "dependency:copy")
    if reason:
        names = ", ".join(each.file_name for each in artifacts)
        raise ConfigError(f"Maven cannot get {names}: {reason}")


def _check(artifact: Artifact, file: Path) -> None:
    found = file_sha256(file)
    if found != artifact.sha256:
        raise ConfigError(
            f"{file.name}: Maven got a file with SHA-256 {found}, expected {artifact.sha256} as in "
            f"{LOCK.name}; remove it from Maven's own folder, and do not use what it was made into"
        )


def _project(artifacts: list[Artifact], folder: Path) -> str:
    """Returns a project that does nothing but copy files into a folder."""
    items = "".join(
        f"<artifactItem><groupId>{each.group}</groupId><artifactId>{each.name}</artifactId>"
        f"<version>{each.version}</version><type>{each.type}</type>"
        f"<classifier>{each.classifier}</classifier></artifactItem>"
        for each in artifacts
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>mnistjax</groupId><artifactId>files</artifactId><version>1</version>"
        "<packaging>pom</packaging><build><plugins><plugin>"
        "<artifactId>maven-dependency-plugin</artifactId><configuration>"
        f"<outputDirectory>{escape(str(folder))}</outputDirectory>"
        f"<artifactItems>{items}</artifactItems>"
        "</configuration></plugin></plugins></build></project>\n"
    )
