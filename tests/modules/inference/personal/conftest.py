"""Packages, made once."""

from pathlib import Path

import pytest

from tests.modules.inference.personal import packages


@pytest.fixture(scope="session")
def softmax_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with the head `softmax` and SGD, which has no state."""
    return packages.make(tmp_path_factory.mktemp("personal") / "1", "softmax")


@pytest.fixture(scope="session")
def mlp_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One with the head `mlp` and Adam."""
    return packages.make(tmp_path_factory.mktemp("personal") / "1", "mlp")


@pytest.fixture(params=["softmax", "mlp"])
def package(request: pytest.FixtureRequest) -> Path:
    """Each of them."""
    return request.getfixturevalue(f"{request.param}_package")
