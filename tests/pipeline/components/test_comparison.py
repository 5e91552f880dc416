"""What the Comparison component is told, and how."""

import dataclasses
import json

from modules.export.recipes import RECIPES
from pipeline.verdict.limits import Limits, limits_from_json


def test_limits_survive_the_way_through_json() -> None:
    assert limits_from_json(json.dumps(dataclasses.asdict(Limits()))) == Limits()
    assert Limits().variants.keys() == RECIPES.keys()
