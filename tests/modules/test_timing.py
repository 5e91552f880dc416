"""How often a call is timed, and what is made of the times."""

from collections.abc import Iterator

import pytest

from modules import timing


def test_percentiles_in_microseconds_of_the_timed_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """The untimed calls, a tenth more, take a second each here; the others 1 to 101 us."""
    seconds = [1.0] * 10 + [step * 1e-6 for step in range(1, 102)]
    clock = 0.0

    def ticks() -> Iterator[float]:
        nonlocal clock
        for duration in seconds:
            yield clock
            clock += duration
            yield clock

    monkeypatch.setattr(timing.time, "perf_counter", ticks().__next__)
    calls: list[None] = []
    assert timing.latency_us(lambda: calls.append(None), runs=101) == {"p50": 51.0, "p90": 91.0}
    assert len(calls) == 111
