"""What a command needs of the environment that it is started in, looked at before anything else.

Some of it is set for this process and those that it starts. The rest is told, since libraries fail
over it late, and in words of their own.
"""

import io
import os
import subprocess
import sys
import tempfile
import warnings

from data.errors import WRONG_SETTING, ConfigError, shown
from data.files import PROJECT_ROOT
from pipeline.settings import SETTINGS
from pipeline.storage.locations import check_no_pattern

# TFMA and TFT import Keras, and no model here is one of it. In the user's home, libraries would
# find settings and caches that are for other programs.
_OWN = {
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": f"{sys.prefix}/keras",
    "MPLCONFIGDIR": f"{sys.prefix}/matplotlib",
}
# JAX and TensorFlow are asked only where what they read is set, and in a process of their own: XLA
# ends the one that it is in over a flag that it does not know.
_JAX = ("JAX_", "XLA_FLAGS")
_ASK_JAX = """
import jax
try:
    jax.devices()
except Exception as error:
    raise SystemExit(str(error) or f"no device of {jax.config.jax_platforms} is here")
for name in ("jax_enable_x64", "jax_disable_jit"):
    if getattr(jax.config, name):
        raise SystemExit(f"the training cannot do with {name}")
"""
_TENSORFLOW = ("TF_XLA_FLAGS", "XLA_FLAGS")
_ASK_TENSORFLOW = """
import tensorflow as tf
tf.function(lambda: tf.constant(1.0) + 1, jit_compile=True)()
"""
_ANSWER_SECONDS = 300


def prepare() -> None:
    """Looks at the environment, and sets in it what has to be.

    Raises:
      ConfigError: this process cannot do what it should with what is set.
    """
    _open_streams()
    _check_interpreter()
    _check_encoding()
    _check_temporary_folder()
    _set_home()
    os.environ.update(_OWN)
    _ask("JAX", _ASK_JAX, _JAX)
    _ask("TensorFlow", _ASK_TENSORFLOW, _TENSORFLOW)


def _open_streams() -> None:
    """Puts something in the place of closed streams, and lets those for text take any letter.

    The next file that is opened would otherwise be the standard output of all that libraries print.
    """
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest descriptor that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(descriptor, "w" if descriptor else "r", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _check_interpreter() -> None:
    """Raises ConfigError where Python leaves out what libraries need; mends what can be."""
    if sys.flags.optimize:
        raise ConfigError(
            f"PYTHONOPTIMIZE={sys.flags.optimize} (or -O): libraries here do not work without "
            "their docstrings and assertions; unset it"
        )
    if any(action == "error" for action, *_ in warnings.filters):
        # They warn, and nobody here could mend it.
        os.environ.pop("PYTHONWARNINGS", None)
        warnings.simplefilter("default")


def _check_encoding() -> None:
    """Raises ConfigError when paths would be other ones to Python than to the rest."""
    encoding = sys.getfilesystemencoding()
    given = {name: os.environ.get(name) or "" for name in (*SETTINGS, "HOME", "TMPDIR")}
    texts = {**given, "the project's folder": str(PROJECT_ROOT)}
    if encoding != "utf-8" and (odd := [name for name in texts if not texts[name].isascii()]):
        raise ConfigError(
            f"{odd[0]}={shown(ascii(texts[odd[0]]))} has letters outside of ASCII, and this "
            f"locale's encoding is {encoding}: set LC_ALL=C.UTF-8 or PYTHONUTF8=1"
        )


def _set_home() -> None:
    """Sets HOME, which `tfx` and libraries read, to the folder that the system knows of."""
    if not os.environ.get("HOME"):
        os.environ.pop("HOME", None)  # "" would count
        home = os.path.expanduser("~")
        os.environ["HOME"] = tempfile.gettempdir() if home == "~" else home


def _check_temporary_folder() -> None:
    """Raises ConfigError when there is no such folder as TMPDIR says.

    Python would quietly take another one, and other programs would not.
    """
    folder = os.environ.get("TMPDIR") or "/tmp"
    try:
        folder = os.environ.get("TMPDIR") or tempfile.gettempdir()
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"TMPDIR={folder}: cannot write there ({error.strerror or error}); give a folder that "
            "can be written"
        ) from error
    check_no_pattern("TMPDIR", folder)


def _ask(library: str, question: str, variables: tuple[str, ...]) -> None:
    """Raises ConfigError when a library does not start with what is set of its variables."""
    given = sorted(name for name in os.environ if name.startswith(variables))
    if not given:
        return
    try:
        done = subprocess.run(
            [sys.executable, "-c", question],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_SECONDS,
        )
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    except subprocess.TimeoutExpired as error:
        done, said = None, [f"no answer within {error.timeout:.0f} s"]
    if done is None or done.returncode:
        values = " ".join(f"{name}={os.environ[name]}" for name in given)
        reason = shown(said[-1]) if said else f"status {done.returncode}"
        raise ConfigError(f"{shown(values)}: {library} cannot be used so ({reason}); unset it")


def main() -> int:
    """Prints HOME as it is to be, for scripts/tfx.sh; returns the exit status."""
    try:
        prepare()
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_SETTING
    print(os.environ["HOME"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
