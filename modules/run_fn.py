"""The Trainer's `run_fn`: examples in, one training, one Model artifact with both formats out."""

import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from modules import (
    checkpoints,
    examples,
    export,
    export_checks,
    litert,
    recipes,
    training,
    tuner,
    visible_training,
)
from modules.train_config import TrainConfig

_CHECKED_EXAMPLES = 1000


def run_fn(fn_args: FnArgs) -> None:
    """Trains the network once and writes the SavedModel and the TFLite model that come of it.

    Args:
      fn_args: TFX's; `custom_config` holds the fields of `TrainConfig`, the `checkpoint_dir` and
        a digest, and `hyperparameters` what a Tuner, if there is one, found better.

    Raises:
      ValueError: a hyperparameter is no field of `TrainConfig`.
      divergence.TrainingDivergedError: the loss left the range of a training.
      flatbuffer.ConversionError: the TFLite model cannot be used.
      export_checks.ExportMismatchError: an exported model computes something else than JAX.
    """
    settings = dict(fn_args.custom_config)
    settings.pop("source_digest")
    checkpoint_dir = settings.pop("checkpoint_dir")
    config = TrainConfig(**settings)
    if fn_args.hyperparameters:
        values = fn_args.hyperparameters["values"]
        config = tuner.tuned(config, values)
        print(f"  hyperparameters of the best trial: {tuner.described(values)}")
    tft_output = tft.TFTransformOutput(fn_args.transform_output)
    raw_images, labels = examples.load_raw(fn_args.train_files, config.max_bytes)
    images = raw_images.then(examples.normalizer(tft_output))

    key = checkpoints.training_key(images, labels, config)
    saved = checkpoints.Checkpoints(checkpoint_dir, key, lambda line: print(f"  {line}"))
    result = visible_training.train(images, labels, config, fn_args.model_run_dir, saved)

    export.save_saved_model(result.params, tft_output, fn_args.serving_model_dir)
    tflite_path = export.save_tflite(
        result.params, tft_output, recipes.FLOAT32, fn_args.serving_model_dir
    )

    checked = result.validation_rows[:_CHECKED_EXAMPLES]
    expected = training.predict(result.params, images[checked])
    saved_model_logits = export.predict_saved_model(fn_args.serving_model_dir, raw_images[checked])
    export_checks.check_logits("SavedModel", expected, saved_model_logits)
    tflite_logits = litert.predict(tflite_path, raw_images[checked])
    export_checks.check_logits("TFLite model", expected, tflite_logits, recipes.FLOAT32)
    saved.remove()
