"""Whether the steps of a training run in one loop of XLA's, or one by one."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from modules.models.network import Network
from modules.training.feed import Data

_TIMED_STEPS = 3
# The two ways round differently: what decides between them should be no accident of a busy moment.
_CLEARLY = 2.0


class Pace(NamedTuple):
    """Compiled steps, and how many of them a call makes."""

    train_steps: Callable
    steps: int


def choose(
    network: Network,
    train_steps: Any,
    state: Any,
    data: Data,
    batches: np.ndarray,
    put: Callable[[np.ndarray], jax.Array],
) -> Pace:
    """Compiles the steps of a call as one loop, or as single steps where those are much faster.

    XLA's convolution on a CPU is many times slower inside a loop. Where a network does not say
    that it has none, some steps are run both ways and timed; what they compute is dropped.

    Args:
      network: that is trained.
      train_steps: jitted, as `steps.make_train_steps` returns them.
      state: on the devices, before the first step.
      data: as the feed gives it for a call.
      batches: int32[steps, B] of a call.
      put: puts some of the batches on the devices.
    """

    def compiled(count: int) -> Callable:
        return train_steps.lower(state, data, put(batches[:count])).compile()

    steps = len(batches)
    timed = min(steps, _TIMED_STEPS)
    # Several processes would have to agree.
    asked = jax.default_backend() == "cpu" and jax.process_count() == 1
    if not asked or timed == 1 or network.loops_fast_on_cpu:
        return Pace(compiled(steps), steps)
    sharding = jax.tree.map(lambda x: x.sharding, state)
    kept = jax.device_get(state)

    def seconds(run: Callable, count: int) -> float:
        """Returns the time of a step, the best of two after one that does not count."""
        found = []
        for _ in range(3):
            own = jax.block_until_ready(jax.device_put(kept, sharding))  # it is given away
            rows, started = put(batches[:count]), time.perf_counter()
            jax.block_until_ready(run(own, data, rows))
            found.append((time.perf_counter() - started) / count)
        return min(found[1:])

    single, loop = compiled(1), compiled(timed)
    if seconds(loop, timed) > _CLEARLY * seconds(single, 1):
        return Pace(single, 1)
    return Pace(loop if steps == timed else compiled(steps), steps)
