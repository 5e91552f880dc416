"""Times a call."""

import time
from collections.abc import Callable

import numpy as np


def latency_us(call: Callable[[], object], runs: int = 200) -> dict[str, float]:
    """Times `call` over and over, after a tenth as many untimed calls.

    Returns:
      The 50th and 90th percentiles of one call, in microseconds, as "p50" and "p90".
    """
    times = []
    for _ in range(runs // 10 + runs):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    p50, p90 = np.percentile(times[-runs:], [50, 90]) * 1e6
    return {"p50": round(float(p50), 1), "p90": round(float(p90), 1)}
