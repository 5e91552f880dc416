"""Pushes that are killed at random, through TFX's launcher.

python -m tests.pipeline.storage.push_faults N

Each is followed by the next run, of the same model or of another one, which must leave whole
versions only: each recorded, none twice, none missing. Runs are forks of one process, since
importing TFX takes long; that process itself opens no store, so that it can be forked.
"""

import argparse
import os
import random
import select
import signal
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

from pipeline.components import pusher
from pipeline.config import PipelineConfig
from tests.pipeline.storage.push_pipeline import check, made_config, push, texts
from tests.support.forks import forked, wait

_PATIENCE_S = 300
_began_r, _began_w = os.pipe()


class Told(pusher.Executor):
    """Says when the push begins."""

    def Do(self, *args: object) -> None:  # noqa: N802 - TFX's name
        """Pushes."""
        os.write(_began_w, b".")
        super().Do(*args)


def kill_pushes(output: Path, kills: int, seed: int) -> Counter[str]:
    """Kills that many pushes, each followed by a run; returns how many left what."""
    config, chance = made_config(output), random.Random(seed)
    status, duration = _killed(config, "timed", None)
    assert status == 0
    outcome: Counter[str] = Counter()
    number = 0
    while outcome.total() - outcome["ended before"] < kills:
        number += 1
        text = f"killed {number}"
        # Most of the moments are in the push itself, which takes a small part of the time.
        status, _ = _killed(config, text, duration * 10 ** chance.uniform(-3, 0))
        if status == 0:
            outcome["ended before"] += 1
        elif text in texts(config):
            outcome["a version, perhaps not recorded"] += 1
        else:
            names = os.listdir(config.serving_dir)
            outcome["half a version" if any(n.startswith(".") for n in names) else "nothing"] += 1
        following = text if number % 2 else f"other {number}"
        assert wait(forked(partial(_run_whole, config, following))) == 0, f"kill {number}"
    return outcome


def _killed(config: PipelineConfig, text: str, after: float | None) -> tuple[int, float]:
    """Kills a run so many seconds after its push began; returns its status, and the seconds."""
    child = forked(partial(push, config, text, Told))
    assert select.select([_began_r], [], [], _PATIENCE_S)[0], "the push did not begin"
    os.read(_began_r, 1)
    began = time.monotonic()
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    return wait(child), time.monotonic() - began


def _run_whole(config: PipelineConfig, text: str) -> None:
    push(config, text)
    check(config, text)


def main() -> None:
    """Kills as many pushes as the command line says, and tells what they left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="that is written to; a temporary one without it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print(dict(kill_pushes(Path(folder), options.kills, options.seed)))


if __name__ == "__main__":
    from tests.pipeline.storage import push_faults  # TFX imports the executor by this name

    push_faults.main()
