"""The folder that any web host can serve: names with digests, and nothing that was left before."""

import gzip
import html
import json
import re
from pathlib import Path

import pytest

from apps.web import layout
from data.errors import DataError
from tests.apps.web.support.made_site import make_dist, make_found


def facts_of(site: Path) -> dict:
    found = re.search(r'name="facts" content="(.*?)"', (site / "index.html").read_text())
    assert found
    return json.loads(html.unescape(found[1]))


def test_all_but_two_files_have_a_digest_in_their_names(tmp_path: Path) -> None:
    found, dist = make_found(tmp_path), make_dist(tmp_path / "dist")
    site = layout.lay_out(found, dist, tmp_path / "web")
    plain = {path for path, asset in site.items() if not asset.is_kept}
    assert plain == {"/", "/index.html", "/service-worker.js"}
    assert sorted(re.sub(r"-[0-9a-f]{12}/", "/", path) for path in site if path.count("/") > 1) == [
        "/device/float32.tflite",
        "/device/model.json",
        "/page/page.js",
        "/page/style.css",
        "/wasm/litert.wasm",
    ]
    [model] = (asset for path, asset in site.items() if path.endswith(".tflite"))
    assert gzip.decompress(model.encoded["gzip"].read_bytes()) == model.path.read_bytes()
    [wasm] = (asset for path, asset in site.items() if path.endswith(".wasm"))
    assert list(wasm.encoded) == ["br", "gzip"]


def test_the_page_knows_its_folders_and_what_they_weigh(tmp_path: Path) -> None:
    found, dist = make_found(tmp_path), make_dist(tmp_path / "dist")
    site = layout.lay_out(found, dist, tmp_path / "web")
    facts = facts_of(tmp_path / "web")
    assert (facts["personal"], facts["noPersonal"]) == (None, "There is <none>.")
    assert {f"/{path}" for path in facts["bytes"]} == {p for p in site if site[p].is_kept}
    model = f"{facts['device']}float32.tflite"
    assert facts["bytes"][model] == site[f"/{model}"].encoded["gzip"].stat().st_size
    index = (tmp_path / "web" / "index.html").read_text()
    script, policy = (re.search(part, index) for part in ('src="(.*?)"', 'Policy" content="(.*?)"'))
    assert script and policy
    assert f"/{script[1]}" in site
    assert html.unescape(policy[1]) == layout.POLICY
    assert "%" not in index


def test_a_change_is_another_version_and_the_old_files_are_gone(tmp_path: Path) -> None:
    found, dist = make_found(tmp_path), make_dist(tmp_path / "dist")
    site, web = layout.lay_out(found, dist, tmp_path / "web"), tmp_path / "web"
    worker = (web / "service-worker.js").read_text()
    assert layout.lay_out(found, dist, web).keys() == site.keys()
    assert (web / "service-worker.js").read_text() == worker
    (dist / "page" / "page.js").write_text("console.log(2)")
    changed = layout.lay_out(found, dist, web)
    assert {path for path in site if path not in changed} == {
        path for path in site if path.startswith("/page-")
    }
    assert (web / "service-worker.js").read_text() != worker
    assert sorted(path.name for path in tmp_path.iterdir()) == ["device", "dist", "web"]
    assert len(list(web.glob("page-*"))) == 1


def test_a_failure_leaves_the_site_that_was_there(tmp_path: Path) -> None:
    found, dist = make_found(tmp_path), make_dist(tmp_path / "dist")
    layout.lay_out(found, dist, tmp_path / "web")
    index = (tmp_path / "web" / "index.html").read_text()
    (dist / "index.html").unlink()
    with pytest.raises(DataError, match=rf"^cannot write {tmp_path}/web: No such file"):
        layout.lay_out(found, dist, tmp_path / "web")
    assert (tmp_path / "web" / "index.html").read_text() == index
    assert sorted(path.name for path in tmp_path.iterdir()) == ["device", "dist", "web"]
