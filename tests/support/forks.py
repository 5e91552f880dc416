"""Work in children of this process, which can be killed without harm to it."""

import os
import traceback
from collections.abc import Callable


def forked(work: Callable[[], None]) -> int:
    """Starts a child that does the work; returns its id. It ends with 0, or 1 after an error."""
    if child := os.fork():
        return child
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def wait(child: int) -> int:
    """Returns the status with which a child ends, as `subprocess` does."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
