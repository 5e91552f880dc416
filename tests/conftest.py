"""What tests of several folders share."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests import mariadb

if TYPE_CHECKING:
    from tests.digit_models import DigitModels


@pytest.fixture(scope="session")
def digit_models(tmp_path_factory: pytest.TempPathFactory) -> "DigitModels":
    """A network trained on real digits, and its models in every format."""
    from tests.digit_models import DigitModels  # here, since tests of `data` need no TensorFlow

    return DigitModels(tmp_path_factory.mktemp("digit_models"))


@pytest.fixture(scope="session")
def database_server() -> Iterator[mariadb.Server]:
    """A MariaDB server; see `mariadb.running` for where there is none."""
    with mariadb.running() as server:
        yield server
