"""Runs a TFLite model in a process of its own first, since LiteRT may end the one that it is in.

It does so where numbers leave what its integer kernels can hold, as with a network whose layers
give zeros for every image. Nothing in the process could catch that.
"""

import subprocess
import sys

_SECONDS = 300
_PROGRAM = """
import sys
import numpy as np
from ai_edge_litert.interpreter import Interpreter
run = Interpreter(sys.argv[1]).get_signature_runner()
random = np.random.default_rng(0)
feeds = {}
for _ in range(8):
    for name, entry in run.get_input_details().items():
        shape, dtype = entry["shape"], entry["dtype"]
        if np.issubdtype(dtype, np.integer):
            bounds = np.iinfo(dtype)
            feeds[name] = random.integers(bounds.min, bounds.max, shape, dtype, endpoint=True)
        else:
            feeds[name] = random.random(shape, dtype)
    run(**feeds)
"""


def ends_the_process(path: str) -> bool:
    """Returns whether LiteRT ends its process over a model; an error that can be caught is none.

    Args:
      path: of the file, whose batch is 1 unless it is resized.
    """
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, path],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_SECONDS,
    )
    return done.returncode < 0
