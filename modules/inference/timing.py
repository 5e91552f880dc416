"""Times calls in turns, so that a busy moment of the machine affects all of them."""

import time
from collections.abc import Callable, Mapping

import numpy as np

_CALLS_A_TURN = 20


def latencies_us(
    calls: Mapping[str, Callable[[], object]], turns: int = 10
) -> dict[str, dict[str, float]]:
    """Times each call 20 times in a row, then the next one, and all of that `turns` times.

    Every row starts with two untimed calls, since caches remember the one before.

    Returns:
      For each name the 50th and 90th percentile of one call, in microseconds, as "p50" and "p90".
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(turns):
        for name, call in calls.items():
            call()
            call()
            for _ in range(_CALLS_A_TURN):
                start = time.perf_counter()
                call()
                times[name].append(time.perf_counter() - start)
    percentiles = {name: np.percentile(row, [50, 90]) * 1e6 for name, row in times.items()}
    return {
        name: {"p50": round(float(p50), 1), "p90": round(float(p90), 1)}
        for name, (p50, p90) in percentiles.items()
    }
