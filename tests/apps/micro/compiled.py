"""The generated files, compiled for this machine and loaded.

The example calls TensorFlow Lite Micro in the extension module of the tflite-micro wheel, through
declarations of ours: no package registry has the sources of today's.
"""

import ctypes
import shutil
import subprocess
from pathlib import Path

from tests.support import device_tools
from tests.support.machine import lacks

_DECLARATIONS = Path(__file__).parent / "tflm_declarations"
_C = ("gcc", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fPIC")
_CPP = ("g++", "-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fPIC", "-fno-rtti")
_RUN = """
import ctypes, sys
from tflite_micro.python.tflite_micro import _runtime
ctypes.CDLL(_runtime.__file__, ctypes.RTLD_GLOBAL)
sys.exit(ctypes.CDLL(sys.argv[1]).main())
"""


def library(folder: Path, *names: str) -> Path:
    """Compiles files of a folder, with all warnings as errors, into a shared library in it.

    Without a compiler the test is skipped, or fails if REQUIRE_MICRO=1.
    """
    objects = []
    for name in names:
        compiler = _C if name.endswith(".c") else _CPP
        if not shutil.which(compiler[0]):
            lacks("MICRO", f"there is no {compiler[0]}")
        objects.append(folder / f"{name}.o")
        _run(*compiler, "-I", folder, "-I", _DECLARATIONS, "-c", folder / name, "-o", objects[-1])
    path = folder / "library.so"
    _run("g++", "-shared", *objects, "-o", path)
    return path


def strings(path: Path, name: str, count: int) -> list[bytes]:
    """Returns an array of strings in a library."""
    return list((ctypes.c_char_p * count).in_dll(ctypes.CDLL(str(path)), name))


def content(path: Path, name: str, size: int) -> tuple[bytes, int]:
    """Returns the bytes of an array in a library, and the address that they are at."""
    array = (ctypes.c_ubyte * size).in_dll(ctypes.CDLL(str(path)), name)
    return bytes(array), ctypes.addressof(array)


def run_example(path: Path) -> subprocess.CompletedProcess[str]:
    """Runs the `main` of a library with the wheel's TensorFlow Lite Micro."""
    device_tools.needs_tflite_micro()
    return device_tools.run("micro", "python", "-c", _RUN, path)


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[:3000]
