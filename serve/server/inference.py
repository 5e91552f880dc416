"""What all protocols share: a request gets a version, a place, and an answer in time."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from fastapi import status
from mlserver.errors import MLServerError
from mlserver.handlers import DataPlane
from mlserver.settings import Settings

from serve.server.limits import ANSWER_SECONDS, MAX_REQUESTS
from serve.server.model.saved_model import SavedModel
from serve.server.registry import Registry
from serve.server.runtime import SavedModelRuntime


@dataclass(frozen=True)
class Answer:
    """Logits float32[B, classes], and the version and model that they are of."""

    version: str
    model: SavedModel
    logits: np.ndarray


class LeasedDataPlane(DataPlane):
    """mlserver's, with leases instead of its registry's look-up.

    It counts by the version that answered. mlserver's own counts by whatever a client asked for,
    each a new series of metrics that stays.
    """

    def __init__(self, settings: Settings, registry: Registry):
        super().__init__(settings, registry)
        self._registry = registry
        self._requests = 0

    async def ready(self) -> bool:
        """Says whether a version is loaded."""
        return self._registry.current is not None

    async def answer(
        self, name: str, version: str | None, read: Callable[[SavedModel], np.ndarray]
    ) -> Answer:
        """Answers one request.

        Args:
          name: of the model.
          version: that is to answer; None or "" for the one that is served.
          read: makes the request's images, float32[B, pixels], for the model that is to answer.

        Raises:
          MLServerError: the request is wrong, the server is at its limits, or too slow.
        """
        with self._registry.lease(name, version) as runtime, self._counted(runtime):
            images = read(runtime.model)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    logits = await runtime.logits(images)
            except TimeoutError as error:
                raise MLServerError(
                    f"no answer within {ANSWER_SECONDS} s", status.HTTP_504_GATEWAY_TIMEOUT
                ) from error
            return Answer(runtime.version, runtime.model, logits)

    @contextlib.contextmanager
    def _counted(self, runtime: SavedModelRuntime) -> Iterator[None]:
        labels = {"model": runtime.name, "version": runtime.version}
        if self._requests >= MAX_REQUESTS:
            self._ModelInferRequestFailure.labels(**labels).inc()
            raise MLServerError(
                f"{MAX_REQUESTS} requests wait for their answers; try again",
                status.HTTP_503_SERVICE_UNAVAILABLE,
            )
        self._requests += 1
        start = time.perf_counter()
        try:
            with self._ModelInferRequestFailure.labels(**labels).count_exceptions():
                yield
            self._ModelInferRequestSuccess.labels(**labels).inc()
        finally:
            self._requests -= 1
            self._ModelInferRequestDuration.labels(**labels).observe(time.perf_counter() - start)
