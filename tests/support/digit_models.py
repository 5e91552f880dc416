"""A network trained on a few real digits, and its models, each made when it is asked for."""

import shutil
from functools import cached_property
from pathlib import Path

import apache_beam as beam
import numpy as np
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

from data.dataset import Dataset
from data.digits import make_digits
from data.finding.opening import open_data
from data.splits import Split
from modules import features
from modules.examples import tf_examples
from modules.export import conversion_record, saved_model, tflite
from modules.export.personalize import bases, package
from modules.export.personalize.bases import Base
from modules.export.recipes import FLOAT32, RECIPES
from modules.export.trained import Trained
from modules.models import cnn
from modules.models.network import Network
from modules.models.protocol import Variables
from modules.personal.options import Options
from modules.preprocessing import preprocessing_fn
from modules.training import loop
from modules.training.config import TrainConfig
from modules.training.saved.variables import save_variables
from pipeline.config import IN_MEMORY

NUM_IMAGES = 200


def analyze(raw_images: np.ndarray, path: Path) -> tft.TFTransformOutput:
    """Makes the Transform graph of raw images float32[N, pixels], below a folder."""
    spec = schema_utils.schema_from_feature_spec(tf_examples.raw_feature_spec(raw_images.shape[1]))
    rows = [
        {features.IMAGE_FLOATS: image, features.IMAGE_CLASS: np.array([0])} for image in raw_images
    ]
    with (
        beam.Pipeline(argv=list(IN_MEMORY)) as pipeline,
        tft_beam.Context(temp_dir=str(path / "scratch")),
    ):
        data = pipeline | beam.Create(rows), dataset_metadata.DatasetMetadata(spec)
        graph = data | tft_beam.AnalyzeDataset(preprocessing_fn)
        _ = graph | tft_beam.WriteTransformFn(str(path / "graph"))
    return tft.TFTransformOutput(str(path / "graph"))


class DigitModels:
    """All of it lies below one folder."""

    def __init__(self, folder: Path):
        self._folder = folder

    @cached_property
    def files(self) -> Dataset:
        """The digits as IDX files."""
        make_digits(self._folder / "digits")
        return open_data(self._folder / "digits")

    @cached_property
    def images(self) -> np.ndarray:
        """The first of them, raw float32[200, 784] in [0, 1]."""
        return self.files.features(Split.TRAIN, 0, NUM_IMAGES)[0]

    @cached_property
    def normalized(self) -> np.ndarray:
        """What the network takes for `images`, computed without the Transform graph."""
        pixels = self.images.astype(np.float64)
        return ((pixels - pixels.mean()) / pixels.std()).astype(np.float32)

    @cached_property
    def tft_output(self) -> tft.TFTransformOutput:
        """The Transform graph of `images`."""
        (self._folder / "transform").mkdir()
        return analyze(self.images, self._folder / "transform")

    @cached_property
    def network(self) -> Network:
        """The default model for the digits."""
        return Network(cnn.MODEL, self.files.task)

    @cached_property
    def variables(self) -> Variables:
        """Trained on `images`, since the answers of fresh parameters are too close to call."""
        labels = self.files.features(Split.TRAIN, 0, NUM_IMAGES)[1]
        # So many steps, and the images as they are: for logits as far apart as those of all MNIST.
        as_they_are = {"max_rotation": 0.0, "max_shift": 0.0, "max_scaling": 0.0}
        config = TrainConfig(batch_size=32, learning_rate=0.05, **as_they_are)
        return loop.train(self.network, self.normalized, labels, config).variables

    @cached_property
    def trained(self) -> Trained:
        """The network with its variables and its graph."""
        return Trained(self.network, self.variables, self.tft_output)

    @cached_property
    def logits(self) -> np.ndarray:
        """What JAX computes for `images`, float32[200, 10]."""
        return loop.predict(self.network, self.variables, self.normalized)

    @cached_property
    def server_dir(self) -> str:
        """The artifact of `trained`, as the Trainer writes it: SavedModel and float32 model."""
        artifact = self._folder / "model"
        save_variables(artifact, self.variables)
        (artifact / features.TASK_FILE).write_text(self.network.task.to_json())
        directory = str(artifact / "Format-Serving")
        saved_model.save_saved_model(self.trained, directory)
        float32 = self.converted[FLOAT32.name]
        shutil.copy(float32.path, Path(directory, features.TFLITE_FILE))
        conversion_record.record(directory, facts=float32.facts)
        return directory

    @cached_property
    def base(self) -> Base:
        """All of `trained` but its last layer, the base of personal models."""
        return bases.of_network(self.trained, f"{bases.LAST}1", str(self._folder / "base"))

    @cached_property
    def personal_package(self) -> Path:
        """A personal model of `trained`: a softmax head with three outputs for new classes."""
        labels = self.files.features(Split.TRAIN, 0, NUM_IMAGES)[1]
        folder = self._folder / "personal"
        folder.mkdir()
        options = Options(spare_classes=3)
        labelled = self.base.features(self.images), labels
        package.write(folder, self.base, self.files.task, "cnn", options, labelled)
        return folder

    @cached_property
    def converted(self) -> dict[str, tflite.Converted]:
        """The device models of `trained`, by recipe, and what is known of them."""
        found: dict[str, tflite.Converted] = {}
        for name, recipe in RECIPES.items():
            float32 = found[FLOAT32.name].path if found else None
            found[name] = tflite.save_tflite(
                self.trained, recipe, str(self._folder / name), self.images[::4], float32
            )
        return found

    @cached_property
    def tflite_paths(self) -> dict[str, str]:
        """The files of `converted`."""
        return {name: converted.path for name, converted in self.converted.items()}
