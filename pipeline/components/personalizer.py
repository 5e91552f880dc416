"""The Personalizer component: a model that is trained on the device, of the Trainer's."""

import json
import os
import tempfile
from pathlib import Path

import tensorflow_transform as tft
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Examples, Model, TransformGraph
from tfx.utils import path_utils

from data.errors import ConfigError
from data.splits import Split
from modules.examples import tf_examples as example_files
from modules.export.graph.flatbuffer import ConversionError
from modules.export.personalize import bases, package
from modules.export.trained import Trained
from modules.personal.options import Options
from modules.training.job import TrainingJob
from modules.training.saved import variables
from pipeline.verdict import refusals

_LABELLED = 5000  # training images for a fresh head, and for the replay
_SPARE_CLASSES = 5  # outputs for classes that people add


@component
def Personalizer(  # noqa: N802 - components are named as classes
    examples: InputArtifact[Examples],
    transform_graph: InputArtifact[TransformGraph],
    model: InputArtifact[Model],
    job: Parameter[str],
    head: Parameter[str],
    optimizer: Parameter[str],
    personal_model: OutputArtifact[Model],
):
    """Writes the package of a personal model; see docs/personalization.md.

    If TFLite cannot express it, or it does not train as JAX does, the reason is written instead.

    Args:
      examples: the train split.
      transform_graph: the one that the Trainer was given.
      model: the Trainer's.
      job: JSON, the Trainer's `TrainingJob`.
      head: as `Options.trains` has it.
      optimizer: of `modules.personal.optimizers`.
      personal_model: the package, as Format-Serving.
    """
    asked = TrainingJob.from_config(json.loads(job))
    network = asked.network()
    trained = Trained(
        network,
        variables.load_variables(model.uri, network.shapes()),
        tft.TFTransformOutput(transform_graph.uri),
    )
    layers = Options(head).trains_layers
    options = Options(head, optimizer, spare_classes=0 if layers else _SPARE_CLASSES)
    images, labels = example_files.load_sample(
        [os.path.join(examples.path(split=Split.TRAIN), "*")], _LABELLED
    )
    folder = Path(path_utils.serving_model_path(personal_model.uri))
    folder.mkdir(parents=True)
    try:
        with tempfile.TemporaryDirectory() as aside:
            base = bases.of_network(trained, options.layers, aside)
            labelled = base.features(images), labels
            package.write(folder, base, network.task, Path(asked.model).stem, options, labelled)
    except (ConversionError, ConfigError) as error:
        refusals.write(personal_model.uri, " ".join(str(error).split()))
