"""`comparison.json`: its form, what is derived in it, and files that are not of this form."""

import dataclasses
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from data.errors import DataError
from pipeline.verdict import verdict
from pipeline.verdict.checks import Check, Outcome
from pipeline.verdict.verdict import Metrics, Verdict
from tests.pipeline.verdict.whole_verdict import CONTENT, FOUND, JUDGED, TRAINING

DERIVED = {"passed", "blessed", "outcome"}  # the file has them for others; here they are found anew
OPTIONAL = {"images", "within_chance", "detail", "undelegated", "kept_in_float", "fixed_batch"}
# Mappings by class, way, package, operator or runtime, whose keys are free.
FREE = {
    *("per_class_accuracy", "latency_us", "versions", "undelegated"),
    *("runtimes", "runtimes_not_run"),
}


def test_file_has_the_form_that_others_read(tmp_path: Path) -> None:
    """Key by key, and an integer stays one."""
    verdict.write(FOUND, tmp_path / "comparison.json")
    text = (tmp_path / "comparison.json").read_text()
    assert text == json.dumps(CONTENT, indent=2) + "\n"
    assert verdict.read(tmp_path / "comparison.json") == FOUND


def test_nan_and_infinity_survive_the_file(tmp_path: Path) -> None:
    broken = dataclasses.replace(
        JUDGED,
        metrics=Metrics(math.nan, -math.inf),
        checks=(Check("max_loss_difference", math.nan, math.inf),),
    )
    verdict.write(dataclasses.replace(FOUND, models=(broken,)), tmp_path / "comparison.json")
    text = (tmp_path / "comparison.json").read_text()
    assert '"accuracy": NaN' in text and '"loss": -Infinity' in text
    (found,) = verdict.read(tmp_path / "comparison.json").models
    assert math.isnan(found.metrics.accuracy) and found.metrics.loss == -math.inf
    (check,) = found.checks
    assert math.isnan(check.value) and check.limit == math.inf
    assert not found.blessed


def keys(content: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of every key that has to be there."""
    is_free = bool(path) and path[-1] in FREE
    for key, value in content.items() if isinstance(content, dict) else enumerate(content):
        if isinstance(key, str) and not is_free and key not in DERIVED | OPTIONAL:
            yield (*path, key)
        if isinstance(value, dict | list):
            yield from keys(value, (*path, key))


def refused(content: Any, file: Path) -> str:
    """Returns why a file with this content is not read."""
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match=re.escape(str(file))) as caught:
        verdict.read(file)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("; run the pipeline again to write it anew")
    return str(caught.value)


def test_every_missing_key_is_named_with_its_file(tmp_path: Path) -> None:
    paths = list(keys(CONTENT))
    assert len(paths) > 40
    for path in paths:
        content = json.loads(json.dumps(CONTENT))
        place = content
        for key in path[:-1]:
            place = place[key]
        del place[path[-1]]
        name = ".".join(map(str, path))
        message = refused(content, tmp_path / "comparison.json")
        assert f"comparison.json is not of schema version 2: {name}: " in message


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"models": {"int8": {}}}, "models"),
        ({"seed": "three"}, "seed"),
        ({"dataset": None}, "dataset"),
    ],
)
def test_another_type_is_named(changes: dict, key: str, tmp_path: Path) -> None:
    message = refused({**CONTENT, **changes}, tmp_path / "comparison.json")
    assert f"is not of schema version 2: {key}: " in message


@pytest.mark.parametrize("version", [1, 3, "2"])
def test_another_schema_is_named(version: int | str, tmp_path: Path) -> None:
    """Whatever else is missing in it."""
    message = refused({"schema_version": version}, tmp_path / "comparison.json")
    assert f"comparison.json is of schema version {version}, expected 2; run" in message


@pytest.mark.parametrize("value", [None, "much"])
def test_a_check_has_a_number(value: str | None, tmp_path: Path) -> None:
    content = json.loads(json.dumps(CONTENT))
    content["models"][0]["checks"][1]["value"] = value
    message = refused(content, tmp_path / "comparison.json")
    assert "models.0.checks.1.value" in message


def test_what_is_no_json_is_told(tmp_path: Path) -> None:
    (tmp_path / "comparison.json").write_text('{"schema_version": 2,')
    with pytest.raises(DataError, match="comparison.json is no JSON .*run the pipeline again"):
        verdict.read(tmp_path / "comparison.json")


def test_what_came_of_a_model_is_the_worst_that_came_of_its_checks() -> None:
    passed, failed = Check("min_accuracy", 0.98, 0.97), Check("max_bytes", 3, 2)
    undecided = Check("min_agreement", 0.99, 0.999, 100, within_chance=True)
    for checks, blessed, outcome in (
        ((passed,), True, Outcome.PASSED),
        ((passed, undecided), True, Outcome.UNDECIDED),
        ((passed, undecided, failed), False, Outcome.FAILED),
    ):
        found = dataclasses.replace(JUDGED, checks=checks)
        assert (found.blessed, found.outcome) == (blessed, outcome)
        assert found.failed_checks == tuple(each for each in checks if each is failed)
        assert found.undecided_checks == tuple(each for each in checks if each is undecided)


def test_a_training_without_parameters_or_title() -> None:
    plain = dataclasses.replace(
        TRAINING, params="", task=dataclasses.replace(TRAINING.task, title="")
    )
    found = Verdict.of(plain, [JUDGED], {})
    assert (found.params, found.title) == (None, "fruit")
