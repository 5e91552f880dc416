"""Downloads that the machine hinders: disk errors, a kill half-way, mirrors that are silent."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from data.catalogue import CatalogueEntry
from data.dataset import FILE_NAMES, open_folder
from data.errors import DataError
from data.mirrors.download import DownloadError, answering_mirrors, download, missing_files

Serve = Callable[[dict[str, bytes]], Any]  # to conftest's Mirror
FIRST = f"{FILE_NAMES[0]}.gz"


def test_folder_that_cannot_be_written(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    target.parent.write_text("a file")
    with pytest.raises(DataError, match="cannot write .*mnist.* check that the path") as caught:
        download(entry, target, [mirror.address])
    assert not isinstance(caught.value, DownloadError)
    assert mirror.requests == []


def test_part_that_cannot_be_written_is_no_network_error(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    (target / f"{FIRST}.part").mkdir(parents=True)
    with pytest.raises(DataError, match="cannot write") as caught:
        download(entry, target, [mirror.address])
    assert not isinstance(caught.value, DownloadError)


def test_killed_half_way_leaves_nothing_that_looks_whole(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    mirror.stall_after = 20_000
    script = (
        "from pathlib import Path; from data.catalogue import *; "
        "from data.mirrors.download import *; "
        f"download({entry!r}, Path({str(target)!r}), [{mirror.address!r}])"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    part = target / f"{FIRST}.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert [path.name for path in target.iterdir()] == [part.name]
    with pytest.raises(DataError, match=FILE_NAMES[0]):
        open_folder(target)
    mirror.stall_after = None
    download(entry, target, [mirror.address])
    assert mirror.gets()[1][0] == FIRST and mirror.gets()[1][1].startswith("bytes=")
    assert missing_files(entry, target) == []


def test_answering_mirrors(
    entry: CatalogueEntry, serve: Serve, compressed: dict[str, bytes], closed: str
) -> None:
    good, lacking = serve(compressed), serve({})
    addresses = [closed, good.address, lacking.address]
    assert answering_mirrors(entry, addresses) == addresses[1:]
    assert answering_mirrors(entry, []) == []


def test_mirror_that_accepts_and_says_nothing(entry: CatalogueEntry) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        assert answering_mirrors(entry, [address], seconds=0.2) == []
