"""What tests of several folders share."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.digit_models import DigitModels


@pytest.fixture(scope="session")
def digit_models(tmp_path_factory: pytest.TempPathFactory) -> "DigitModels":
    """A network trained on real digits, and its models in every format."""
    from tests.digit_models import DigitModels  # here, since tests of `data` need no TensorFlow

    return DigitModels(tmp_path_factory.mktemp("digit_models"))
