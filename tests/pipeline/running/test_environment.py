"""What the environment holds, and what becomes of it: told in a line, or set as it has to be."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from data.errors import ConfigError
from data.files import PROJECT_ROOT
from pipeline.running import environment

ODD = "/tmp/\u00e9"
# What a command does, with descriptors that are open or not.
COMMAND = """
import os, sys
from pipeline.running.exit_status import tells_wrong_settings
@tells_wrong_settings
def main():
    sys.stdin.read(), print("out", "\\u00b5"), print("err", file=sys.stderr)
    os.write(2, ("next: %d" % os.open(os.devnull, os.O_RDONLY)).encode())
    import warnings
    warnings.warn("no error")
    return 0
sys.exit(main())
"""


def started(variables: Mapping[str, str] = {}, redirected: str = "") -> tuple[int, str, str]:
    """Returns what a command ends with and shows, in a shell that redirects its streams."""
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {redirected}', sys.executable, COMMAND],
        cwd=PROJECT_ROOT,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("redirected", ["<&-", ">&-", "<&- >&-"])
def test_closed_streams_are_no_place_for_the_next_file(redirected: str) -> None:
    status, shown, told = started(redirected=redirected)
    assert status == 0, told
    assert shown == ("" if ">" in redirected else "out \u00b5\n")
    assert told.startswith("err\n") and int(told.partition("next: ")[2].split("<")[0][0]) > 2


def test_even_without_any_stream_it_ends_well() -> None:
    assert started(redirected="<&- >&- 2>&-") == (0, "", "")


def test_warnings_are_no_errors_and_letters_find_their_way() -> None:
    status, shown, told = started({"PYTHONWARNINGS": "error", "PYTHONIOENCODING": "ascii"})
    assert (status, shown) == (0, "out \\xb5\n"), told
    assert "UserWarning: no error" in told


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PYTHONOPTIMIZE": "1"}, "PYTHONOPTIMIZE=1 (or -O): "),
        ({"PYTHONOPTIMIZE": "2"}, "PYTHONOPTIMIZE=2 (or -O): "),
        ({"LC_ALL": "C", "PYTHONUTF8": "0", "OUTPUT": ODD}, "this locale's encoding is ascii"),
    ],
)
def test_what_an_interpreter_cannot_undo_is_told(variables: dict[str, str], words: str) -> None:
    status, shown, told = started(variables)
    assert (status, shown) == (2, "")
    [line] = told.splitlines()
    assert line.startswith("error: ") and words in line


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("JAX_ENABLE_X64", "1", "jax_enable_x64"),
        ("JAX_ENABLE_X64", "maybe", "invalid truth value"),
        ("JAX_DISABLE_JIT", "1", "jax_disable_jit"),
        ("JAX_PLATFORMS", "nonsense", "nonsense"),
        ("XLA_FLAGS", "--nonsense", "Unknown flag"),
        ("TMPDIR", "/no/such/folder", "No such file or directory"),
        ("TMPDIR", "/proc", "cannot write there"),
    ],
)
def test_what_cannot_be_done_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"^{name}={value}: ") as caught:
        environment.prepare()
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_temporary_folder_that_would_be_a_pattern(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "t[1]").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t[1]"))
    with pytest.raises(ConfigError, match="^TMPDIR=.*reads '\\['"):
        environment.prepare()


def test_what_jax_can_do_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    environment.prepare()


@pytest.mark.parametrize("home", [None, ""])
def test_home_is_found_and_keras_is_tensorflow_s(
    monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    monkeypatch.setenv("HOME", "")
    if home is None:
        monkeypatch.delenv("HOME")
    environment.prepare()
    assert os.environ["HOME"] == os.path.expanduser("~") and Path(os.environ["HOME"]).is_dir()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"


def test_keras_is_set_as_it_comes_whatever_lies_in_the_users_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text('{"backend": "poisoned", "floatx": "float64"}')
    for name in ("HOME", "KERAS_BACKEND", "KERAS_HOME", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    environment.prepare()
    found = subprocess.run(
        [
            sys.executable,
            "-c",
            "import keras; print(keras.backend.backend(), keras.config.floatx())",
        ],
        capture_output=True,
        text=True,
    )
    assert found.stdout == "tensorflow float32\n", found.stderr
    assert not os.environ["MPLCONFIGDIR"].startswith(str(tmp_path))


def test_a_user_whom_the_system_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in containers: there is some folder all the same."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 2**31)
    environment.prepare()
    assert os.environ["HOME"] == tempfile.gettempdir()


def test_home_for_scripts(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setenv("HOME", "/somebody's")
    assert environment.main() == 0
    assert capsys.readouterr().out == "/somebody's\n"
    monkeypatch.setenv("TMPDIR", "/no/such/folder")
    assert environment.main() == 2
    assert capsys.readouterr().err.startswith("error: TMPDIR=/no/such/folder")
