"""The page with pushed models of real digits, in one browser."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from apps.web import build, found, layout
from apps.web.found import Found
from data.errors import DataError
from data.splits import Split
from modules.export.recipes import RECIPES
from tests.apps.web.support.page import Page, Served
from tests.modules.inference.personal import packages
from tests.support.browser import Tab, open_tab
from tests.support.digit_models import DigitModels
from tests.support.machine import lacks
from tests.support.pushed_models import push


@pytest.fixture(scope="session")
def dist() -> Path:
    """The built page."""
    try:
        return build.built()
    except DataError as error:
        lacks("WEB", str(error))


@pytest.fixture(scope="session")
def output(digit_models: DigitModels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OUTPUT with all device models, and a personal one that nobody has pushed."""
    folder = tmp_path_factory.mktemp("web") / "digits"
    push(folder / "device" / "7", digit_models, RECIPES)
    shutil.copytree(digit_models.personal_package, folder / "personal" / "new")
    return folder


@pytest.fixture(scope="session")
def models(output: Path) -> Found:
    """What the page is made of."""
    return found.find({"OUTPUT": str(output)})


@pytest.fixture(scope="session")
def served(models: Found, dist: Path, output: Path) -> Iterator[Served]:
    """The page, served."""
    served = Served(layout.lay_out(models, dist, output / "web"))
    yield served
    served.leave()


@pytest.fixture(scope="session")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """A tab of a browser."""
    with open_tab(tmp_path_factory.mktemp("profile")) as opened:
        opened.look(1280, 900, "light")
        yield opened


@pytest.fixture(scope="module")
def page(tab: Tab, served: Served) -> Page:
    """The page with all models, also that which can be taught; as a new person finds it."""
    page = Page(tab, served)
    tab.events.clear()
    page.open()
    page.load_all()
    page.start_teaching()
    return page


@pytest.fixture(scope="session")
def digits(digit_models: DigitModels) -> tuple[np.ndarray, np.ndarray]:
    """A test image of each digit, float32[10, 28, 28], and their labels."""
    images, labels = digit_models.files.features(Split.EVAL, 0, 100)
    first = [int(np.flatnonzero(labels == label)[0]) for label in range(10)]
    return images[first].reshape(-1, 28, 28), np.arange(10)


@pytest.fixture(scope="session")
def softmax_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A personal model of other images."""
    return packages.make(tmp_path_factory.mktemp("shapes") / "1", "softmax")
