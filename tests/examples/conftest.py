"""What the tests of examples share."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from data.dataset import Dataset
from data.digits import make_digits
from data.resolve import resolve_dataset

if TYPE_CHECKING:
    from tests.support.digit_models import DigitModels


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DATA_CACHE with the digits alone."""
    folder = tmp_path_factory.mktemp("cache")
    make_digits(folder / "digits")
    return folder


@pytest.fixture(scope="session")
def digits(cache_dir: Path) -> Dataset:
    return resolve_dataset("digits", None, cache_dir)


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, digit_models: "DigitModels") -> str:
    """The folder of a SavedModel that knows the digits."""
    from modules.export import saved_model

    folder = str(tmp_path_factory.mktemp("base"))
    assert saved_model.save_saved_model(digit_models.trained, folder) == []
    return folder
