"""Saves a state again and again in children that are killed, and loads it after each kill.

python -m tests.modules.inference.personal.killed_saves FOLDER KILLS. It prints how often a kill
left a file that was not whole yet beside the state.
"""

import os
import random
import signal
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np

from modules.inference.personal import state
from modules.inference.personal.reservoir import Samples
from modules.inference.personal.state import PersonalState
from tests.support.forks import forked, wait

_SECONDS = 0.02  # a child has up to that long


def made(step: int) -> PersonalState:
    """Returns a state of half a megabyte whose numbers all say its step."""
    samples = Samples(np.full((500, 128), step, np.float32), np.zeros(500, np.int32))
    values = {"params_kernel": np.full((128, 500), step, np.float32)}
    return PersonalState("m", "0" * 64, ("a",), step, values, samples, np.array([500], np.int32))


def save_without_end(first: int, path: Path) -> None:
    """Saves the states of the steps from `first` on."""
    while True:
        state.write(made(first), path)
        first += 1


def main(folder: Path, kills: int) -> None:
    """Kills so many children; after each, the state is whole and no older than before."""
    path, chance, unfinished = folder / "state", random.Random(0), 0
    state.write(made(1), path)
    last = 1
    for _ in range(kills):
        child = forked(partial(save_without_end, last + 1, path))
        time.sleep(chance.uniform(0, _SECONDS))
        os.kill(child, signal.SIGKILL)
        assert wait(child) == -signal.SIGKILL
        found = state.read(path, made(0))
        assert found.step >= last
        for array in (found.values["params_kernel"], found.samples.features):
            assert (array == found.step).all()
        last = found.step
        for part in folder.glob(".*.part"):
            unfinished += 1
            part.unlink()
    assert os.listdir(folder) == [path.name]
    print(last, unfinished)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
