"""The library's tests in Java, run once, with what they were given and what they wrote."""

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from apps.android import dependencies
from apps.android.jvm.classes import JVM, LIBRARY, TESTS, compiled, has_java, java
from tests.apps.android import library_data
from tests.modules.inference.personal import packages
from tests.support.digit_models import DigitModels
from tests.support.machine import lacks

SMALL_DISK = "small-disk"  # the tag of a test that wants one, which not everybody may mount


@dataclasses.dataclass(frozen=True)
class JavaTests:
    """A run of them.

    Attributes:
        command: that runs them, without what says which.
        folder: what they were given; in `out`, what they wrote.
        status: of JUnit.
        told: what it printed.
    """

    command: list[str]
    folder: Path
    status: int
    told: str

    @property
    def passed(self) -> int:
        """How many of them passed."""
        return int(re.search(r"(\d+) tests successful", self.told)[1])


def run(command: list[str]) -> subprocess.CompletedProcess:
    """Runs a command; what it prints goes all to its stdout."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture(scope="session")
def jars() -> list[Path]:
    """What the library needs on the JVM; the test is skipped where it is not there."""
    found = dependencies.files("jvm")
    if not (has_java() and all(jar.exists() for jar in [*found, *dependencies.files("test")])):
        lacks("ANDROID", "there is no JDK, or `make jvm-setup` was not run")
    return found


@pytest.fixture(scope="session")
def java_tests(
    jars: list[Path], digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory
) -> JavaTests:
    """JUnit over all of them."""
    folder = tmp_path_factory.mktemp("android")
    small = {head: packages.make(folder / f"of {head}", head) for head in packages.HEADS}
    library_data.write(folder, digit_models, small)
    classpath = [*jars, *dependencies.files("test")]
    classes = compiled([LIBRARY, JVM, TESTS], classpath)
    launcher = "org.junit.platform.console.ConsoleLauncher"
    scan = ["execute", f"--scan-classpath={classes}", "--details=tree", "--disable-banner"]
    options = [*scan, "--disable-ansi-colors"]
    command = [*java([classes, *classpath], launcher, f"-Dmnistjax.data={folder}"), *options]
    done = run([*command, f"--exclude-tag={SMALL_DISK}"])
    return JavaTests(command, folder, done.returncode, done.stdout)
