"""The page without a network, and after a newer one was put in its place."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.web import layout
from apps.web.found import Found
from tests.apps.web.support.page import Page, Served
from tests.apps.web.support.strokes import around
from tests.support.browser import Tab

CACHES = "caches.keys().then(names => names.filter(name => name.startsWith('page-')))"
KEPT = (
    "caches.keys().then(async names => (await Promise.all(names.map(async name =>"
    "(await (await caches.open(name)).keys()).map(r => new URL(r.url).pathname)))).flat())"
)


@pytest.fixture
def away(models: Found, dist: Path, tab: Tab, tmp_path: Path) -> Iterator[Page]:
    """The page on a server of its own, loaded once."""
    served = Served(layout.lay_out(models, dist, tmp_path / "site"))
    page = Page(tab, served)
    page.open()
    page.wait_until_ready()
    yield page
    tab.go("about:blank")  # before the server is gone for good
    served.leave()


def test_it_opens_and_tells_without_its_server(away: Page) -> None:
    away.load_all()
    away.start_teaching()
    away.teach("ring", around((0.5, 0.5), 0.3, 12))
    away.wait_until_saved()
    away.tab.events.clear()
    away.served.leave()
    try:
        away.open(is_new=False)
        away.wait_until_ready()
        away.start_teaching()
        away.draw(around((0.5, 0.5), 0.3, 12))
        assert away.answers().keys() == {"personal", "float32", "float16", "dynamic_range", "int8"}
        assert away.samples() == {"ring": 1}
        assert away.tab.evaluate("document.querySelector('#lack').hidden")
    finally:
        away.served.come_back()


def test_a_newer_page_takes_over(away: Page, models: Found, dist: Path, tmp_path: Path) -> None:
    """Its own files replace the old ones; what has not changed is not loaded once more."""
    old = away.tab.evaluate(CACHES)
    assert len(old) == 1
    changed = tmp_path / "dist"
    changed.mkdir()
    for name in (layout.WORKER, "wasm"):
        (changed / name).symlink_to(dist / name)
    (changed / "page").mkdir()
    for file in (dist / "page").iterdir():
        content = file.read_text()
        if file.name == "page.js":
            content += "\nwindow.isNewer = true;"
        (changed / "page" / file.name).write_text(content)
    (changed / layout.INDEX).write_text((dist / layout.INDEX).read_text())
    site = layout.lay_out(models, changed, tmp_path / "newer")
    away.served.replace(site)
    away.tab.events.clear()
    is_told = "!document.querySelector('#update').hidden"
    assert not away.tab.evaluate(is_told)
    update = "navigator.serviceWorker.getRegistration().then(found => found.update()).then(() => 0)"
    away.tab.evaluate(update)  # which browsers do by themselves now and then
    away.tab.wait_for(is_told)
    away.open(is_new=False)
    assert away.tab.wait_for("window.isNewer")
    away.wait_until_ready()
    away.tab.wait_for(f"{CACHES}.then(names => names.length === 1 && names[0] !== '{old[0]}')")
    kept = away.tab.evaluate(KEPT)
    [page] = {path.split("/")[1] for path in site if path.endswith("page.js")}
    assert {path.split("/")[1] for path in kept if "/page-" in path} == {page}
    assert [path for path in kept if path.endswith("dynamic_range.tflite")]
    assert not away.tab.evaluate(is_told)
    assert away.errors() == []
