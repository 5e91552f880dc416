"""Blessings as TFX's Evaluator writes them, so that TFX's Pusher and resolvers understand them."""

import os

from tfx.components.evaluator import constants
from tfx.dsl.io import fileio
from tfx.types import Artifact


def bless(blessing: Artifact, blessed: bool, model: Artifact | None = None) -> None:
    """Fills a ModelBlessing.

    Args:
      blessing: to be filled.
      blessed: the verdict.
      model: what it is of, where somebody asks for that later.
    """
    if model:
        blessing.set_string_custom_property(
            constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, model.uri
        )
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
    value = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    fileio.makedirs(blessing.uri)
    with fileio.open(os.path.join(blessing.uri, name), "wb") as file:
        file.write(b"")
