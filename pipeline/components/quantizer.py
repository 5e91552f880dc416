"""The Quantizer component: converts the Trainer's model by one more recipe."""

import os

import tensorflow_transform as tft
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, TransformGraph
from tfx.utils import path_utils

from data.splits import Split
from modules.examples import tf_examples as example_files
from modules.export import conversion_record, logit_checks, saved_model, tflite
from modules.export.recipes import RECIPES
from modules.inference import litert
from modules.training import loop

_SAMPLED_EXAMPLES = 1500  # all for the check
_REPRESENTATIVE = slice(None, None, 3)  # of them; the ranges settle after a few hundred images


@component
def Quantizer(  # noqa: N802 - components are named as classes
    examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    model: InputArtifact[Model],
    recipe: Parameter[str],
    quantized_model: OutputArtifact[Model],
):
    """Converts the parameters that the SavedModel holds; nothing is trained.

    If the model cannot be converted, fails a check or is further from JAX than the recipe allows,
    it is recorded as refused, with the reason, and no file is written; see `conversion_record`.

    Args:
      examples: the train split, for the ranges of activations and for the check.
      transform_graph: the one that the Trainer was given.
      model: the Trainer's.
      recipe: a name in `modules.export.recipes.RECIPES`.
      quantized_model: a model with `Format-Serving/tflite`, as TFMA looks for it.
    """
    chosen = RECIPES[recipe]
    params = saved_model.load_params(path_utils.serving_model_path(model.uri))
    tft_output = tft.TFTransformOutput(transform_graph.uri)
    sample, _ = example_files.load_sample(
        [os.path.join(examples.path(split=Split.TRAIN), "*")], _SAMPLED_EXAMPLES
    )
    directory = path_utils.serving_model_path(quantized_model.uri)
    os.makedirs(directory)
    expected = loop.predict(params, example_files.normalize(sample, tft_output))
    with conversion_record.recorded(directory, recipe):
        tflite_path = tflite.save_tflite(
            params, tft_output, chosen, directory, sample[_REPRESENTATIVE]
        )
        found = litert.predict(tflite_path, sample)
        logit_checks.check_logits(f"{recipe} model", expected, found, chosen)
