"""The Quantizer component: converts the Trainer's model by one more recipe."""

import json
import os

import tensorflow_transform as tft
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, TransformGraph
from tfx.utils import path_utils

from data.splits import Split
from modules import features
from modules.examples import tf_examples as example_files
from modules.export import conversion_record, logit_checks, tflite
from modules.export.recipes import RECIPES
from modules.export.trained import Trained
from modules.inference import litert
from modules.training import loop
from modules.training.job import TrainingJob
from modules.training.saved import variables

_SAMPLED_EXAMPLES = 1500  # all for the check
_MAX_SAMPLE_BYTES = 256 << 20  # of larger images there are fewer
_REPRESENTATIVE = slice(None, None, 3)  # of them; the ranges settle after a few hundred images


@component
def Quantizer(  # noqa: N802 - components are named as classes
    examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    model: InputArtifact[Model],
    job: Parameter[str],
    recipe: Parameter[str],
    quantized_model: OutputArtifact[Model],
):
    """Converts the variables that lie beside the SavedModel; nothing is trained.

    If the model cannot be converted, fails a check or is further from JAX than the recipe allows,
    it is recorded as refused, with the reason, and no file is written; see `conversion_record`.

    Args:
      examples: the train split, for the ranges of activations and for the check.
      transform_graph: the one that the Trainer was given.
      model: the Trainer's.
      job: JSON, the Trainer's `TrainingJob`.
      recipe: a name in `modules.export.recipes.RECIPES`.
      quantized_model: a model with `Format-Serving/tflite`, as TFMA looks for it.
    """
    chosen = RECIPES[recipe]
    network = TrainingJob.from_config(json.loads(job)).network()
    tft_output = tft.TFTransformOutput(transform_graph.uri)
    trained = Trained(network, variables.load_variables(model.uri, network.shapes()), tft_output)
    sample, _ = example_files.load_sample(
        [os.path.join(examples.path(split=Split.TRAIN), "*")],
        min(_SAMPLED_EXAMPLES, _MAX_SAMPLE_BYTES // (4 * network.task.num_pixels)),
    )
    directory = path_utils.serving_model_path(quantized_model.uri)
    os.makedirs(directory)
    pixels = example_files.normalize(sample, tft_output)
    expected = loop.predict(network, trained.variables, pixels)
    served = path_utils.serving_model_path(model.uri)
    float32 = os.path.join(served, features.TFLITE_FILE)
    with conversion_record.recorded(directory, recipe) as record:
        converted = tflite.save_tflite(
            trained,
            chosen,
            directory,
            sample[_REPRESENTATIVE],
            None if conversion_record.refusal(served) else float32,
        )
        record.facts = converted.facts
        found = litert.predict(converted.path, sample)
        logit_checks.check_logits(f"{recipe} model", expected, found, chosen)
