"""The steps from sources to an APK that is not signed yet."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from apps.android import archive, dependencies, tools
from data.errors import disk_errors
from data.files import PROJECT_ROOT

ABIS = ("arm64-v8a", "x86_64")  # phones, and emulators on a PC
MIN_SDK = 24

_HERE = PROJECT_ROOT / "apps" / "android"
MANIFEST = _HERE / "app" / "src" / "main" / "AndroidManifest.xml"
RESOURCES = _HERE / "app" / "src" / "main" / "res"
_SOURCES = (_HERE / "app" / "src" / "main" / "java", _HERE / "library" / "src" / "main" / "java")
_LIBRARY = "lib{}/libtensorflowlite_jni.so"


@dataclasses.dataclass(frozen=True)
class Jars:
    """Files of Maven Central.

    Attributes:
      android: the framework, a jar.
      r8: has D8, a jar.
      tflite: TFLite's runtime, its classes and its libraries, an AAR.
      tflite_api: the interface to it, an AAR.
    """

    android: Path
    r8: Path
    tflite: Path
    tflite_api: Path

    @classmethod
    def fetch(cls) -> "Jars":
        """Returns them, taken if need be; raises ConfigError where they cannot be."""
        paths = {path.name.split("-2")[0]: path for path in dependencies.fetch("app")}
        return cls(
            android=next(path for name, path in paths.items() if name.startswith("android-all")),
            r8=next(path for name, path in paths.items() if name.startswith("r8")),
            tflite=paths["tensorflow-lite"],
            tflite_api=paths["tensorflow-lite-api"],
        )


@dataclasses.dataclass(frozen=True)
class Compiled:
    """What compiling makes.

    Attributes:
      classes: a folder with all classes of app and library, and of the resources' numbers.
      resources: an archive with manifest and resources, as the system reads them.
      runtime: jars with TFLite's classes.
    """

    classes: Path
    resources: Path
    runtime: tuple[Path, ...]


def compile_app(jars: Jars, folder: Path) -> Compiled:
    """Compiles resources and sources in an empty folder.

    Raises:
      DataError: a program refuses them, or the disk.
    """
    with disk_errors("write", folder):
        for name in ("generated", "classes"):
            (folder / name).mkdir(parents=True)
        runtime = []
        for aar in (jars.tflite, jars.tflite_api):
            runtime.append(folder / f"{aar.stem}.jar")
            runtime[-1].write_bytes(archive.members(aar)["classes.jar"])
        resources, generated = folder / "resources.apk", folder / "generated"
        taken = ("-M", MANIFEST, "-S", RESOURCES, "-I", jars.android)
        tools.run(("aapt", "package", "-f", "-m", "-J", generated, "-F", resources, *taken))
        roots = (generated, *_SOURCES)
        sources = [path for root in roots for path in sorted(root.rglob("*.java"))]
        with_jars = ":".join(map(str, (jars.android, *runtime)))
        # A JDK newer than 17 warns of Java 8, which is what Android's tools have always taken.
        strict = ("--release", "8", "-encoding", "UTF-8", "-Xlint:all,-options", "-Werror")
        tools.run(("javac", *strict, "-cp", with_jars, "-d", folder / "classes", *sources))
    return Compiled(folder / "classes", resources, tuple(runtime))


def build(jars: Jars, compiled: Compiled, assets: Path, apk: Path) -> None:
    """Makes an aligned APK of what was compiled, and of a folder of assets.

    The same inputs and tools make the same bytes.

    Raises:
      DataError: a program refuses them, or the disk.
    """
    folder = apk.parent
    with disk_errors("write", folder):
        classes = folder / "classes.jar"
        archive.write(classes, _files(compiled.classes))
        platform = ("--release", "--min-api", str(MIN_SDK), "--lib", jars.android)
        d8 = ("java", "-cp", jars.r8, "com.android.tools.r8.D8")
        tools.run((*d8, *platform, "--output", folder, classes, *compiled.runtime))
        files: dict[str, Path | bytes] = {**archive.members(compiled.resources)}
        files["classes.dex"] = folder / "classes.dex"
        files |= {f"assets/{name}": path for name, path in _files(assets).items()}
        native = archive.members(jars.tflite)
        for abi in ABIS:
            files[_LIBRARY.format(f"/{abi}")] = native[f"jni/{abi}/libtensorflowlite_jni.so"]
        archive.write(folder / "unaligned.apk", files)
        tools.run(("zipalign", "-f", "-p", "4", folder / "unaligned.apk", apk))


def _files(folder: Path) -> Mapping[str, Path]:
    return {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
