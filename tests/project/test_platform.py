"""The check before the installation: which platforms pass, and that refusals say what to do."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable

import pytest

from data.files import PROJECT_ROOT

SCRIPT = PROJECT_ROOT / "scripts" / "check_platform.py"
Platform = tuple[tuple[int, int], str, str, str, tuple[int, int]]


@pytest.fixture(scope="module")
def problem() -> Callable[..., str]:
    spec = importlib.util.spec_from_file_location("check_platform", SCRIPT)
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script.problem


@pytest.mark.parametrize(
    "platform",
    [
        ((3, 11), "Linux", "x86_64", "glibc", (2, 28)),
        ((3, 11), "Linux", "x86_64", "glibc", (2, 36)),
        ((3, 12), "Linux", "x86_64", "glibc", (2, 39)),
        ((3, 13), "Linux", "AMD64", "glibc", (2, 41)),
        ((3, 11), "Darwin", "arm64", "", (0, 0)),
        ((3, 13), "Darwin", "arm64", "", (0, 0)),
    ],
)
def test_good_platform(problem: Callable[..., str], platform: Platform) -> None:
    assert problem(*platform) == ""


@pytest.mark.parametrize(
    ("platform", "fact", "advice"),
    [
        (((2, 7), "Linux", "x86_64", "glibc", (2, 36)), "Python 2.7", "needs Python 3.11, 3.12"),
        (((3, 10), "Linux", "x86_64", "glibc", (2, 36)), "Python 3.10", "needs Python 3.11, 3.12"),
        (((3, 14), "Linux", "x86_64", "glibc", (2, 41)), "Python 3.14", "needs Python 3.11, 3.12"),
        (((3, 14), "Darwin", "arm64", "", (0, 0)), "Python 3.14", "needs Python 3.11, 3.12"),
        (((3, 11), "Linux", "aarch64", "glibc", (2, 36)), "Linux on aarch64", "use Linux on x86"),
        (((3, 11), "Darwin", "x86_64", "", (0, 0)), "Darwin on x86_64", "use Linux on x86-64"),
        (((3, 11), "Windows", "AMD64", "", (0, 0)), "Windows on AMD64", "use Linux on x86-64"),
        (((3, 11), "Linux", "x86_64", "", (0, 0)), "need glibc", "use Debian 12"),
        (((3, 11), "Linux", "x86_64", "glibc", (2, 27)), "glibc 2.28", "use a newer system"),
        (((3, 12), "Linux", "x86_64", "glibc", (2, 38)), "glibc 2.39", "use Python 3.11 instead"),
        (((3, 13), "Linux", "x86_64", "glibc", (2, 36)), "has 2.36", "use Python 3.11 instead"),
        (((3, 13), "Linux", "x86_64", "glibc", (2, 17)), "has 2.17", "use a newer system"),
    ],
)
def test_bad_platform_is_one_sentence_with_advice(
    problem: Callable[..., str], platform: Platform, fact: str, advice: str
) -> None:
    sentence = problem(*platform)
    assert fact in sentence and advice in sentence
    assert sentence.endswith(".") and ". " not in sentence and "\n" not in sentence


def test_this_interpreter_passes_silently() -> None:
    """It runs the suite, so it holds the packages."""
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_refusal_goes_to_stderr_with_status_1() -> None:
    pretend = f"import sys, runpy; sys.version_info = (3, 9, 1); runpy.run_path({str(SCRIPT)!r}, "
    done = subprocess.run(
        [sys.executable, "-c", pretend + "run_name='__main__')"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Python 3.9 will not do") and done.stderr.count("\n") == 1
