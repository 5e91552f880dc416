"""The People component: simulated people teach a personal model, which decides whether it ships."""

import json
import os
from pathlib import Path

import numpy as np
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, ModelBlessing
from tfx.utils import path_utils

from data.splits import Split
from modules.examples import tf_examples as example_files
from modules.inference import timing
from modules.inference.personal import manifest, simulation
from modules.inference.personal.client import PersonalModel
from modules.inference.personal.errors import PersonalError
from modules.inference.personal.simulation import SAMPLES, Images
from pipeline.components.artifacts import PersonalEvaluation
from pipeline.components.blessings import bless
from pipeline.verdict import refusals
from pipeline.verdict.personal import judged
from pipeline.verdict.personal.judged import Personal
from pipeline.verdict.personal.limits import PersonalLimits

_MOST_EXAMPLES = 3000
_SEED = 5000  # of the first person; others chose the learning rates
_HELD_OUT, _PLAIN = 200, 300  # images


@component
def People(  # noqa: N802 - components are named as classes
    examples: InputArtifact[Examples],
    personal_model: InputArtifact[Model],
    head: Parameter[str],
    optimizer: Parameter[str],
    limits: Parameter[str],
    evaluation: OutputArtifact[PersonalEvaluation],
    blessing: OutputArtifact[ModelBlessing],
):
    """Has people teach the model, each with a hand of their own, and judges what they gained.

    Args:
      examples: the eval split, which people write from and are tested on.
      personal_model: a Personalizer's.
      head: what is trained.
      optimizer: how.
      limits: JSON, `PersonalLimits`.
      evaluation: `personal.json`, a `Personal`.
      blessing: whether it may be pushed.
    """
    told = Personal(head=Path(head).name, optimizer=optimizer)
    reason = refusals.read(personal_model.uri)
    if reason is None:
        try:
            told = _judged(
                examples, Path(path_utils.serving_model_path(personal_model.uri)), limits
            )
        except PersonalError as error:
            reason = str(error)
    if reason is not None:
        told = Personal(head=told.head, optimizer=optimizer, refused=reason)
    judged.write(told, Path(evaluation.uri))
    bless(blessing, told.blessed, personal_model)


def _judged(examples: Examples, folder: Path, limits: str) -> Personal:
    chosen, about = PersonalLimits(**json.loads(limits)), manifest.read(folder)
    task = about.task
    pixels, labels = example_files.load_sample(
        [os.path.join(examples.path(split=Split.EVAL), "*")], _MOST_EXAMPLES
    )
    images = Images.split(pixels.reshape((-1, *task.image_shape)), labels, task.num_classes)
    simulated = simulation.simulate(
        simulation.personal_model(folder),
        images,
        range(_SEED, _SEED + chosen.people),
        held_out=min(_HELD_OUT, len(images.held_out)),
        plain=_PLAIN,
        new_symbols=about.num_classes >= task.num_classes + 2 and task.num_classes == 10,
    )
    return judged.judge(simulated, chosen, SAMPLES, about, _step_us(folder, images))


def _step_us(folder: Path, images: Images) -> float:
    """Returns the median time of a training step on one thread, in microseconds."""
    model = PersonalModel(folder)
    model.add(images.pool[0], model.class_names[int(images.pool_labels[0])])
    times = timing.latencies_us({"step": lambda: model.train(1)})
    return float(np.float64(times["step"]["p50"]))
