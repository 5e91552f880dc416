"""The Trainer's `run_fn`: trains once, and writes both formats into one Model artifact."""

import dataclasses
from pathlib import Path

import numpy as np
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from modules import features, tuner
from modules.examples import tf_examples
from modules.examples.images import Images
from modules.export import conversion_record, logit_checks, recipes, saved_model, tflite
from modules.export.reusable import round_trip
from modules.export.trained import Trained
from modules.inference import litert
from modules.training import loop, plan, visible
from modules.training.job import TrainingJob
from modules.training.saved import checkpoint_folder, checkpoints, trained_parameters, variables

_CHECKED_EXAMPLES = 1000


def run_fn(fn_args: FnArgs) -> None:
    """Trains the network once and exports it as a SavedModel and as a TFLite model.

    Where trained parameters are given, these are exported instead. A TFLite model that cannot be
    made or fails a check is recorded as refused; see `conversion_record`.

    Args:
      fn_args: TFX's; `custom_config` is a `TrainingJob`, and `hyperparameters` are the better
        values that a Tuner found, if there is one.

    Raises:
      ValueError: a hyperparameter is not a field of `TrainConfig`.
      data.errors.ConfigError: the model, or the parameters that were given, will not do.
      divergence.TrainingDivergedError: the loss left the range of a sound training.
      logit_checks.ExportMismatchError: the SavedModel does not compute what JAX does.
    """
    job = TrainingJob.from_config(fn_args.custom_config)
    if fn_args.hyperparameters:
        values = fn_args.hyperparameters["values"]
        job = dataclasses.replace(job, train=tuner.tuned(job.train, values))
        print(f"  hyperparameters of the best trial: {tuner.described(values)}")
    tft_output = tft.TFTransformOutput(fn_args.transform_output)
    raw_images, labels = tf_examples.load_raw(fn_args.train_files, job.train.max_bytes)
    images = raw_images.then(tf_examples.normalizer(tft_output))
    network = job.network()
    if job.params:
        given = trained_parameters.read_trained(job.params, network.shapes())
        for line in (f"nothing is trained: the parameters are of {job.params}", *given.notes):
            print(f"  {line}")
        found, saved = given.variables, None
        _, checked = plan.split_rows(labels, job.train)
    else:
        key = checkpoints.training_key(images, labels, job)
        folder = checkpoint_folder.folder()
        saved = checkpoints.Checkpoints(folder, key, lambda line: print(f"  {line}"))
        result = visible.train(network, images, labels, job.train, fn_args.model_run_dir, saved)
        found, checked = result.variables, result.validation_rows
    trained = Trained(network, found, tft_output)
    rows = checked[:_CHECKED_EXAMPLES]
    _export(trained, fn_args.serving_model_dir, images, raw_images, rows, job.batch_sizes)
    if saved:
        saved.remove()


def _export(
    trained: Trained,
    directory: str,
    images: Images,
    raw_images: Images,
    checked: np.ndarray,
    batch_sizes: tuple[int, ...],
) -> None:
    """Writes both formats into a folder, and beside it what the Quantizers start from.

    Args:
      trained: what is exported.
      directory: the artifact's Format-Serving.
      images: normalised.
      raw_images: the same before Transform's graph.
      checked: int64[V], rows on which the formats are compared with JAX.
      batch_sizes: of the SavedModel; none for any.
    """
    artifact = Path(directory).parent
    variables.save_variables(artifact, trained.variables)
    (artifact / features.TASK_FILE).write_text(trained.network.task.to_json())
    expected = loop.predict(trained.network, trained.variables, images[checked])
    for lack in saved_model.save_saved_model(trained, directory, batch_sizes):
        print(f"  {lack}")
    found = saved_model.predict_saved_model(directory, raw_images[checked])
    logit_checks.check_logits("SavedModel", expected, found)
    round_trip.check_calls(directory, raw_images[checked], expected)
    with conversion_record.recorded(directory, recipes.FLOAT32.name) as record:
        converted = tflite.save_tflite(trained, recipes.FLOAT32, directory)
        record.facts = converted.facts
        found = litert.predict(converted.path, raw_images[checked])
        logit_checks.check_logits("TFLite model", expected, found, recipes.FLOAT32)
