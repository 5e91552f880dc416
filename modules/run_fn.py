"""The Trainer's `run_fn`: trains once, and writes both formats into one Model artifact."""

import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from modules import tuner
from modules.examples import tf_examples
from modules.export import conversion_record, logit_checks, recipes, saved_model, tflite
from modules.inference import litert
from modules.training import checkpoint_folder, checkpoints, loop, visible
from modules.training.config import TrainConfig

_CHECKED_EXAMPLES = 1000


def run_fn(fn_args: FnArgs) -> None:
    """Trains the network once and exports it as a SavedModel and as a TFLite model.

    A TFLite model that cannot be made or fails a check is recorded as refused; see
    `conversion_record`.

    Args:
      fn_args: TFX's; `custom_config` holds the fields of `TrainConfig`, and `hyperparameters` the
        better values that a Tuner found, if there is one.

    Raises:
      ValueError: a hyperparameter is not a field of `TrainConfig`.
      divergence.TrainingDivergedError: the loss left the range of a sound training.
      logit_checks.ExportMismatchError: the SavedModel does not compute what JAX does.
    """
    config = TrainConfig(**fn_args.custom_config)
    if fn_args.hyperparameters:
        values = fn_args.hyperparameters["values"]
        config = tuner.tuned(config, values)
        print(f"  hyperparameters of the best trial: {tuner.described(values)}")
    tft_output = tft.TFTransformOutput(fn_args.transform_output)
    raw_images, labels = tf_examples.load_raw(fn_args.train_files, config.max_bytes)
    images = raw_images.then(tf_examples.normalizer(tft_output))

    key = checkpoints.training_key(images, labels, config)
    folder = checkpoint_folder.folder()
    saved = checkpoints.Checkpoints(folder, key, lambda line: print(f"  {line}"))
    result = visible.train(images, labels, config, fn_args.model_run_dir, saved)

    checked = result.validation_rows[:_CHECKED_EXAMPLES]
    expected = loop.predict(result.params, images[checked])
    serving_dir = fn_args.serving_model_dir
    saved_model.save_saved_model(result.params, tft_output, serving_dir)
    saved_model_logits = saved_model.predict_saved_model(serving_dir, raw_images[checked])
    logit_checks.check_logits("SavedModel", expected, saved_model_logits)
    with conversion_record.recorded(serving_dir, recipes.FLOAT32.name):
        tflite_path = tflite.save_tflite(result.params, tft_output, recipes.FLOAT32, serving_dir)
        tflite_logits = litert.predict(tflite_path, raw_images[checked])
        logit_checks.check_logits("TFLite model", expected, tflite_logits, recipes.FLOAT32)
    saved.remove()
