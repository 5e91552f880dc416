"""What is expected of each of the networks that people write."""

from pathlib import Path

from modules.export.facts import Facts
from tests.support.networks import NETWORKS, outcomes
from tests.support.networks.exports import Exports


def check_outcome(exports: Exports, name: str, folder: Path) -> None:
    """Converts a network by every recipe and compares what comes out with the table."""
    found = exports.convert(exports.trained(NETWORKS[name]), folder)
    reasons = {recipe: outcome for recipe, outcome in found.items() if isinstance(outcome, str)}
    expected = outcomes.REFUSED.get(name, {})
    assert reasons.keys() == expected.keys(), reasons
    for recipe, reason in expected.items():
        assert reason in reasons[recipe], reasons
        assert "loc(" not in reasons[recipe] and "\n" not in reasons[recipe], reasons
    facts = {recipe: outcome for recipe, outcome in found.items() if isinstance(outcome, Facts)}
    kept = {recipe: set(each.kept_in_float) for recipe, each in facts.items() if each.kept_in_float}
    assert kept == outcomes.KEPT_IN_FLOAT.get(name, {}), kept
    if "float32" in facts:
        assert facts["float32"].fixed_batch == (name in outcomes.ONE_IMAGE)
        assert ("WHILE" in facts["float32"].undelegated) == (name in outcomes.LOOPS)
