"""How TFMA runs TFLite models: in whole batches, and with an error where a feature is missing.

TFMA's own extractor runs without XNNPACK, collects each example by itself, truncates what it
quantizes, and feeds -1 in place of a feature that it does not find.
"""

import math

import apache_beam as beam
import numpy as np
import tfx.components  # noqa: F401 - TFMA imports completely only after it

# isort: split
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.extractors import tflite_predict_extractor
from tensorflow_model_analysis.utils import model_util
from tfx_bsl.tfxio import tensor_adapter

from modules.inference import litert


def custom_extractors(
    eval_shared_model: tfma.types.MaybeMultipleEvalSharedModels,
    eval_config: tfma.EvalConfig,
    tensor_adapter_config: tensor_adapter.TensorAdapterConfig | None = None,
) -> list[tfma.extractors.Extractor]:
    """Returns TFMA's extractors with this module's in place of its TFLite one.

    TFX's Evaluator calls this function when the module is its `module_path`.

    Args:
      eval_shared_model: a TFLite model, or a list of candidate and baseline.
      eval_config: with a model spec for each of them.
      tensor_adapter_config: how features are laid out, from the schema.
    """
    predict = tflite_predict_extractor.TFLitePredictExtractor(
        eval_config=eval_config, eval_shared_model=eval_shared_model, do_fn=PredictionDoFn
    )
    return tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
        custom_predict_extractor=predict,
    )


@beam.typehints.with_input_types(tfma.types.Extracts)
@beam.typehints.with_output_types(tfma.types.Extracts)
class PredictionDoFn(model_util.DoFnWithModels):
    """Adds the predictions of one or two TFLite models to batches of extracts."""

    def __init__(
        self,
        eval_config: tfma.EvalConfig,
        eval_shared_models: dict[str, tfma.types.EvalSharedModel],
    ):
        """Takes what TFMA gives; the models carry all that is needed of the config."""
        del eval_config
        super().__init__({name: model.model_loader for name, model in eval_shared_models.items()})

    def setup(self) -> None:
        """Loads the models, once for each worker."""
        super().setup()
        self._runners = {
            name: litert.BatchRunner(litert.make_interpreter(model.contents, litert.NUM_THREADS))
            for name, model in self._loaded_models.items()
        }

    def process(self, element: tfma.types.Extracts) -> list[tfma.types.Extracts]:
        """Returns the batch with predictions.

        They are float32[N, classes], or where there are two models a dict of that by their names.

        Raises:
          ValueError: an input of a model is not a feature, or an example has no value for it.
        """
        batch = element[tfma.FEATURES_KEY]
        predictions = {name: _predict(run, batch) for name, run in self._runners.items()}
        # TFMA calls a model "" when it is the only one.
        return [{**element, tfma.PREDICTIONS_KEY: predictions.get("", predictions)}]


def _predict(
    run: litert.BatchRunner, batch: dict[str, np.ndarray]
) -> np.ndarray | dict[str, np.ndarray]:
    """Returns the outputs by name, or the array alone where the model has one output."""
    outputs = run(
        {name: _values(batch, name, entry["shape"]) for name, entry in run.inputs.items()}
    )
    return outputs if len(outputs) > 1 else next(iter(outputs.values()))


def _values(batch: dict[str, np.ndarray], name: str, shape: np.ndarray) -> np.ndarray:
    """Returns a feature in the shape of the model's input, [N, *shape[1:]], or raises ValueError.

    TFMA gives features without a value in some example as other types, or as arrays of objects.
    """
    if name not in batch:
        raise ValueError(f"the model's input '{name}' is not among {sorted(batch)}")
    values, size = batch[name], math.prod(shape[1:])
    is_whole = isinstance(values, np.ndarray) and values.size == len(values) * size
    if not is_whole or (values.dtype == object and any(value is None for value in values.flat)):
        raise ValueError(
            f"feature '{name}', an input of the model, does not have {size} values in each of the "
            f"examples of a batch: {values}"
        )
    return values.reshape(-1, *shape[1:])
