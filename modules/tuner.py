"""The Tuner's `tuner_fn`: short trainings that look for hyperparameters of the long one."""

import dataclasses
import math
import time
from collections.abc import Mapping
from typing import Any

import keras_tuner
import numpy as np
import tensorflow_transform as tft
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.errors import FatalRuntimeError
from keras_tuner.oracles import BayesianOptimizationOracle
from rich import progress
from rich.console import Console
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx.components.tuner.component import TunerFnResult

from modules.examples import tf_examples
from modules.models.network import Network
from modules.training import divergence, feed, loop
from modules.training.config import TrainConfig
from modules.training.job import TrainingJob
from modules.training.plan import split_rows

Values = Mapping[str, Any]  # fields of TrainConfig, by name


class TrialError(FatalRuntimeError):
    """A trial failed otherwise than by diverging, which ends the search."""


def search_space(config: TrainConfig, labels: np.ndarray) -> keras_tuner.HyperParameters:
    """Returns what is searched: fields of TrainConfig, with those of `config` as their defaults.

    The ranges lie around the values of `config`, so that they move with it.

    Args:
      config: how trials are trained otherwise.
      labels: int[N] of the train split; no batch is larger than what is trained on.

    Raises:
      ValueError: there are too few examples.
    """
    train_rows, _ = split_rows(labels, config)
    space = keras_tuner.HyperParameters()
    rate, batch, momentum = config.learning_rate, config.batch_size, config.momentum
    space.Float("learning_rate", rate / 4, rate * 4, sampling="log", default=rate)
    sizes = sorted({max(1, batch // 2), batch, batch * 2, batch * 4})
    fitting = [size for size in sizes if size <= len(train_rows)] or [len(train_rows)]
    space.Choice("batch_size", fitting, default=min(batch, fitting[-1]))
    space.Float("momentum", min(0.8, momentum), max(0.95, momentum), default=momentum)
    return space


def tuned(config: TrainConfig, values: Values) -> TrainConfig:
    """Returns the config with these values in place of its own.

    Raises:
      ValueError: TrainConfig has no field of such a name.
    """
    known = [field.name for field in dataclasses.fields(config)]
    if unknown := sorted(values.keys() - set(known)):
        raise ValueError(
            f"there is no hyperparameter {unknown[0]!r}; expected fields of TrainConfig: "
            f"{', '.join(known)}"
        )
    return dataclasses.replace(config, **values)


def described(values: Values) -> str:
    """Returns the values as one line for people."""
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())


def tuner_fn(fn_args: FnArgs) -> TunerFnResult:
    """Returns the search, and the arrays that it trains on: those of the train split alone.

    Args:
      fn_args: TFX's; `custom_config` is the `TrainingJob` of a trial, and how many "trials" to
        make.

    Raises:
      data.errors.ConfigError: the model will not do.
      ValueError: there are too few examples.
    """
    job = TrainingJob.from_config(fn_args.custom_config)
    config, trials = job.train, fn_args.custom_config["trials"]
    raw_images, labels = tf_examples.load_raw(fn_args.train_files, config.max_bytes)
    tft_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    images = raw_images.then(tf_examples.normalizer(tft_output))
    space = search_space(config, labels)
    search = Search(job.network(), config, space, trials, fn_args.working_dir)
    return TunerFnResult(tuner=search, fit_kwargs={"images": images, "labels": labels})


class _DefaultsFirst(BayesianOptimizationOracle):
    """Tries the config's own values first, so that the best ones are never worse than they."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Returns the status and the values of a new trial, as KerasTuner wants them."""
        if self.trials:
            return super().populate_space(trial_id)
        defaults = {parameter.name: parameter.default for parameter in self.hyperparameters.space}
        return {"status": TrialStatus.RUNNING, "values": defaults}


class Search(BaseTuner):
    """KerasTuner's search, with our training as its trial and a line on the terminal for each.

    The same config, space and data give the same trials.
    """

    def __init__(
        self,
        network: Network,
        config: TrainConfig,
        space: keras_tuner.HyperParameters,
        trials: int,
        working_dir: str,
    ):
        """Prepares the search.

        Args:
          network: that is trained.
          config: how trials are trained, but for what is in the space.
          space: fields of TrainConfig, with defaults for the first trial.
          trials: how many to make, at least 1.
          working_dir: where KerasTuner keeps notes, which nobody needs afterwards.
        """
        self._network, self._config = network, config
        self._diverged = 0
        oracle = _DefaultsFirst(
            # The loss and not the accuracy: on few validation images many trials share the latter.
            objective=keras_tuner.Objective("validation_loss", "min"),
            max_trials=trials,
            hyperparameters=space,
            seed=config.seed or 2**32 - 1,  # KerasTuner takes 0 for none, and draws one
        )
        oracle.verbose = 0
        super().__init__(oracle, directory=working_dir, project_name="search", overwrite=True)

    def search_space_summary(self, extended: bool = False) -> None:
        """Prints nothing, where KerasTuner prints many lines; TFX calls it."""

    def results_summary(self, num_trials: int = 10) -> None:
        """Prints nothing, where KerasTuner prints many lines; TFX calls it."""

    def run_trial(self, trial: Trial, images: feed.Images, labels: np.ndarray) -> float:
        """Trains once and returns the validation loss, in nats.

        Training that diverges counts as guessing: KerasTuner learns nothing from a failed trial,
        and would try its neighbours next.

        Args:
          trial: holds the values to train with.
          images: normalised float32[N, num_pixels].
          labels: int64[N].

        Raises:
          TrialError: the training failed otherwise.
        """
        values = trial.hyperparameters.values
        title = f"  trial {len(self.oracle.trials)}/{self.oracle.max_trials}: {described(values)}"
        started = time.monotonic()
        try:
            with _spinner(title):
                result = loop.train(self._network, images, labels, tuned(self._config, values))
        except divergence.TrainingDivergedError:
            self._diverged += 1
            print(f"{title}: diverged, {time.monotonic() - started:.1f} s")
            return math.log(max(2, self._network.task.num_classes))
        except Exception as error:
            # All but a fatal error KerasTuner would only print, and go on.
            raise TrialError(f"{title.strip()}: {type(error).__name__}: {error}") from error
        kept = result.history[result.epoch - 1]
        print(
            f"{title}: validation loss {kept.validation_loss:.4f}, "
            f"accuracy {kept.validation_accuracy:.2%}, {time.monotonic() - started:.1f} s"
        )
        return kept.validation_loss

    def on_search_end(self) -> None:
        """Raises TrainingDivergedError when every trial did."""
        if self._diverged == len(self.oracle.trials):
            raise divergence.TrainingDivergedError(
                f"training diverged in every trial ({self._diverged}); lower learning_rate (now "
                f"{self._config.learning_rate:g}) or look for bad values in the data"
            )


def _spinner(text: str) -> progress.Progress:
    """Returns what shows on a terminal that a trial is running, and for how long."""
    console = Console(stderr=True)
    spinner = progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.SpinnerColumn(),
        progress.TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    spinner.add_task(text)
    return spinner
