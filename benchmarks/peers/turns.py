"""Contenders that take turns, those of each library in a process of their own.

In one process the thread pools of several libraries would share the cores; a process that waits for
its turn takes none of the processor's time, or `Process.idle_share` tells.
"""

import dataclasses
import multiprocessing
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection

import numpy as np

# Does some work; returns how much that was, and the seconds.
Turn = Callable[[], tuple[int, float]]


@dataclasses.dataclass(frozen=True)
class Contender:
    """What takes turns with others.

    Attributes:
      group: whose it is.
      detail: what tells it from others of its group.
      process: contenders with the same share one.
      prepare: makes the turn from images float32[N, 784] and labels int64[N]. Has to be picklable.
    """

    group: str
    detail: str
    process: str
    prepare: Callable[[np.ndarray, np.ndarray], Turn]

    @property
    def name(self) -> str:
        """Is unique."""
        return f"{self.group}, {self.detail}"


class Process:
    """A process in which contenders work when they are asked to."""

    def __init__(
        self, name: str, contenders: Sequence[Contender], images: np.ndarray, labels: np.ndarray
    ) -> None:
        """Starts it; it ends with this one.

        Args:
          name: for messages.
          contenders: that work in it.
          images: float32[N, 784].
          labels: int64[N].
        """
        context = multiprocessing.get_context("spawn")  # a fork would copy threads' locks
        self._connection, theirs = context.Pipe()
        self._name, self._idle = name, [0.0, 0.0]
        arguments = (theirs, contenders, images, labels)
        context.Process(target=_work, args=arguments, daemon=True).start()
        theirs.close()  # or a process that died would be waited for

    def take_turn(self, contender: Contender) -> tuple[int, float]:
        """Has a contender do its work; the first time, prepare for it too.

        Returns:
          How much was done and the seconds, the first time with those of the preparation.

        Raises:
          RuntimeError: the process died.
        """
        try:
            self._connection.send(contender.name)
            amount, seconds, *idle = self._connection.recv()
        except (EOFError, OSError) as error:
            raise RuntimeError(
                f"the process for {self._name} died at {contender.name!r}; stderr says why"
            ) from error
        self._idle = [total + new for total, new in zip(self._idle, idle, strict=True)]
        return amount, seconds

    @property
    def idle_share(self) -> float:
        """Processor time that it took between its turns, as a multiple of these seconds."""
        processor, clock = self._idle
        return processor / clock if clock else 0.0


def _work(
    connection: Connection,
    contenders: Sequence[Contender],
    images: np.ndarray,
    labels: np.ndarray,
) -> None:
    by_name = {contender.name: contender for contender in contenders}
    turns: dict[str, Turn] = {}
    while True:
        waited = time.process_time(), time.perf_counter()
        try:
            name = connection.recv()
        except EOFError:
            return
        processor, clock = time.process_time() - waited[0], time.perf_counter() - waited[1]
        started = time.perf_counter()
        if name in turns:
            amount, seconds = turns[name]()
        else:
            turns[name] = by_name[name].prepare(images, labels)
            amount, _ = turns[name]()
            seconds = time.perf_counter() - started
        connection.send((amount, seconds, processor, clock))
