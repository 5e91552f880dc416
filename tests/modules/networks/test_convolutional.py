"""Networks of convolutions, with branches, norms and activations: what ships, and why not."""

from pathlib import Path

import pytest

from tests.modules.networks.expected import check_outcome
from tests.support.networks import CONVOLUTIONAL
from tests.support.networks.exports import Exports


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_network_by_every_recipe(exports: Exports, tmp_path: Path, name: str) -> None:
    check_outcome(exports, name, tmp_path)
