"""Exports networks by all recipes, on images that are easy to tell apart."""

import gc
from functools import cached_property
from pathlib import Path

import numpy as np
import tensorflow_transform as tft

from modules.examples import tf_examples
from modules.export import logit_checks, saved_model, tflite
from modules.export.facts import Facts
from modules.export.graph.flatbuffer import ConversionError
from modules.export.recipes import FLOAT32, RECIPES
from modules.export.trained import Trained
from modules.inference import litert
from modules.models.network import Network
from modules.models.protocol import Model
from modules.training import loop
from tests.support.digit_models import analyze
from tests.support.networks.drawn import drawn_variables
from tests.support.networks.patterns import TASK, make_patterns

_NUM_IMAGES = 100


class Exports:
    """All of it lies below one folder."""

    def __init__(self, folder: Path):
        self._folder = folder
        gc.freeze()  # the converter collects all that there is, each time

    @cached_property
    def images(self) -> np.ndarray:
        """Raw images float32[100, 768] in [0, 1]."""
        return make_patterns(_NUM_IMAGES)[0]

    @cached_property
    def tft_output(self) -> tft.TFTransformOutput:
        """The Transform graph of `images`."""
        return analyze(self.images, self._folder)

    @cached_property
    def normalized(self) -> np.ndarray:
        """What the networks take."""
        return tf_examples.normalize(self.images, self.tft_output)

    def trained(self, model: Model) -> Trained:
        """Returns a network with variables as of a trained one."""
        network = Network(model, TASK)
        return Trained(network, drawn_variables(network), self.tft_output)

    def logits(self, trained: Trained) -> np.ndarray:
        """Returns what JAX computes for `images`."""
        return loop.predict(trained.network, trained.variables, self.normalized)

    def check_saved_model(self, trained: Trained, folder: Path) -> None:
        """Raises an error unless the SavedModel computes what JAX does."""
        saved_model.save_saved_model(trained, str(folder))
        found = saved_model.predict_saved_model(str(folder), self.images)
        logit_checks.check_logits("SavedModel", self.logits(trained), found)

    def convert(self, trained: Trained, folder: Path) -> dict[str, Facts | str]:
        """Returns of each recipe what is known of its model, or why it is refused."""
        expected, float32 = self.logits(trained), None
        found: dict[str, Facts | str] = {}
        with tflite.Converter(trained) as converter:
            for name, recipe in RECIPES.items():
                try:
                    converted = converter.save(
                        recipe, str(folder / name), self.images[::2], float32
                    )
                    logits = litert.predict(converted.path, self.images)
                    logit_checks.check_logits(name, expected, logits, recipe)
                    found[name] = converted.facts
                    float32 = converted.path if recipe == FLOAT32 else float32
                except (ConversionError, logit_checks.ExportMismatchError) as error:
                    found[name] = str(error)
        return found
