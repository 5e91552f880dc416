"""A trained network as a TFLite model, by a recipe."""

import dataclasses
import os
import shutil
import tempfile

import jax
import numpy as np
import tensorflow as tf
from jax.experimental import jax2tf

from modules import features
from modules.export import facts as facts_of
from modules.export import refusals, tflite_checks, tflite_rewriter
from modules.export.facts import Facts
from modules.export.forms import rules
from modules.export.graph import flatbuffer
from modules.export.graph.batch import FixedBatchError
from modules.export.graph.flatbuffer import ConversionError
from modules.export.recipes import FLOAT32, Recipe
from modules.export.tflite_checks import BatchError
from modules.export.trained import Inference, Trained
from modules.inference import delegation, litert
from modules.jaxprs.widening import wide

# Not one: of an axis of length 1, TFLite's converter takes what holds for that length alone.
_BATCH_SIZES = (2, 3)


@dataclasses.dataclass(frozen=True)
class Converted:
    """A TFLite file, and what was found out about it."""

    path: str
    facts: Facts


def save_tflite(
    trained: Trained,
    recipe: Recipe,
    directory: str,
    representative_images: np.ndarray | None = None,
    float32: str | None = None,
) -> Converted:
    """Writes a TFLite model, named `tflite`, that contains the Transform graph.

    See `Converter.save`, which does the same for several recipes of one network in less time.
    """
    with Converter(trained) as converter:
        return converter.save(recipe, directory, representative_images, float32)


class Converter:
    """Makes TFLite models of one network; a context, with a folder for what is in between."""

    def __init__(self, trained: Trained):
        self._trained = trained
        self._inference, leaves = trained.inference()
        # TFLite has no 16-bit floats to compute in; all their numbers are float32's, too.
        self._leaves = [np.asarray(wide(leaf)) for leaf in leaves]
        self._folder = tempfile.TemporaryDirectory()

    def __enter__(self) -> "Converter":
        return self

    def __exit__(self, *exception: object) -> None:
        self._folder.cleanup()

    def save(
        self,
        recipe: Recipe,
        directory: str,
        representative_images: np.ndarray | None = None,
        float32: str | None = None,
    ) -> Converted:
        """Writes `directory`/tflite, which contains the Transform graph, and checks it.

        Args:
          recipe: how to convert.
          directory: to write to.
          representative_images: raw training images float32[N, num_pixels] in [0, 1], which set
            the ranges of integer activations; other recipes need none.
          float32: path of the network's float32 model, as this function wrote it, which the other
            recipes are compared with; it is made once more if there is none.

        Raises:
          flatbuffer.ConversionError: the model could not be converted, or failed a check.
          ValueError: the recipe needs representative images and there are none.
        """
        path = os.path.join(directory, features.TFLITE_FILE)
        os.makedirs(directory, exist_ok=True)
        if float32 is None or recipe == FLOAT32:
            float32 = self._converted(FLOAT32)
        if recipe.integer_activations:
            _check_loops(float32, recipe)
        converted = float32
        if recipe != FLOAT32:
            converted = self._converted(recipe, representative_images, float32)
        if converted != path:
            shutil.copyfile(converted, path)
        baseline = facts_of.baseline_of(float32)
        tflite_checks.check_form(path, recipe, self._trained.network.task, baseline)
        interpreter = litert.make_interpreter(path)
        fixed_batch = tflite_checks.is_batch_fixed(interpreter)
        if fixed_batch:  # or batches were tried when it was freed
            tflite_checks.check_batches(path, recipe)
        facts = Facts(
            operators=len(flatbuffer.operators(path)),
            undelegated=delegation.undelegated(interpreter),
            kept_in_float=facts_of.kept_in_float(path, recipe),
            fixed_batch=fixed_batch,
            baseline=baseline,
        )
        return Converted(path, facts)

    def _converted(
        self, recipe: Recipe, images: np.ndarray | None = None, float32: str | None = None
    ) -> str:
        """Returns the path of a model whose batch is free if it can be."""
        try:
            path, other = (self._convert(recipe, images, size) for size in _BATCH_SIZES)
            flatbuffer.finish(path, float32, (other, _BATCH_SIZES))
            tflite_checks.check_batches(path, recipe)
        except (FixedBatchError, BatchError):
            path = self._convert(recipe, images, 1)
            flatbuffer.finish(path, float32)
        return path

    def _convert(self, recipe: Recipe, images: np.ndarray | None, batch_size: int) -> str:
        kind = "integers" if recipe.integer_activations else "floats"
        source = os.path.join(self._folder.name, f"{kind}_{batch_size}")
        inference = rules.for_tflite(self._inference, recipe.integer_activations)
        if not os.path.exists(source):
            self._save_source(source, inference, batch_size)
        if images is not None and batch_size == _BATCH_SIZES[1]:
            images = images[:1]  # to find the batch in it, the ranges do not matter
        destination = tempfile.mkdtemp(dir=self._folder.name)
        try:
            return tflite_rewriter.rewrite(source, destination, recipe, images, batch_size)
        except tflite_rewriter.ConverterFailedError as error:
            task = self._trained.network.task
            pixels = jax.ShapeDtypeStruct((batch_size, task.num_pixels), np.float32)
            traced = jax.make_jaxpr(inference)(self._leaves, pixels)
            raise ConversionError(refusals.explained(error, traced)) from error

    def _save_source(self, directory: str, inference: Inference, batch_size: int) -> None:
        """Writes what TensorFlow converts: a SavedModel with nothing but the one signature."""
        module = tf.Module()
        module.leaves = [tf.Variable(leaf, trainable=False) for leaf in self._leaves]
        module.transform = self._trained.tft_output.transform_features_layer()
        converted = jax2tf.convert(inference, with_gradient=False)
        shape = [batch_size, self._trained.network.task.num_pixels]
        spec = tf.TensorSpec(shape, tf.float32, name=features.IMAGE_FLOATS)

        @tf.function(autograph=False, input_signature=[spec])
        def predict_images(image_floats: tf.Tensor) -> dict[str, tf.Tensor]:
            transformed = module.transform({features.IMAGE_FLOATS: image_floats})
            leaves = list(module.leaves)  # jax2tf knows no list that TensorFlow keeps track of
            return {features.LOGITS: converted(leaves, transformed[features.IMAGE_NORMALIZED])}

        tf.saved_model.save(module, directory, signatures={litert.SIGNATURE: predict_images})


def _check_loops(float32: str, recipe: Recipe) -> None:
    """TFLite's converter ends the whole process when it is to quantize a loop."""
    model = flatbuffer.read_model(float32)
    graph = model.subgraphs[0]
    for operator, name in zip(graph.operators, flatbuffer.operator_names(model), strict=True):
        if name in ("WHILE", "IF", "STABLEHLO_CASE"):
            place = facts_of.described({name: (graph.tensors[operator.outputs[0]].name.decode(),)})
            raise ConversionError(
                f"the recipe {recipe.name} cannot be made of a network with {place}; "
                f"{refusals.way_out(name)}"
            )
