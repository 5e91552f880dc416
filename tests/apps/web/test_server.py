"""What the page's server gives out, and to whom."""

import gzip
import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.web import layout
from apps.web.server import PageServer
from data.errors import ConfigError
from tests.apps.web.support.made_site import make_dist, make_found
from tests.apps.web.support.page import Served


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> layout.Site:
    folder = tmp_path_factory.mktemp("site")
    (folder / "secret.txt").write_text("secret")
    return layout.lay_out(make_found(folder), make_dist(folder / "dist"), folder / "web")


@pytest.fixture(scope="module")
def served(site: layout.Site) -> Iterator[Served]:
    served = Served(site)
    yield served
    served.leave()


def ask(
    served: Served, path: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    host = served.address.removeprefix("http://").rstrip("/")
    connection = http.client.HTTPConnection(host, timeout=20)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=sent)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def path_of(site: layout.Site, end: str) -> str:
    return next(path for path in site if path.endswith(end))


@pytest.mark.parametrize(
    ("end", "kind", "is_kept"),
    [
        ("/", "text/html; charset=utf-8", False),
        ("service-worker.js", "text/javascript; charset=utf-8", False),
        ("page.js", "text/javascript; charset=utf-8", True),
        (".css", "text/css; charset=utf-8", True),
        (".wasm", "application/wasm", True),
        ("model.json", "application/json", True),
        (".tflite", "application/octet-stream", True),
    ],
)
def test_files_have_their_types(
    served: Served, site: layout.Site, end: str, kind: str, is_kept: bool
) -> None:
    path = path_of(site, end)
    answer, content = ask(served, path)
    assert (answer.status, content) == (200, site[path].path.read_bytes())
    assert answer.getheader("Content-Type") == kind
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    policy = answer.getheader("Content-Security-Policy")
    assert policy.startswith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; ")
    assert "unsafe-inline" not in policy and policy.endswith("frame-ancestors 'none'")
    assert ("immutable" in answer.getheader("Cache-Control")) == is_kept


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip"), ("identity", None)],
)
def test_what_was_compressed_goes_to_those_who_take_it(
    served: Served, site: layout.Site, accepted: str, encoding: str | None
) -> None:
    path = path_of(site, ".wasm")
    answer, content = ask(served, path, Accept_Encoding=accepted)
    assert answer.getheader("Content-Encoding") == encoding
    assert answer.getheader("Vary") == "Accept-Encoding"
    plain = site[path].path.read_bytes()
    if encoding == "br":
        assert content == b"by brotli"
    else:
        assert (gzip.decompress(content) if encoding else content) == plain
    head, nothing = ask(served, path, "HEAD", Accept_Encoding=accepted)
    assert (head.getheader("Content-Length"), nothing) == (str(len(content)), b"")


def test_what_has_not_changed_is_not_sent_again(served: Served, site: layout.Site) -> None:
    tag = ask(served, "/")[0].getheader("ETag")
    answer, content = ask(served, "/", If_None_Match=tag)
    assert (answer.status, content) == (304, b"")
    assert ask(served, "/", If_None_Match='"other"')[0].status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/page/../../secret.txt",
        "//secret.txt",
        "/..%2fsecret.txt",
        "/index.html.gz",
        "/page",
        "/%00",
        "/%ff",
        "*",
    ],
)
def test_there_is_nothing_else(served: Served, path: str) -> None:
    answer, content = ask(served, path)
    assert (answer.status, content) == (404, b"There is no such file here.\n")


def test_folders_are_not_listed(served: Served, site: layout.Site) -> None:
    folder = path_of(site, "page.js").removesuffix("page.js")
    assert ask(served, folder)[0].status == 404
    assert ask(served, folder.rstrip("/"))[0].status == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "evil.example:{port}", ""])
def test_a_name_that_was_bent_to_loopback_is_refused(served: Served, host: str) -> None:
    """DNS rebinding: https://en.wikipedia.org/wiki/DNS_rebinding."""
    port = served.address.rstrip("/").rpartition(":")[2]
    answer, content = ask(served, "/", Host=host.format(port=port))
    assert (answer.status, content) == (421, f"This is {served.address}.\n".encode())
    assert ask(served, "/", Host=f"localhost:{port}")[0].status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_only_reads(served: Served, method: str) -> None:
    assert ask(served, "/", method)[0].status == 501


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    site = layout.lay_out(make_found(tmp_path), make_dist(tmp_path / "dist"), tmp_path / "web")
    served = Served(site)
    path = path_of(site, "page.js")
    site[path].path.unlink()
    answer, content = ask(served, path)
    assert answer.status == 404 and b"start `make web` again" in content
    served.leave()


def test_a_port_in_use_is_told(served: Served) -> None:
    port = int(served.address.rstrip("/").rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"^WEB_PORT={port}: cannot listen there .*another port$"):
        PageServer(port)
