"""Requests that go through a model together, and come back each to its own client."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from serve.server.model.batching import Batcher
from tests.support.serving import images


class Model:
    """Doubles; it waits until it is let go, and notes the sizes of its batches."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.go = threading.Event()

    def __call__(self, batch: np.ndarray) -> np.ndarray:
        self.go.wait(60)
        self.sizes.append(len(batch))
        if np.any(batch < 0):
            raise ValueError("negative")
        return batch * 2


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(60):
            await scenario()

    asyncio.run(within())


def test_what_comes_while_the_model_works_goes_together(threads: ThreadPoolExecutor) -> None:
    model = Model()

    async def scenario() -> None:
        batcher = Batcher(model, threads, 8, 0)
        parts = [images(count) + count for count in (1, 2, 3, 2, 4, 20)]
        tasks = [asyncio.create_task(batcher.logits(part)) for part in parts]
        await asyncio.sleep(0.1)  # the first is in the model
        tasks.append(asyncio.create_task(batcher.logits(images(1))))
        await asyncio.sleep(0)
        model.go.set()
        for part, task in zip([*parts, images(1)], tasks, strict=True):
            np.testing.assert_array_equal(await task, part * 2)

    run(scenario)
    assert model.sizes == [8, 4, 20, 1]


def test_a_wait_ends_when_there_are_enough(threads: ThreadPoolExecutor) -> None:
    model = Model()
    model.go.set()

    async def scenario() -> None:
        batcher = Batcher(model, threads, 4, 3600)
        tasks = [asyncio.create_task(batcher.logits(images(2)))]
        await asyncio.sleep(0.1)
        assert model.sizes == []
        tasks.append(asyncio.create_task(batcher.logits(images(2))))
        await asyncio.gather(*tasks)
        waited = Batcher(model, threads, 4, 0.05)
        await waited.logits(images(1))

    run(scenario)
    assert model.sizes == [4, 1]


def test_a_client_that_is_gone_leaves_the_others_their_answers(
    threads: ThreadPoolExecutor,
) -> None:
    model = Model()

    async def scenario() -> None:
        batcher = Batcher(model, threads, 8, 0)
        first = asyncio.create_task(batcher.logits(images(1)))
        await asyncio.sleep(0.1)
        gone, kept = (asyncio.create_task(batcher.logits(images(2))) for _ in range(2))
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()
        await asyncio.sleep(0)
        model.go.set()
        np.testing.assert_array_equal(await kept, images(2) * 2)

    run(scenario)
    assert model.sizes == [1, 2]


def test_an_error_is_the_answer_to_its_batch_and_the_next_goes_on(
    threads: ThreadPoolExecutor,
) -> None:
    model = Model()
    model.go.set()

    async def scenario() -> None:
        batcher = Batcher(model, threads, 8, 0)
        with pytest.raises(ValueError, match="negative"):
            await batcher.logits(-1 - images(1))
        np.testing.assert_array_equal(await batcher.logits(images(1)), images(1) * 2)

    run(scenario)


def test_without_batching_requests_do_not_wait_for_each_other(
    threads: ThreadPoolExecutor,
) -> None:
    met = threading.Barrier(2, timeout=60)

    def meet(batch: np.ndarray) -> np.ndarray:
        met.wait()
        return batch

    async def scenario() -> None:
        batcher = Batcher(meet, threads, 1, 0)
        await asyncio.gather(*(batcher.logits(images(1)) for _ in range(2)))

    run(scenario)
