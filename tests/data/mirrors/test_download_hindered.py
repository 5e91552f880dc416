"""Downloads that the machine hinders: disk errors, a kill half-way, mirrors that are silent."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from data.catalogue import CatalogueEntry
from data.errors import DataError
from data.finding.opening import open_data
from data.forms.idx_names import FILE_NAMES
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
        "from pathlib import Path; from data.catalogue import *; from data.task import *; "
        "from data.mirrors.download import *; "
        f"download({entry!r}, Path({str(target)!r}), [{mirror.address!r}])"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    part = target / f"{FIRST}.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    getting = psutil.Process(process.pid).children()
    assert len(getting) == 1
    process.send_signal(signal.SIGKILL)
    process.wait()
    # It would otherwise go on, and add to the part together with the next download.
    assert psutil.wait_procs(getting, timeout=30)[1] == []
    assert [path.name for path in target.iterdir()] == [part.name]
    with pytest.raises(DataError, match=FILE_NAMES[0]):
        open_data(target)
    mirror.stall_after = None
    download(entry, target, [mirror.address])
    assert mirror.gets()[1][0] == FIRST and mirror.gets()[1][1].startswith("bytes=")
    assert missing_files(entry, target) == []


def test_disk_that_fills_up_is_no_network_error(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    mirror = serve(compressed)
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)); "
        "from pathlib import Path; from data.catalogue import *; from data.task import *; "
        "from data.mirrors.download import *; "
        f"download({entry!r}, Path({str(target)!r}), [{mirror.address!r}])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "data.errors.DataError: cannot write" in done.stderr
    assert "File too large; check that the path" in done.stderr
    assert len(mirror.gets()) == 1


def test_interruption_is_told_once(
    entry: CatalogueEntry, target: Path, serve: Serve, compressed: dict[str, bytes]
) -> None:
    """Ctrl-C reaches all that the terminal has started."""
    mirror = serve(compressed)
    mirror.stall_after = 1000
    script = (  # a shell may have the signal ignored in what it starts in the background
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from pathlib import Path; from data.catalogue import *; from data.task import *; "
        "from data.mirrors.download import *\n"
        f"try: download({entry!r}, Path({str(target)!r}), [{mirror.address!r}])\n"
        "except KeyboardInterrupt: print('interrupted')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    while not mirror.requests:
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert said.decode().splitlines() == [f"downloading {FILE_NAMES[0]}", "interrupted"]


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
