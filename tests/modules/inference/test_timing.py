"""In what order calls are timed, and what is made of the times."""

from collections.abc import Callable

import pytest

from modules.inference import timing


def test_calls_take_turns_and_each_turn_starts_untimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is moved by the calls alone: the untimed ones take an hour, 1 to 20 us the rest."""
    clock = 0.0
    calls: list[str] = []

    def call(name: str, unit: float) -> Callable[[], None]:
        made = 0

        def run() -> None:
            nonlocal clock, made
            calls.append(name)
            in_turn = made % 22 - 1
            clock += in_turn * unit if in_turn > 0 else 3600
            made += 1

        return run

    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock)
    found = timing.latencies_us({"short": call("short", 1e-6), "long": call("long", 1e-3)}, turns=3)
    assert calls == (["short"] * 22 + ["long"] * 22) * 3
    assert found == {
        "short": {"p50": pytest.approx(10.5), "p90": pytest.approx(18.1)},
        "long": {"p50": pytest.approx(10_500), "p90": pytest.approx(18_100)},
    }
