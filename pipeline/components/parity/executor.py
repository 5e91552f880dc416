"""The RuntimeParity's executor: asks every runtime the same, and holds the answers together."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tfx.dsl.components.base.base_executor import BaseExecutor
from tfx.types import Artifact
from tfx.types.artifact_utils import get_single_instance
from tfx.utils import path_utils

from data.files import file_sha256
from data.splits import Split
from modules import features
from modules.examples import even_sample
from modules.examples.even_sample import Sample
from modules.export.recipes import RECIPES
from modules.inference.runtimes import running
from modules.inference.runtimes.catalogue import STANDARD
from modules.inference.runtimes.running import Answers, NotRunError
from modules.inference.runtimes.tensors import NotAModelError
from pipeline.verdict.runtimes import compared
from pipeline.verdict.runtimes.compared import ComparedFile
from pipeline.verdict.runtimes.measuring import measure

EXAMPLES, VERSIONS, IMAGES, OUTPUT = "examples", "runtimes", "images", "answers"
# What a runtime may take for a file: more than the reference kernels need for networks of this size
# and, of larger ones, little enough to wait for.
_SECONDS, _SECONDS_AN_IMAGE = 60.0, 0.05
_AT_ONCE = 2


class Executor(BaseExecutor):
    """Runs the device models on some of the test images in each runtime."""

    def Do(  # noqa: N802 - TFX's name
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `runtimes.json`, which has no entry for a model that could not be converted."""
        inputs = {key: get_single_instance(value) for key, value in input_dict.items() if value}
        answers = get_single_instance(output_dict[OUTPUT])
        runtimes = list(json.loads(exec_properties[VERSIONS]))
        eval_files = [os.path.join(inputs[EXAMPLES].path(split=Split.EVAL), "*")]
        found = {}
        with tempfile.TemporaryDirectory() as folder:
            sample = even_sample.read(eval_files, exec_properties[IMAGES], Path(folder, "images"))
            for name in RECIPES:
                if name not in inputs:
                    continue
                file = Path(path_utils.serving_model_path(inputs[name].uri), features.TFLITE_FILE)
                if file.is_file():
                    copy = Path(folder, f"{name}.tflite")  # what has the digest is what is run
                    shutil.copyfile(file, copy)
                    found[name] = _compare(copy, sample, runtimes, RECIPES[name].tie)
        compared.write(found, Path(answers.uri))


def _compare(file: Path, sample: Sample, runtimes: Sequence[str], tie: float) -> ComparedFile:
    """Returns what the runtimes make of a file; a damaged one can end their processes alone."""
    inputs = file.with_suffix(".inputs")
    try:
        prepared = running.prepare(file, sample.images, inputs)
    except NotAModelError as error:
        return ComparedFile(file_sha256(file), None, {}, dict.fromkeys(runtimes, str(error)), ())
    limit = _SECONDS + _SECONDS_AN_IMAGE * prepared.rows
    # The slow ones first, so that two processes are busy to the end.
    order = list(reversed(runtimes))
    questions = [(name, prepared) for name in order]
    results = running.run_all(questions, file.parent, limit, _AT_ONCE)
    inputs.unlink()
    by_name = dict(zip(order, results, strict=True))
    return held_together(file_sha256(file), {n: by_name[n] for n in runtimes}, sample, tie)


def held_together(
    sha256: str, results: Mapping[str, Answers | NotRunError], sample: Sample, tie: float
) -> ComparedFile:
    """Returns what came of a file.

    Args:
      sha256: the file's.
      results: of the runtimes, by name.
      sample: the images that they were asked about.
      tie: see `Recipe.tie`.
    """
    expected = results[STANDARD]
    run = {name: each for name, each in results.items() if isinstance(each, Answers)}
    errors = {name: each for name, each in results.items() if isinstance(each, NotRunError)}
    not_run = {name: str(error) for name, error in errors.items()}
    failed = tuple(name for name, error in errors.items() if error.is_failure)
    if isinstance(expected, NotRunError):
        alone = f"there is nothing to compare it with, since {expected}"
        return ComparedFile(sha256, None, {}, {**dict.fromkeys(run, alone), **not_run}, failed)
    metrics = {
        name: measure(found, expected, sample.labels, sample.rows, tie)
        for name, found in run.items()
    }
    with np.errstate(all="ignore"):  # of a NaN one is made
        spread = float(expected.logits.std())
    return ComparedFile(sha256, spread, metrics, not_run, failed)
