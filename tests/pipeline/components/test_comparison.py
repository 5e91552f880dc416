"""What the Comparison component is told, and how; and which files it takes for what was checked."""

import dataclasses
import json
from pathlib import Path

import pytest
from tfx.types.standard_artifacts import Model, ModelEvaluation

from data.files import file_sha256
from modules import features
from modules.export.recipes import RECIPES
from pipeline.components import comparison_executor
from pipeline.verdict.limits import Limits, limits_from_json
from pipeline.verdict.runtimes.compared import ComparedFile
from tests.support.digit_models import DigitModels


def test_limits_survive_the_way_through_json() -> None:
    assert limits_from_json(json.dumps(dataclasses.asdict(Limits()))) == Limits()
    assert Limits().variants.keys() == RECIPES.keys()


@pytest.mark.parametrize("is_the_same", [True, False])
def test_what_was_run_in_other_runtimes_must_be_the_same_file(
    digit_models: DigitModels, tmp_path: Path, is_the_same: bool
) -> None:
    model, evaluation = Model(), ModelEvaluation()
    model.uri = str(Path(digit_models.server_dir).parent)
    evaluation.uri = str(tmp_path)
    sha256 = file_sha256(Path(digit_models.server_dir, features.TFLITE_FILE))
    run = ComparedFile(sha256 if is_the_same else "12ab", None, {}, {}, ())
    paths, refused = comparison_executor._copy_sound(
        {"float32_model": model, "float32_evaluation": evaluation},
        ["float32"],
        tmp_path,
        digit_models.files.task,
        {"float32": run},
    )
    assert list(paths) == (["float32"] if is_the_same else [])
    reasons = [each.reason for each in refused]
    assert reasons == ([] if is_the_same else ["it is not the file that was run in other runtimes"])
