"""Whether the steps of a training run in a loop of XLA's, or one by one."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from modules.models.network import Network
from modules.training.feed import Data

# In a loop, where it is not known to be fast: few, since a slow one has to be waited for.
_STEPS_IN_LOOP = 4
# The two ways round differently: what decides between them should be no accident of a busy moment.
_CLEARLY = 2.0


class Run(NamedTuple):
    """Compiled steps, and how many there are."""

    train_steps: Callable
    steps: int


def choose(
    network: Network,
    train_steps: Any,
    state: Any,
    data: Data,
    batches: np.ndarray,
    put: Callable[[np.ndarray], jax.Array],
) -> list[Run]:
    """Compiles the steps of a call, and returns what is run for them, one after the other.

    XLA's convolution on a CPU is many times slower inside a loop. Where a network does not say
    that it has none, the first steps are run both ways and timed, and their results dropped.
    Single steps are taken only if they are clearly faster.

    Args:
      network: that is trained.
      train_steps: jitted, as `steps.make_train_steps` returns them.
      state: on the devices, before the first step.
      data: as the feed gives it for a call.
      batches: int32[steps, B] of a call.
      put: puts some of the batches on the devices.
    """

    def compiled(count: int) -> Run:
        return Run(train_steps.lower(state, data, put(batches[:count])).compile(), count)

    steps = len(batches)
    # Several processes would have to agree.
    timed = jax.default_backend() == "cpu" and jax.process_count() == 1
    if not timed or steps < _STEPS_IN_LOOP or network.loops_fast_on_cpu:
        return [compiled(steps)]
    sharding = jax.tree.map(lambda x: x.sharding, state)
    kept = jax.device_get(state)

    def seconds_of_step(run: Run) -> float:
        found = []
        for _ in range(2):
            own = jax.block_until_ready(jax.device_put(kept, sharding))  # it is given away
            rows, started = put(batches[: run.steps]), time.perf_counter()
            jax.block_until_ready(run.train_steps(own, data, rows))
            found.append((time.perf_counter() - started) / run.steps)
        return min(found)

    single, loop = compiled(1), compiled(_STEPS_IN_LOOP)
    if seconds_of_step(loop) > _CLEARLY * seconds_of_step(single):
        return [single] * steps
    loops, rest = divmod(steps, loop.steps)
    return [loop] * loops + [single] * rest
