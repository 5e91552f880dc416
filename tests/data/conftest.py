"""Small data sets in MNIST's layout, and a real web server on the loopback interface."""

import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from data.catalogue import CatalogueEntry, CatalogueFile
from data.forms.idx import write_idx
from data.forms.idx_names import FILE_NAMES
from data.task import Task
from tests.data.mirrors.raw_server import Raw, raw_servers
from tests.support.machine import free_port

TRAIN, EVAL = 30, 20


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loopback server must be reached even where a proxy is configured."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    """Four arrays with random images (which do not compress) and labels 0 to 9."""
    random = np.random.default_rng(0)
    made = {}
    for images, labels, count in ((*FILE_NAMES[:2], TRAIN), (*FILE_NAMES[2:], EVAL)):
        made[images] = random.integers(0, 256, (count, 28, 28), np.uint8)
        made[labels] = np.arange(count, dtype=np.uint8) % 10
    return made


@pytest.fixture
def folder(tmp_path: Path, arrays: dict[str, np.ndarray]) -> Path:
    """A sound data set of plain files."""
    made = tmp_path / "small"
    made.mkdir()
    for name, array in arrays.items():
        write_idx(made / name, array)
    return made


@pytest.fixture
def compressed(folder: Path) -> dict[str, bytes]:
    """What a mirror holds: the content of each `<name>.gz`."""
    return {f"{name}.gz": gzip.compress((folder / name).read_bytes()) for name in FILE_NAMES}


@pytest.fixture
def entry(folder: Path) -> CatalogueEntry:
    """A catalogue entry for `folder`, without mirrors."""
    files = []
    for name in FILE_NAMES:
        content = (folder / name).read_bytes()
        files.append(CatalogueFile(name, len(content), hashlib.sha256(content).hexdigest()))
    task = Task("mnist", (28, 28, 1), tuple("0123456789"), title="Small")
    ten = tuple(range(10))
    return CatalogueEntry(task, tuple(files), (), "CC0", "nobody", TRAIN, EVAL, ten)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A folder to download into that does not exist yet."""
    return tmp_path / "cache" / "mnist"


@pytest.fixture
def closed() -> str:
    """The address of a loopback port at which nothing listens: no network."""
    return f"http://127.0.0.1:{free_port()}/"


class Mirror(ThreadingHTTPServer):
    """Serves `files`; `requests` notes (method, file, Range header) of each request."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = dict(files)
        self.requests: list[tuple[str, str, str | None]] = []
        self.ignore_range = False
        self.cuts: list[int] = []  # break off the next answers after so many bytes
        self.stall_after: int | None = None  # send so many bytes, then wait for `release`
        self.errors: list[int] = []  # status codes of the next answers
        self.release = threading.Event()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def gets(self) -> list[tuple[str, str | None]]:
        return [(name, sent) for method, name, sent in self.requests if method == "GET"]


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        mirror, name, sent = self.server, self.path.lstrip("/"), self.headers.get("Range")
        mirror.requests.append((self.command, name, sent))
        if mirror.errors:
            return self.send_error(mirror.errors.pop(0))
        if name not in mirror.files:
            return self.send_error(404)
        body, start = mirror.files[name], 0
        if sent and not mirror.ignore_range:
            start = int(sent.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        body = body[start:]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return None
        if mirror.stall_after is not None:
            self.wfile.write(body[: mirror.stall_after])
            self.wfile.flush()
            mirror.release.wait(60)
            return None
        self.wfile.write(body[: mirror.cuts.pop(0)] if mirror.cuts else body)
        return None

    do_HEAD = do_GET  # noqa: N815 - http.server's name

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, bytes]], Mirror]]:
    """Starts mirrors, each in a thread, and stops them after the test."""
    started: list[Mirror] = []

    def start(files: dict[str, bytes]) -> Mirror:
        started.append(Mirror(files))
        threading.Thread(target=started[-1].serve_forever, args=(0.01,), daemon=True).start()
        return started[-1]

    yield start
    for mirror in started:
        mirror.release.set()
        mirror.shutdown()
        mirror.server_close()


@pytest.fixture
def raw() -> Iterator[Raw]:
    """Starts servers that answer with any bytes; see tests/data/mirrors/raw_server.py."""
    with raw_servers() as start:
        yield start
