"""The report as a browser shows it: on a phone and a desktop, light and dark, and by itself."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib import image as matplotlib_image

from tests.support.browser import Tab, find_browser, open_tab
from tests.support.report import whole_pages

MEASURE = Path(__file__).with_name("measure_page.js").read_text()
PHONE, DESKTOP = (390, 844), (1280, 900)
HEADINGS = [
    "Models",
    "Checks",
    "Classes",
    "Confusion matrices",
    "Training",
    "Runtimes",
    "Surest mistakes",
    "Disagreements",
    "Pipeline",
    "Data and versions",
]


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with open_tab(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def html() -> str:
    return whole_pages.digits()


def _show(tab: Tab, file: Path, html: str, size: tuple[int, int], scheme: str) -> dict[str, Any]:
    file.write_text(html, "utf-8")
    tab.show(file, *size, scheme)
    return tab.evaluate(MEASURE)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_page_can_be_read(
    tab: Tab, html: str, tmp_path: Path, size: tuple[int, int], scheme: str
) -> None:
    file, picture = tmp_path / "index.html", tmp_path / "screenshot.png"
    found = _show(tab, file, html, size, scheme)
    tab.screenshot(picture)
    assert found["width"] <= size[0]
    assert found["headings"] == HEADINGS
    for problem in ("outside", "faint", "broken_links", "empty_images"):
        assert found[problem] == []
    assert tab.complaints() == []
    assert [url for url in tab.requests() if not url.startswith("data:")] == [file.as_uri()]

    pixels = matplotlib_image.imread(picture)[..., :3]
    corner = pixels[0, 0].mean()
    if scheme == "light":
        assert found["ground"] > 0.8
        assert corner > 0.9
    else:
        assert found["ground"] < 0.05
        assert corner < 0.1
    assert pixels.std() > 0.05  # something is written on it


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("make", [whole_pages.three_grey, whole_pages.hundred_in_colours])
def test_pages_of_other_tasks_can_be_read(
    tab: Tab, tmp_path: Path, make: Callable[[], str], size: tuple[int, int]
) -> None:
    found = _show(tab, tmp_path / "index.html", make(), size, "light")
    assert found["width"] <= size[0]
    for problem in ("outside", "faint", "broken_links", "empty_images"):
        assert found[problem] == []
    assert tab.complaints() == []


def test_phone_gets_cards_and_desktop_a_table(tab: Tab, html: str, tmp_path: Path) -> None:
    shown = "getComputedStyle(document.querySelector('.cards tbody tr')).display"
    header = "document.querySelector('.cards thead').offsetHeight > 0"
    file = tmp_path / "index.html"
    _show(tab, file, html, PHONE, "light")
    assert (tab.evaluate(shown), tab.evaluate(header)) == ("grid", False)
    _show(tab, file, html, DESKTOP, "light")
    assert (tab.evaluate(shown), tab.evaluate(header)) == ("table-row", True)


@pytest.mark.parametrize(
    ("addition", "problem"),
    [
        ('<p style="color: #999">pale</p>', "faint"),
        ('<p style="width: 5rem; white-space: nowrap">far too long for its place</p>', "outside"),
        (
            '<ol class="stages" style="width: 9rem"><li style="width: 10rem">wide</li></ol>',
            "outside",
        ),
        ('<b class="step">one</b><b class="step" style="margin-left: -1rem">over</b>', "outside"),
        ('<nav><a href="#nowhere">lost</a></nav>', "broken_links"),
        ('<img src="data:image/png;base64,broken" alt="nothing">', "empty_images"),
    ],
)
def test_what_is_measured_is_noticed(
    tab: Tab, html: str, tmp_path: Path, addition: str, problem: str
) -> None:
    broken = html.replace("<main>", f"<main>{addition}")
    assert len(_show(tab, tmp_path / "index.html", broken, PHONE, "light")[problem]) == 1


def test_requests_and_breaches_of_the_policy_are_noticed(
    tab: Tab, html: str, tmp_path: Path
) -> None:
    """The page's own policy is what forbids the request."""
    broken = html.replace("<main>", '<main><img src="http://127.0.0.1:9/x.png" alt="">')
    _show(tab, tmp_path / "index.html", broken, DESKTOP, "light")
    assert any("Content Security Policy" in complaint for complaint in tab.complaints())
    broken = broken.replace("Content-Security-Policy", "none")
    _show(tab, tmp_path / "index.html", broken, DESKTOP, "light")
    assert "http://127.0.0.1:9/x.png" in tab.requests()


def test_too_wide_a_page_is_noticed(tab: Tab, html: str, tmp_path: Path) -> None:
    broken = html.replace("<main>", '<main><div style="width: 500px">wide</div>')
    assert _show(tab, tmp_path / "index.html", broken, PHONE, "light")["width"] > PHONE[0]


def test_missing_browser_skips_unless_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("REQUIRE_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="none of chromium, .* is on PATH"):
        find_browser()
    monkeypatch.setenv("REQUIRE_BROWSER", "1")
    with pytest.raises(pytest.fail.Exception, match="REQUIRE_BROWSER=1, but none of chromium"):
        find_browser()
