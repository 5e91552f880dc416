"""Which version answers: one reference, which is swapped, and leases on what it was."""

import contextlib
import gc
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import status
from mlserver.errors import MLServerError
from prometheus_client import Counter, Gauge

from data.errors import shown
from serve.server.runtime import SavedModelRuntime

_log = logging.getLogger(__name__)

AVAILABLE, LOADING, UNLOADING, END = "AVAILABLE", "LOADING", "UNLOADING", "END"
_SERVED = Gauge("serve_version", "The version that answers", ["model"])
_LOADED = Counter("serve_versions_loaded", "Versions that were loaded and served", ["model"])
_REFUSED = Counter("serve_versions_refused", "Versions that were not fit to be served", ["model"])


class UnknownModelError(MLServerError):
    """There is no such model, or no such version of it, here."""

    def __init__(self, message: str):
        super().__init__(message, status.HTTP_404_NOT_FOUND)


class NotLoadedError(MLServerError):
    """No version is loaded yet."""

    def __init__(self, message: str):
        super().__init__(message, status.HTTP_503_SERVICE_UNAVAILABLE)


@dataclass(frozen=True)
class VersionState:
    """A version as TensorFlow Serving tells it; `error` is why it is not served, or ""."""

    state: str
    error: str = ""


class Registry:
    """One model, of which one version is served; all in the event loop's thread.

    It has what mlserver's data plane asks of its own registry.

    Attributes:
      name: of the model.
      folder: where its versions come from, for messages.
      current: the version that is served; None before the first.
      refused: why versions that are there are not served, by their names.
      loading: the name of the version that is being loaded; "" for none.
    """

    def __init__(self, name: str, folder: str):
        self.name = name
        self.folder = folder
        self.current: SavedModelRuntime | None = None
        self.refused: dict[str, str] = {}
        self.loading = ""
        self._leases: dict[SavedModelRuntime, int] = {}
        self._draining: list[SavedModelRuntime] = []
        for counter in (_LOADED, _REFUSED):
            counter.labels(name)  # so that it is 0, and not missing, from the start

    async def get_model(self, name: str, version: str | None = None) -> SavedModelRuntime:
        """Returns what answers; raises UnknownModelError or NotLoadedError."""
        return self.find(name, version)

    async def get_models(self, name: str | None = None) -> list[SavedModelRuntime]:
        """Returns what is loaded."""
        return [self.current] if self.current else []

    def find(self, name: str, version: str | None = None) -> SavedModelRuntime:
        """Returns what answers; raises UnknownModelError or NotLoadedError."""
        self.check_name(name)
        if self.current is None:
            raise NotLoadedError(f"no version of {name} is loaded yet; {self.folder} is watched")
        if version and version != self.current.version:
            raise UnknownModelError(
                f"{name} has no version {shown(version)!r} here; version {self.current.version} is "
                "served"
            )
        return self.current

    def check_name(self, name: str) -> None:
        """Raises UnknownModelError when this is not the model."""
        if name != self.name:
            raise UnknownModelError(f"there is no model {shown(name)!r} here, but {self.name}")

    @contextlib.contextmanager
    def lease(self, name: str, version: str | None = None) -> Iterator[SavedModelRuntime]:
        """Gives what answers, which stays loaded as long as the block runs."""
        runtime = self.find(name, version)
        self._leases[runtime] = self._leases.get(runtime, 0) + 1
        try:
            yield runtime
        finally:
            self._leases[runtime] -= 1
            if not self._leases[runtime]:
                del self._leases[runtime]
                self._release_if_drained(runtime)

    def swap(self, runtime: SavedModelRuntime) -> None:
        """Has a loaded and warm version answer from now on."""
        runtime.ready = True
        old, self.current = self.current, runtime
        _SERVED.labels(self.name).set(float(runtime.version))
        _LOADED.labels(self.name).inc()
        _log.info("version %s of %s is served", runtime.version, self.name)
        if old:
            self._draining.append(old)
            self._release_if_drained(old)

    def refuse(self, version: str, reason: str) -> None:
        """Notes, and says, why a version is not served."""
        served = f"version {self.current.version} still answers" if self.current else "none is"
        _log.error("version %s of %s is not served: %s; %s", version, self.name, reason, served)
        self.refused[version] = reason
        _REFUSED.labels(self.name).inc()

    def states(self) -> dict[str, VersionState]:
        """Returns the state of every version that is known, the newest first."""
        found = {name: VersionState(END, reason) for name, reason in self.refused.items()}
        if self.loading:
            found[self.loading] = VersionState(LOADING)
        found |= {runtime.version: VersionState(UNLOADING) for runtime in self._draining}
        if self.current:
            found[self.current.version] = VersionState(AVAILABLE)
        return dict(sorted(found.items(), key=lambda item: int(item[0]), reverse=True))

    def _release_if_drained(self, runtime: SavedModelRuntime) -> None:
        if runtime in self._draining and runtime not in self._leases:
            self._draining.remove(runtime)
            _log.info("version %s of %s is released", runtime.version, self.name)
            runtime.forget()
            gc.collect()  # TensorFlow's objects refer to each other
