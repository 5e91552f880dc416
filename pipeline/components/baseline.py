"""Finds the model that a newly trained one must keep up with."""

import os
from collections.abc import Mapping, Sequence

import ml_metadata as mlmd
from tfx import types
from tfx.components.evaluator.constants import (
    ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY as _CURRENT_MODEL,
)
from tfx.components.util.model_utils import is_model_blessed
from tfx.dsl.components.common import resolver
from tfx.dsl.io import fileio
from tfx.utils import path_utils

from data.task import Task
from modules import features
from pipeline.storage import tfx_plugin  # noqa: F401 - models may be in an object store

CANDIDATE, MODEL, BLESSING = "candidate", "model", "model_blessing"


class BlessedBeforeCandidate(resolver.ResolverStrategy):
    """Resolves the latest blessed model of the same task, older than the candidate, still there.

    Accuracies on other images or of other labels are not comparable.

    TFX's LatestBlessedModelStrategy takes the latest of all. Run again unchanged, it would then
    find the candidate itself, and the Evaluators, given another input, could not be cached.
    """

    def resolve_artifacts(
        self, store: mlmd.MetadataStore, input_dict: Mapping[str, Sequence[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns the model and one of its blessings, or empty lists when there is none."""
        candidates = list(input_dict[CANDIDATE])
        # A model may have been evaluated again under other limits: its latest blessing counts.
        latest_blessing = {
            blessing.get_int_custom_property(_CURRENT_MODEL): blessing
            for blessing in sorted(input_dict[BLESSING], key=lambda artifact: artifact.id)
        }
        blessed = {
            model_id: blessing
            for model_id, blessing in latest_blessing.items()
            if is_model_blessed(blessing)
        }
        older = [
            model
            for model in input_dict[MODEL]
            if model.id in blessed
            and model.id < min(c.id for c in candidates)
            # Somebody may have made room.
            and fileio.exists(path_utils.serving_model_path(model.uri))
            and all(_is_comparable(model, candidate) for candidate in candidates)
        ]
        latest = max(older, key=lambda model: model.id, default=None)
        return {
            CANDIDATE: candidates,
            MODEL: [latest] if latest else [],
            BLESSING: [blessed[latest.id]] if latest else [],
        }


def _is_comparable(model: types.Artifact, candidate: types.Artifact) -> bool:
    """Returns whether two models are known to take the same images and to name the same labels."""
    task, wanted = (_task(each) for each in (model, candidate))
    if task is None or wanted is None:
        return False
    return (task.image_shape, task.label_names) == (wanted.image_shape, wanted.label_names)


def _task(model: types.Artifact) -> Task | None:
    """Returns the task that a model was trained for; None where it does not say so."""
    path = os.path.join(model.uri, features.TASK_FILE)
    if not fileio.exists(path):
        return None
    with fileio.open(path, "rb") as file:
        try:
            return Task.from_json(file.read().decode())
        except (ValueError, TypeError, KeyError):  # of another version, or not whole
            return None
