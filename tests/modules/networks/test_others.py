"""Networks of attention, recurrence, in NNX and in JAX alone: what ships, and why not."""

from pathlib import Path

import pytest

from data.files import PROJECT_ROOT
from tests.modules.networks.expected import check_outcome
from tests.support.networks import NETWORKS, OTHERS, outcomes
from tests.support.networks.exports import Exports


@pytest.mark.parametrize("name", OTHERS)
def test_network_by_every_recipe(exports: Exports, tmp_path: Path, name: str) -> None:
    check_outcome(exports, name, tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "exact GELU",
        "bfloat16 computation",
        "bfloat16 parameters",
        "names with dots and slashes",
        "LSTM over rows",
        "NNX: blocks in a list, BatchNorm, Dropout",
        "pure JAX: sin, cos, erf",
        "pure JAX: rows by number",
        "pure JAX: sort",
        "pure JAX: constant output",
    ],
)
def test_saved_model(exports: Exports, tmp_path: Path, name: str) -> None:
    """TFLite's limits are not a server's."""
    exports.check_saved_model(exports.trained(NETWORKS[name]), tmp_path / "saved_model")


def test_nine_in_ten_networks_ship_float32_and_dynamic_range() -> None:
    for recipe in ("float32", "dynamic_range"):
        refused = [name for name, reasons in outcomes.REFUSED.items() if recipe in reasons]
        assert len(refused) <= len(NETWORKS) / 10


def test_the_docs_have_the_table() -> None:
    assert outcomes.table() in (PROJECT_ROOT / "docs" / "device-models.md").read_text()
