"""What a run prints: libraries to the log, ours to the terminal, one line a component."""

import contextlib
import gc
import io
import logging
import os
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from data.errors import FAILED
from data.files import PROJECT_ROOT
from pipeline.running.console import Progress, library_output_to

NOISE = """
import logging, os, subprocess, sys, threading, warnings
from pathlib import Path
from pipeline.running.console import library_output_to

logging.getLogger().setLevel(logging.WARNING)
print("before")
try:
    with library_output_to(Path(sys.argv[1])):
        print("shown")
        print("shown on stderr", file=sys.stderr)
        os.write(1, b"C++ on 1\\n")
        os.write(2, b"C++ on 2\\n")
        subprocess.run(["sh", "-c", "echo child on 1; echo child on 2 >&2"])
        logging.getLogger("tfx").info("an info")
        logging.getLogger("tfx").debug("a debug")
        warnings.warn("a warning")
        thread = threading.Thread(target=lambda: {}["hung up"])
        thread.start()
        thread.join()
        if len(sys.argv) > 2:
            raise RuntimeError("broken")
except RuntimeError as error:
    print("caught", error)
os.write(1, b"C++ after\\n")
subprocess.run(["echo", "child after"])
logging.info("an info after")
logging.warning("logged after")
warnings.warn("warned after")
print("after", file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [[], ["raise"]])
def test_library_output_goes_to_the_file_and_back(tmp_path: Path, arguments: list[str]) -> None:
    log_file = tmp_path / "run.log"
    log_file.write_text("of the run before\n")
    done = subprocess.run(
        [sys.executable, "-u", "-c", NOISE, str(log_file), *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    caught = ["caught broken"] if arguments else []
    assert done.stdout.splitlines() == ["before", "shown", *caught, "C++ after", "child after"]
    shown = done.stderr.splitlines()
    assert shown[0] == "shown on stderr" and shown[1].endswith("logged after")
    assert "warned after" in done.stderr and shown[-1] == "after"
    assert "a warning" not in done.stderr and "C++" not in done.stderr
    assert "hung up" not in done.stderr

    log = log_file.read_text()
    lines = log.splitlines()
    assert lines[0] == "of the run before"
    for line in ("C++ on 1", "C++ on 2", "child on 1", "child on 2"):
        assert line in lines
    assert any(re.fullmatch(r"[-\d]+ [:,\d]+ INFO tfx: an info", line) for line in lines)
    assert "a warning" in log and "KeyError: 'hung up'" in lines
    assert "shown" not in log and "debug" not in log and "after" not in log


def test_python_streams_and_logging_are_restored(tmp_path: Path) -> None:
    root = logging.getLogger()
    show, thread_hook = warnings.showwarning, threading.excepthook
    before = (sys.stdout, sys.stderr, root.handlers[:], root.level)
    descriptors = set(os.listdir("/dev/fd"))
    with (
        pytest.raises(KeyboardInterrupt),
        library_output_to(tmp_path / "log"),
    ):
        assert sys.stdout is not before[0] and sys.stderr is not before[1]
        raise KeyboardInterrupt
    assert (sys.stdout, sys.stderr, root.handlers[:], root.level) == before
    assert warnings.showwarning is show and threading.excepthook is thread_hook
    assert set(os.listdir("/dev/fd")) == descriptors


@contextlib.contextmanager
def _terminal() -> Iterator[io.StringIO]:
    """Both streams, as on a terminal."""
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        yield stream


def test_one_line_a_component() -> None:
    with _terminal() as terminal, Progress(12) as progress:
        progress.start("Trainer")
        assert terminal.getvalue() == f"[ 1/12] {'Trainer':<22} "
        progress.end("11.2 s")
        progress.start("Evaluator.float32")
        progress.end("cached")
        progress.start("Pusher")
        progress.end("0.1 s")
    assert terminal.getvalue().splitlines() == [
        "[ 1/12] Trainer                  11.2 s",
        "[ 2/12] Evaluator.float32        cached",
        "[ 3/12] Pusher                    0.1 s",
    ]


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_output_of_a_component_gets_its_own_lines(stream: str) -> None:
    with _terminal() as terminal, Progress(2) as progress:
        progress.start("Trainer")
        print("  epoch 1", file=getattr(sys, stream))
        print("  epoch 2", file=getattr(sys, stream))
        progress.end("2.0 s")
        progress.start("Pusher")
        progress.end("0.1 s")
    assert terminal.getvalue().splitlines() == [
        "[ 1/2] Trainer                ",
        "  epoch 1",
        "  epoch 2",
        "[ 1/2] Trainer                   2.0 s",
        "[ 2/2] Pusher                    0.1 s",
    ]


@pytest.mark.parametrize(
    ("error", "outcome"), [(RuntimeError, "failed"), (KeyboardInterrupt, "stopped")]
)
def test_a_component_that_does_not_end(error: type[BaseException], outcome: str) -> None:
    with _terminal() as terminal:
        with pytest.raises(error), Progress(2) as progress:
            progress.start("Trainer")
            raise error
        print("error")
    assert terminal.getvalue().splitlines() == [f"[ 1/2] {'Trainer':<22}  {outcome:>7}", "error"]


def test_what_outlives_the_run_says_nothing_when_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python 3.13 tells what fails when one of its own streams goes."""
    told: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    terminal = io.StringIO()
    with contextlib.redirect_stdout(terminal), Progress(1):
        kept = sys.stdout
        print("shown", file=kept)
    assert terminal.getvalue() == "shown\n"
    terminal.close()
    assert not isinstance(kept, io.IOBase)  # which all flush themselves
    del kept
    gc.collect()
    assert told == []


def test_the_stream_of_a_run_has_what_libraries_ask_for() -> None:
    with _terminal() as terminal, Progress(1):
        assert sys.stdout.encoding == terminal.encoding and not sys.stdout.isatty()
        assert sys.stderr.writable() and not sys.stderr.closed
        sys.stderr.flush()


def test_a_terminal_without_our_letters(tmp_path: Path) -> None:
    code = """
from pathlib import Path
from pipeline.running.console import library_output_to
with library_output_to(Path("log")):
    print("12 \\u00b5s")
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("12 \\xb5s\n", "")


def test_a_pipe_that_nobody_reads_is_let_go() -> None:
    code = """
import os, subprocess, sys
from pipeline.running import exit_status
def main():
    subprocess.run(["true"], stdin=sys.stdout)
    os.read(0, 1)
    print("to nobody" * 10_000, flush=True)
sys.exit(exit_status.tells_wrong_settings(main)())
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.close()
        process.stdin.write("go")
        process.stdin.close()
        assert process.stderr.read() == "error: nobody reads the output any more\n"
    assert process.returncode == FAILED


def test_streams_are_put_back() -> None:
    with _terminal() as terminal:
        with Progress(1):
            assert sys.stdout is not terminal and sys.stderr is not terminal
        assert sys.stdout is terminal and sys.stderr is terminal
    assert terminal.getvalue() == ""
