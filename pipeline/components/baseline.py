"""Finds the model that a newly trained one must keep up with."""

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

from pipeline.storage import tfx_plugin  # noqa: F401 - models may be in an object store

CANDIDATE, MODEL, BLESSING = "candidate", "model", "model_blessing"


class BlessedBeforeCandidate(resolver.ResolverStrategy):
    """Resolves the latest blessed model that is older than the candidate and still there.

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
        ]
        latest = max(older, key=lambda model: model.id, default=None)
        return {
            CANDIDATE: candidates,
            MODEL: [latest] if latest else [],
            BLESSING: [blessed[latest.id]] if latest else [],
        }
