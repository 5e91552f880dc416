"""The library and its runtime for the JVM, compiled; and the command that runs a device model.

No framework is imported here, so that any program may ask for the command.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from apps.android import dependencies
from data.errors import ConfigError
from data.files import PROJECT_ROOT

FOLDER = PROJECT_ROOT / ".android"
CLASSPATH = FOLDER / "classpath"  # a text: that of the command, as of the last `make jvm-setup`
LIBRARY = PROJECT_ROOT / "apps" / "android" / "library" / "src" / "main" / "java"
JVM = PROJECT_ROOT / "apps" / "android" / "jvm" / "src" / "main" / "java"
TESTS = PROJECT_ROOT / "apps" / "android" / "jvm" / "src" / "test" / "java"

_RUN_MODEL = "mnistjax.device.jvm.RunModel"
# Of javac: the language of Android 7 and all warnings, but for those about Java 8 as such and about
# what jars say of other jars.
_OPTIONS = ("--release", "8", "-encoding", "UTF-8", "-Xlint:all,-options,-path", "-Werror")
# Of java: programs that end soon need no more, and the native library is unpacked here.
_JAVA = (
    *("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
    f"-Dorg.bytedeco.javacpp.cachedir={FOLDER / 'javacpp'}",
)


def has_java() -> bool:
    """Whether this machine can compile and run it."""
    is_known = (platform.system(), platform.machine()) == ("Linux", "x86_64")
    return is_known and all(map(shutil.which, ("java", "javac")))


def jvm_command() -> list[str] | None:
    """Returns what to give MODEL, INPUTS and OUTPUTS to; see RunModel.java for the contract.

    The classes are compiled if they are not, or if a source has changed.

    Returns:
      The beginning of the command; None where Java or a jar is missing, which `make jvm-setup`
      takes.

    Raises:
      ConfigError: the sources do not compile.
    """
    jars = dependencies.files("jvm")
    if not (has_java() and all(jar.exists() for jar in jars)):
        return None
    return java([compiled([LIBRARY, JVM], jars), *jars], _RUN_MODEL)


def java(classpath: Iterable[Path], main: str, *options: str) -> list[str]:
    """Returns the command for a class with a `main`."""
    return ["java", *_JAVA, *options, "-cp", os.pathsep.join(map(str, classpath)), main]


def compiled(roots: Iterable[Path], classpath: Iterable[Path], folder: Path = FOLDER) -> Path:
    """Returns the folder with the classes of all sources below some folders.

    It has a name of its own for the same sources, so that whoever runs older ones is not disturbed.

    Raises:
      ConfigError: they do not compile.
    """
    sources = sorted(path for root in roots for path in root.rglob("*.java"))
    jars = os.pathsep.join(map(str, classpath))
    digest = hashlib.sha256(repr((_OPTIONS, jars)).encode())
    for source in sources:
        digest.update(str(source).encode() + source.read_bytes())
    classes = folder / "classes" / digest.hexdigest()[:16]
    if classes.exists():
        return classes
    classes.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=classes.parent))
    command = ["javac", *_OPTIONS, "-cp", jars, "-d", unfinished, *sources]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        shutil.rmtree(unfinished)
        raise ConfigError(f"the Java sources do not compile:\n{done.stdout}")
    try:
        unfinished.rename(classes)
    except OSError:  # another process was faster
        shutil.rmtree(unfinished)
    return classes
