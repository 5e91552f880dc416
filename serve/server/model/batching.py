"""Requests that go through a model together.

mlserver's own batching is not used: it joins requests before they are checked, so that a wrong one
fails those beside it, and when a client goes away the rest of its batch gets no answer (1.7.1).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor

import numpy as np

_Predict = Callable[[np.ndarray], np.ndarray]


class Batcher:
    """Runs a model in threads; never mixes versions, since it belongs to one."""

    def __init__(self, predict: _Predict, threads: Executor, max_images: int, max_wait: float):
        """Waits for nothing yet.

        Args:
          predict: from float32[B, pixels] to float32[B, classes].
          threads: to run it in.
          max_images: that go through it together, unless one request has more; 1 for none.
          max_wait: seconds to wait for so many.
        """
        self._predict = predict
        self._threads = threads
        self._max_images = max_images
        self._max_wait = max_wait
        self._waiting: deque[tuple[np.ndarray, asyncio.Future]] = deque()
        self._enough = asyncio.Event()
        self._worker: asyncio.Task | None = None

    async def logits(self, images: np.ndarray) -> np.ndarray:
        """Returns float32[B, classes] for checked images, float32[B, pixels]."""
        loop = asyncio.get_running_loop()
        if self._max_images == 1:
            return await loop.run_in_executor(self._threads, self._predict, images)
        answer = loop.create_future()
        self._waiting.append((images, answer))
        if self._num_waiting() >= self._max_images:
            self._enough.set()
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await answer

    def _num_waiting(self) -> int:
        return sum(len(images) for images, _ in self._waiting)

    async def _work(self) -> None:
        """Takes what waits until nothing does. What comes meanwhile makes the next batch."""
        try:
            while self._waiting:
                await self._wait_for_more()
                if batch := self._take():
                    await self._answer(batch)
        finally:
            self._worker = None

    async def _wait_for_more(self) -> None:
        if self._max_wait and self._num_waiting() < self._max_images:
            self._enough.clear()
            try:
                async with asyncio.timeout(self._max_wait):
                    await self._enough.wait()
            except TimeoutError:
                pass  # then with those that are here

    def _take(self) -> list[tuple[np.ndarray, asyncio.Future]]:
        """Removes the first that fit into a batch, without those whose client is gone."""
        batch: list[tuple[np.ndarray, asyncio.Future]] = []
        num_images = 0
        while self._waiting:
            images, answer = self._waiting[0]
            if batch and num_images + len(images) > self._max_images:
                break
            self._waiting.popleft()
            if not answer.done():
                batch.append((images, answer))
                num_images += len(images)
        return batch

    async def _answer(self, batch: list[tuple[np.ndarray, asyncio.Future]]) -> None:
        loop = asyncio.get_running_loop()
        images = np.concatenate([images for images, _ in batch]) if len(batch) > 1 else batch[0][0]
        try:
            logits = await loop.run_in_executor(self._threads, self._predict, images)
        except Exception as error:  # is the answer to each
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            return
        start = 0
        for images, answer in batch:
            if not answer.done():
                answer.set_result(logits[start : start + len(images)])
            start += len(images)
