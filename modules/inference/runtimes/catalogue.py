"""The runtimes by name: how the command of each is found, and what installs it.

Every command is given three paths, `COMMAND MODEL INPUTS OUTPUTS`, and runs one image after the
other: INPUTS has the rows of the model's input tensor as they are in memory, row-major and
little-endian, and OUTPUTS is written with as many rows of its output tensor. It ends with 0 when
that is done, with CANNOT_RUN when it has no way to run such a file, and with anything else after an
error; the last line that it wrote to standard error says what is wrong.
"""

import hashlib
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from data.files import PROJECT_ROOT, file_sha256

CANNOT_RUN = 3
# LiteRT as it is shipped, which the others are compared with.
STANDARD = "xnnpack"
_PROGRAM = "modules/inference/runtimes/run_model.py"


@dataclass(frozen=True)
class Runtime:
    """A way to run a TFLite file.

    Attributes:
      name: in settings and files.
      title: for people.
      command: its parts. One with a slash is a file of the project, `@` before such a path stands
        for the text in the file, and the first part may be a program on the PATH.
      setup: what installs it; "" where the project's own environment has it.
      versions: patterns of files of the project whose names say which version it is.
    """

    name: str
    title: str
    command: tuple[str, ...]
    setup: str = ""
    versions: tuple[str, ...] = ()

    def missing(self, root: Path = PROJECT_ROOT) -> str | None:
        """Returns in a sentence what is missing to run it, None where nothing is."""
        for part in self.command:
            name = part.removeprefix("@")
            if "/" in name and not Path(root, name).is_file():
                return f"{self.name} needs {name}, which is not there: `{self.setup}` makes it"
        program = self.command[0]
        if "/" not in program and not shutil.which(program):
            return f"{self.name} needs {program}, which is not installed; then `{self.setup}`"
        return None

    def arguments(self, root: Path = PROJECT_ROOT) -> list[str]:
        """Returns the command, to be run in the project's folder.

        Raises:
          OSError: a file with a part of it cannot be read.
        """
        return [_argument(part, root) for part in self.command]

    def version(self, root: Path = PROJECT_ROOT) -> str:
        """Returns a text that is another one when other code would answer.

        Raises:
          OSError: a file cannot be read.
        """
        named = sorted(path.name for each in self.versions for path in root.glob(each))
        if not self.setup:
            named.append(metadata.version("ai-edge-litert"))
        files = (Path(root, part.removeprefix("@")) for part in self.command if "/" in part)
        # A virtual environment's interpreter is a link to one of the system.
        digests = [file_sha256(path) for path in files if not path.is_symlink()]
        return " ".join([*named, hashlib.sha256("".join(digests).encode()).hexdigest()[:12]])


def _argument(part: str, root: Path) -> str:
    if part.startswith("@"):
        return Path(root, part[1:]).read_text("utf-8").strip()
    return str(Path(root, part)) if "/" in part else part


def _in_python(name: str, title: str) -> Runtime:
    # -P: what lies beside the program is no package that it imports.
    return Runtime(name, title, (sys.executable, "-P", _PROGRAM, name))


RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        _in_python(STANDARD, "LiteRT with XNNPACK, as shipped"),
        _in_python("builtin", "LiteRT's own kernels"),
        _in_python("reference", "LiteRT's reference kernels"),
        Runtime(
            "tflm",
            "TensorFlow Lite Micro",
            (".venv-micro/bin/python", "apps/micro/run_model.py"),
            "make micro-setup",
            (".venv-micro/lib/python3*/site-packages/tflite_micro-*.dist-info",),
        ),
        Runtime(
            "wasm",
            "LiteRT.js, WebAssembly",
            ("node", "apps/web/dist/run-model.mjs"),
            "make web-setup",
        ),
        Runtime(
            "jvm",
            "TensorFlow Lite on the JVM",
            ("java", "-cp", "@.android/classpath", "mnistjax.device.jvm.RunModel"),
            "make jvm-setup",
        ),
    )
}


def installed(names: Iterable[str] = RUNTIMES) -> tuple[str, ...]:
    """Returns those of the named runtimes that can be run here, in the order of the catalogue."""
    asked = set(names)
    return tuple(
        name for name, runtime in RUNTIMES.items() if name in asked and not runtime.missing()
    )
