"""Runs the app's own tests: the screens in Robolectric, models by TFLite on the JVM."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from apps.android import apk, archive, dependencies, tools
from apps.android.apk import Compiled
from apps.android.jvm import classes
from data.files import PROJECT_ROOT

SOURCES = PROJECT_ROOT / "apps" / "android" / "app" / "src" / "test" / "java"
_USES = ("app", "app-test", "jvm")
_PROPERTIES = "com/android/tools/test_config.properties"  # as the Android Gradle plugin writes it
# Robolectric asks for the newest Android that it knows beside that which it runs, and does nothing
# with it where resources are compiled, as here. So that one need not be there.
_ANDROIDS = ("10-robolectric-5803371-i7", "15-robolectric-12650502-i7")
_OPTIONS = (
    *("-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"),
    "-Drobolectric.offline=true",
    "-Drobolectric.enabledSdks=29",
    "-Drobolectric.graphicsMode=NATIVE",
    # A native library is loaded by one class loader alone, and Robolectric has one of its own.
    "-Dorg.robolectric.packagesToNotAcquire=org.bytedeco.",
    "-Djava.awt.headless=true",
)


def test_classes() -> list[str]:
    """Returns the names of all classes with tests."""
    names = (
        ".".join(path.relative_to(SOURCES).with_suffix("").parts)
        for path in sorted(SOURCES.rglob("*Test.java"))
    )
    return [name for name in names if not name.endswith(".AppTest")]  # what they have in common


def run(
    compiled: Compiled,
    package: Path,
    work: Path,
    tests: Sequence[str],
    properties: Mapping[str, str],
) -> str:
    """Runs test classes and returns what JUnit prints.

    Args:
      compiled: the app's classes.
      package: its APK, from which manifest, resources and assets are read.
      work: the folder of `app.work`, see AppTest.java.
      tests: names of classes.
      properties: more system properties.

    Raises:
      AssertionError: a test fails.
    """
    jars = [path for path in dependencies.files(*_USES) if path.suffix == ".jar"]
    jars = [path for path in jars if not path.name.startswith(("r8-", "json-"))]
    jars = [path for path in jars if "instrumented" not in path.name]
    for aar in (path for path in dependencies.files("app-test") if path.suffix == ".aar"):
        jar = work / f"{aar.stem}.jar"
        jar.write_bytes(archive.members(aar)["classes.jar"])
        jars.append(jar)
    app = [compiled.classes, *compiled.runtime]
    made = work / "tests"
    if not made.exists():
        sources = [path for root in (classes.JVM, SOURCES) for path in root.rglob("*.java")]
        taken = ("-cp", os.pathsep.join(map(str, [*app, *jars])), "-d", made)
        # Robolectric's classes have annotations whose jars are not needed otherwise.
        tools.run(("javac", "--release", "8", "-nowarn", "-Xlint:-options", *taken, *sources))
    config = work / "config" / _PROPERTIES
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(
        f"android_merged_manifest={apk.MANIFEST}\n"
        f"android_resource_apk={package}\nandroid_custom_package=mnistjax.app\n"
    )
    android = next(path for path in dependencies.files("app-test") if "instrumented" in path.name)
    androids = work / "androids.properties"
    androids.write_text(
        "".join(
            f"org.robolectric\\:android-all-instrumented\\:{version}={android}\n"
            for version in _ANDROIDS
        )
    )
    properties = {
        "app.work": str(work),
        "robolectric-deps.properties": str(androids),
        **properties,
    }
    given = [f"-D{name}={value}" for name, value in properties.items()]
    classpath = [work / "config", made, *app, *jars]
    command = classes.java(classpath, "org.junit.runner.JUnitCore", *_OPTIONS, *given)
    environment = {**os.environ, "TMPDIR": str(work)}
    told = work / "said.txt"
    with told.open("wb") as file:
        status = subprocess.run(
            [*command, *tests],
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        ).returncode
    said = told.read_text(errors="replace")
    assert status == 0, said
    return said
