"""RUNTIMES and PARITY_IMAGES: in which runtimes models are run, and on how many images."""

import dataclasses
from pathlib import Path

import pytest

from data.errors import ConfigError
from modules.inference.runtimes.catalogue import RUNTIMES
from pipeline import setting_values
from pipeline.config import PipelineConfig
from pipeline.create import create_pipeline
from pipeline.settings import config_from_environment
from tests.support.digit_models import DigitModels


@pytest.fixture(autouse=True)
def no_tflm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without TFLite Micro."""
    gone = dataclasses.replace(RUNTIMES["tflm"], command=("no/such.py",))
    monkeypatch.setitem(RUNTIMES, "tflm", gone)


def test_by_default_all_are_asked_and_what_is_missing_is_only_told() -> None:
    assert setting_values.runtimes({}) == tuple(RUNTIMES) == PipelineConfig.runtimes
    assert setting_values.runtimes({"RUNTIMES": ""}) == tuple(RUNTIMES)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", ()),
        (" reference , builtin", ("xnnpack", "builtin", "reference")),
        ("xnnpack", ("xnnpack",)),
    ],
)
def test_names_in_the_order_of_the_catalogue(text: str, expected: tuple[str, ...]) -> None:
    assert setting_values.runtimes({"RUNTIMES": text}) == expected


def test_what_was_named_has_to_be_there() -> None:
    message = r"^RUNTIMES=builtin,tflm: tflm needs no/such.py.*`make micro-setup`.*leave it out$"
    with pytest.raises(ConfigError, match=message):
        setting_values.runtimes({"RUNTIMES": "builtin,tflm"})


def test_they_reach_the_component(environment: dict[str, str]) -> None:
    config = config_from_environment(environment | {"RUNTIMES": "reference", "PARITY_IMAGES": "12"})
    assert (config.runtimes, config.parity_images) == (("xnnpack", "reference"), 12)
    assert config_from_environment(environment | {"PARITY_IMAGES": "0"}).parity_images == 0


def test_without_any_there_is_no_component(digit_models: DigitModels, tmp_path: Path) -> None:
    def nodes(runtimes: tuple[str, ...]) -> dict:
        config = PipelineConfig(
            digit_models.files, tmp_path, recipes=("float32",), runtimes=runtimes
        )
        return {node.id: node for node in create_pipeline(config).components}

    without, some = nodes(()), nodes(("xnnpack", "reference"))
    assert some.keys() - without.keys() == {"RuntimeParity"}
    assert "runtime_answers" not in without["Comparison"].inputs
    answers = some["RuntimeParity"].outputs["answers"]
    assert some["Comparison"].inputs["runtime_answers"] is answers
    assert some["RuntimeParity"].exec_properties["images"] == PipelineConfig.parity_images
