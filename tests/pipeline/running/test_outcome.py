"""The exit status of a run, and what it says of it."""

import dataclasses
from pathlib import Path

import pytest

from data.errors import NOT_BLESSED
from pipeline.config import PipelineConfig
from pipeline.running import outcome
from pipeline.settings import config_from_environment
from pipeline.verdict import verdict as verdicts
from pipeline.verdict.checks import Check
from pipeline.verdict.judge import refuse
from pipeline.verdict.measured import Refused
from pipeline.verdict.verdict import JudgedModel
from tests.support.report.report_pages import model, verdict

GOOD = tuple(
    model(name, pushed_to=None) for name in ("saved_model", "float32", "dynamic_range", "int8")
)
UNDECIDED = Check("min_agreement", 0.9, 0.999, 30, within_chance=True)


@pytest.fixture
def config(environment: dict[str, str]) -> PipelineConfig:
    return config_from_environment(environment)


def shown(config: PipelineConfig, *models: JudgedModel) -> int:
    """Returns the status of a run that left a report on models."""
    config.report_dir.mkdir(exist_ok=True)
    verdicts.write(verdict(*models), config.report_dir / verdicts.COMPARISON_FILE)
    return outcome.show(config, 12.3)


def test_all_is_well_when_every_model_is_blessed(
    config: PipelineConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(config, *GOOD) == 0
    assert str(Path("report", "index.html")) in capsys.readouterr().out


def test_too_few_images_to_tell_are_no_failure(config: PipelineConfig) -> None:
    doubtful = dataclasses.replace(GOOD[1], checks=(UNDECIDED,))
    assert shown(config, GOOD[0], doubtful) == 0


@pytest.mark.parametrize("refused", ["float32", "dynamic_range", "int8"])
def test_any_refused_variant_is_one_whatever_the_others_are(
    config: PipelineConfig, capsys: pytest.CaptureFixture[str], refused: str
) -> None:
    """Also the float32 one, though the SavedModel that it lies beside is pushed."""
    models = [
        refuse(Refused(each.name, None, "there is no kernel")) if each.name == refused else each
        for each in GOOD
    ]
    assert shown(config, *models) == NOT_BLESSED
    assert f"{refused} was refused: there is no kernel" in capsys.readouterr().out


@pytest.mark.parametrize("place", range(len(GOOD)))
def test_any_failed_check_is_one(config: PipelineConfig, place: int) -> None:
    models = list(GOOD)
    models[place] = dataclasses.replace(models[place], checks=(Check("max_bytes", 3, 2), UNDECIDED))
    assert shown(config, *models) == NOT_BLESSED
