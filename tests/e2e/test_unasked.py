"""A run by default opens, asks, fetches and starts nothing that nobody asked for."""

import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Watched
from tests.e2e.support.harness import Run
from tests.e2e.support.watched import Trace, read_trace
from tests.support.machine import lacks

# Of the system: libraries ask for the processor's name and, the first time, for the fonts.
SYSTEM_PROGRAMS = {"uname", "fc-list"}


@pytest.fixture(scope="module")
def trace(digits_run: Run, watched: Watched) -> Trace:
    if not watched.trace.exists():
        lacks("STRACE", "there is no strace")
    return read_trace(watched.trace)


def test_no_program_in_a_cache_is_run(digits_run: Run, watched: Watched) -> None:
    """And a proxy that never answers keeps nobody waiting: the run ended."""
    assert digits_run.status == 0, digits_run.text
    assert not watched.mark.exists()
    assert "prism" not in (digits_run.output / "run.log").read_text().lower()


def test_nothing_listens_and_nobody_is_asked(trace: Trace) -> None:
    assert trace.count("listen") == 0
    assert trace.addresses("connect") == set()
    # A library tries whether there is IPv6.
    assert trace.addresses("bind") <= {("::1", 0)}


def test_all_programs_are_of_the_environment(trace: Trace) -> None:
    own = {Path(folder).resolve() for folder in (sys.prefix, sys.base_prefix)}
    foreign = {
        program
        for program in trace.programs
        if not own & set(Path(program).resolve().parents)
        and Path(program).name not in SYSTEM_PROGRAMS
    }
    assert trace.programs and foreign == set()
