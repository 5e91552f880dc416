"""What tests of exports share."""

import pytest

from tests.support.networks.exports import Exports


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Exports:
    """Exports of networks of any kind."""
    return Exports(tmp_path_factory.mktemp("exports"))
