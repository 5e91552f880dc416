"""Serves a site on loopback: the files that it consists of, and nothing else."""

import http.server
import shutil
from http import HTTPStatus
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from apps.web.layout import POLICY, Asset, Site
from data.errors import ConfigError

_LOOPBACK = "127.0.0.1"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}
_OTHER_TYPE = "application/octet-stream"
_A_YEAR_S = 31_536_000
_HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Alone in its process, a page gets a finer clock.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class PageServer(http.server.ThreadingHTTPServer):
    """Listens from the start; answers with `site`, which may be given later.

    Raises:
      ConfigError: the port cannot be had.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int):
        self.site: Site = {}
        try:
            super().__init__((_LOOPBACK, port), _Handler)
        except OSError as error:
            raise ConfigError(
                f"WEB_PORT={port}: cannot listen there ({error.strerror}); give another port"
            ) from error

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server_address[1]

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{_LOOPBACK}:{self.port}/"

    @property
    def hosts(self) -> tuple[str, ...]:
        """What a request may call this server: a name that was bent to loopback is none of ours."""
        names = (_LOOPBACK, "localhost")
        plain = names if self.port == 80 else ()
        return (*plain, *(f"{name}:{self.port}" for name in names))


class _Handler(http.server.BaseHTTPRequestHandler):
    server: PageServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "page", ""
    timeout: ClassVar[float] = 30  # seconds, for a connection that says nothing

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        if self.headers.get_all("Host") not in [[host] for host in self.server.hosts]:
            self._refuse(HTTPStatus.MISDIRECTED_REQUEST, f"This is {self.server.address}.")
            return
        asset = self.server.site.get(unquote(urlsplit(self.path).path))
        if not asset:
            self._refuse(HTTPStatus.NOT_FOUND, "There is no such file here.")
            return
        tag = f'"{asset.sha256}"'
        if tag in (self.headers.get("If-None-Match") or ""):
            self.send_response(HTTPStatus.NOT_MODIFIED)
            self._end_headers(asset, tag)
            return
        self._send(asset, tag)

    def _send(self, asset: Asset, tag: str) -> None:
        encoding = next((name for name in asset.encoded if self._takes(name)), None)
        path = asset.encoded[encoding] if encoding else asset.path
        try:
            content = path.open("rb")
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND, "The file is gone; start `make web` again.")
            return
        with content:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", _TYPES.get(asset.path.suffix, _OTHER_TYPE))
            self.send_header("Content-Length", str(path.stat().st_size))
            if encoding:
                self.send_header("Content-Encoding", encoding)
            self._end_headers(asset, tag)
            if self.command == "GET":
                shutil.copyfileobj(content, self.wfile)

    def _takes(self, encoding: str) -> bool:
        offered = (self.headers.get("Accept-Encoding") or "").lower().split(",")
        names = [offer.replace(" ", "").partition(";") for offer in offered]
        return any(name == encoding and not rest.startswith("q=0") for name, _, rest in names)

    def _end_headers(self, asset: Asset, tag: str) -> None:
        kept = f"public, max-age={_A_YEAR_S}, immutable"
        self.send_header("Cache-Control", kept if asset.is_kept else "no-cache")
        self.send_header("ETag", tag)
        self.send_header("Vary", "Accept-Encoding")
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.end_headers()

    def _refuse(self, status: HTTPStatus, sentence: str) -> None:
        content = f"{sentence}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.close_connection = True
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *unused: object) -> None:
        """Writes nothing: the page asks for a dozen files, and the terminal is the user's."""
