"""The one config object: what a user can choose, checked before any work starts."""

import dataclasses
import os
from pathlib import Path

from data.dataset import Dataset
from modules.export.recipes import RECIPES
from modules.inference.runtimes.catalogue import RUNTIMES
from modules.training.config import TrainConfig
from pipeline.verdict.limits import Limits
from pipeline.verdict.personal.limits import PersonalLimits

# An image is for workers elsewhere. Without one, TFX packs itself anew in every component, for
# workers that might not have it; those on this machine do.
NO_PACKING = "--sdk_container_image=none"
# In this process, with one thread: the fastest on one small machine. Named, since what Beam calls
# DirectRunner is Prism where it can be: a server that it downloads, and runs without a check.
IN_MEMORY = (
    "--runner=FnApiRunner",
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
    NO_PACKING,
)


@dataclasses.dataclass(frozen=True)
class PipelineConfig:
    """Everything `create_pipeline` needs to know.

    Attributes:
      dataset: the checked files that ExampleGen reads.
      output: absolute path of the folder that a run writes to.
      train: how to train.
      recipes: names of the device models to make, evaluate and ship; see modules/export/recipes.py.
      limits: what a model must reach to be pushed.
      beam_args: options for Beam; see pipeline/beam/engines.py.
      tuner_trials: how many short trainings search for the hyperparameters; 0 for none.
      trial_epochs: epochs of each trial, but no more than `train` has.
      metadata: URL of the database with ML Metadata, without a password; "" for SQLite.
      name: of the pipeline; "" for one made from the data set's name.
      root: where TFX keeps artifacts, a path or a URI; "" for a folder of `output`.
      push_to: where models are pushed to, a path or a URI; "" for `output`.
      data_uri: where ExampleGen finds the files of `dataset`; "" for where they are here.
      stage_beam: whether components that run on Beam also work on local copies of artifacts in an
        object store; must be False where Beam's workers are on other machines.
      has_metadata_store: whether TFX can ask ML Metadata for earlier runs; not on Kubeflow.
      model: what to train: the name of one in modules/models/, or the path of a Python file.
      params: path of trained parameters that are exported instead of training; "" to train.
      batch_sizes: that the SavedModel takes, in rising order; none for any.
      personalize: head and optimizer of a model that is trained on the device; () for none.
      personal_limits: what that has to reach.
      runtimes: in which each device model is run, by their names in
        modules/inference/runtimes/catalogue.py; () to leave that out.
      parity_images: on how many of the test images; 0 for all.
    """

    dataset: Dataset
    output: Path
    train: TrainConfig = dataclasses.field(default_factory=TrainConfig)
    recipes: tuple[str, ...] = tuple(RECIPES)
    limits: Limits = dataclasses.field(default_factory=Limits)
    beam_args: tuple[str, ...] = IN_MEMORY
    tuner_trials: int = 0
    trial_epochs: int = 3
    metadata: str = ""
    name: str = ""
    root: str = ""
    push_to: str = ""
    data_uri: str = ""
    stage_beam: bool = True
    has_metadata_store: bool = True
    model: str = "cnn"
    params: str = ""
    batch_sizes: tuple[int, ...] = ()
    personalize: tuple[str, ...] = ()
    personal_limits: PersonalLimits = dataclasses.field(default_factory=PersonalLimits)
    runtimes: tuple[str, ...] = tuple(RUNTIMES)
    parity_images: int = 256

    @property
    def pipeline_name(self) -> str:
        """The pipeline's name in ML Metadata and in `tfx` commands.

        Runs of one name share a history: the cache, and the last blessed model.
        """
        return self.name or f"mnist-jax-{self.dataset.name}"

    @property
    def pipeline_root(self) -> str:
        """Where TFX keeps artifacts, a path or a URI."""
        return self.root or str(self.output / "pipeline")

    @property
    def data_folder(self) -> str:
        """Where ExampleGen finds the data set's files, a path or a URI."""
        return self.data_uri or str(self.dataset.location)

    @property
    def metadata_file(self) -> Path:
        """ML Metadata's SQLite file, which is there unless `metadata` says otherwise."""
        return self.output / "metadata.db"

    @property
    def metadata_location(self) -> str:
        """Where ML Metadata is: a URL, or the path of the SQLite file."""
        return self.metadata or str(self.metadata_file)

    @property
    def serving_dir(self) -> str:
        """Where blessed SavedModels are pushed to, one folder a version; a path or a URI."""
        return os.path.join(self.push_to or self.output, "serving")

    @property
    def device_dir(self) -> str:
        """Where blessed TFLite models are pushed to, one folder a version; a path or a URI."""
        return os.path.join(self.push_to or self.output, "device")

    @property
    def personal_dir(self) -> str:
        """Where blessed personal models are pushed to, one folder a version; a path or a URI."""
        return os.path.join(self.push_to or self.output, "personal")

    @property
    def report_dir(self) -> Path:
        """Where the last run's report is copied to."""
        return self.output / "report"
