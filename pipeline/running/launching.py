"""TFX's launcher without the server that it starts for every node that it runs.

An executor on another machine would report to that server. Ours run in this process; it would only
stand open to all users of this machine, and the search for its port listens on all addresses.
"""

from types import SimpleNamespace
from typing import Any

from tfx.orchestration.portable import launcher


class _NoWatcher:
    """What the launcher asks of `execution_watcher.ExecutionWatcher`."""

    address = ""

    def __init__(self, **unused: Any): ...

    def start(self) -> None: ...

    def stop(self) -> None: ...


def launch_without_servers() -> None:
    """Makes TFX's launcher start none in this process."""
    launcher.execution_watcher = SimpleNamespace(ExecutionWatcher=_NoWatcher)
    launcher.portpicker = SimpleNamespace(pick_unused_port=lambda: 0)
