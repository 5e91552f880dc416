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
from tests.support.small_disk import mounted


@dataclasses.dataclass(frozen=True)
class JavaTests:
    """A run of them.

    Attributes:
        folder: what they were given; in `out`, what they wrote.
        status: of JUnit.
        told: what it printed.
    """

    folder: Path
    status: int
    told: str

    @property
    def passed(self) -> int:
        """How many of them passed."""
        return int(re.search(r"(\d+) tests successful", self.told)[1])


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
    with mounted(folder / "disk"):
        command = java(
            [classes, *classpath],
            "org.junit.platform.console.ConsoleLauncher",
            f"-Dmnistjax.data={folder}",
        )
        scan = ["execute", f"--scan-classpath={classes}", "--details=tree", "--disable-banner"]
        done = subprocess.run(
            [*command, *scan, "--disable-ansi-colors"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    return JavaTests(folder, done.returncode, done.stdout)
