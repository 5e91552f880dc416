"""Watches `serving/`: loads a new version aside, and has it answer when it is warm."""

import asyncio
import contextlib
import logging

from pipeline.storage import stores
from serve.server.model import pushed
from serve.server.model.pushed import RefusedError, Version
from serve.server.registry import Registry
from serve.server.runtime import SavedModelRuntime, new_runtime
from serve.server.settings import ServerSettings

_log = logging.getLogger(__name__)
_SECONDS_ON_DISK, _SECONDS_IN_STORE = 1.0, 5.0


class Watcher:
    """Looks again and again; what it finds, it gives to the registry."""

    def __init__(self, settings: ServerSettings, registry: Registry):
        self._settings = settings
        self._registry = registry
        self._current: Version | None = None
        self._refused: dict[str, str] = {}  # states of versions by their names
        self._seen: dict[str, str] = {}  # the same, of the last look
        self._trouble = ""

    async def run(self) -> None:
        """Looks until it is cancelled."""
        is_store = stores.is_uri(self._settings.folder)
        while True:
            try:
                await self.look()
            except Exception:  # of ours or a library; what is loaded has to go on
                _log.exception("cannot look for versions; what is loaded still answers")
            await asyncio.sleep(_SECONDS_IN_STORE if is_store else _SECONDS_ON_DISK)

    async def look(self) -> None:
        """Serves the newest version that is fit for it, if it is not served already."""
        try:
            found = await asyncio.to_thread(pushed.find, self._settings.folder)
        except OSError as error:  # a store that is away comes back
            self._say_once(f"{error}; what is loaded still answers")
            return
        self._forget_removed(found)
        for version in self._candidates(found):
            if await self._serve(version):
                break
        self._seen = {version.name: version.state for version in found}
        if found:
            self._trouble = ""
        else:
            self._say_once(f"there is no version in {self._settings.folder}; waiting for one")

    def _candidates(self, found: list[Version]) -> list[Version]:
        """Returns what might take the place of the current version, the newest first.

        These are newer ones, and itself when its files have changed. Older ones, where somebody has
        removed it.
        """
        current = self._current
        if current is None or current.name not in {version.name for version in found}:
            wanted = found
        else:
            wanted = [
                version
                for version in found
                if int(version.name) > int(current.name)
                or (version.name == current.name and version.state != current.state)
            ]
        return [version for version in wanted if self._is_to_be_tried(version)]

    def _is_to_be_tried(self, version: Version) -> bool:
        if self._refused.get(version.name) == version.state:
            return False
        # Without a record nothing tells whether more is to come, but that nothing has come.
        is_settled = version.has_record or self._seen.get(version.name) == version.state
        return version.has_model and is_settled

    async def _serve(self, version: Version) -> bool:
        """Loads a version and has it answer; returns False, and says why, when it is not fit."""
        self._registry.loading = version.name
        try:
            runtime = await self._load(version)
        except Exception as error:  # whatever a SavedModel may do to those who load it
            self._refused[version.name] = version.state
            reason = str(error) if isinstance(error, RefusedError) else repr(error)
            self._registry.refuse(version.name, reason)
            return False
        finally:
            self._registry.loading = ""
        self._registry.refused.pop(version.name, None)
        self._current = version
        self._registry.swap(runtime)
        return True

    async def _load(self, version: Version) -> SavedModelRuntime:
        settings = self._settings
        with contextlib.ExitStack() as stack:
            folder = await asyncio.to_thread(stack.enter_context, pushed.on_disk(version))
            runtime = new_runtime(
                settings.name,
                version.name,
                folder,
                settings.max_batch,
                settings.max_batch_ms / 1000,
            )
            await runtime.load()
            return runtime

    def _forget_removed(self, found: list[Version]) -> None:
        states = {version.name: version.state for version in found}
        for name, state in list(self._refused.items()):
            if states.get(name) != state:
                del self._refused[name]
                self._registry.refused.pop(name, None)

    def _say_once(self, trouble: str) -> None:
        if trouble != self._trouble:
            _log.warning("%s", trouble)
        self._trouble = trouble
