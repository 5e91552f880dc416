"""Checks of a personal model after its conversion: what no runtime would tell."""

import jax
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.python import schema_py_generated as schema

from modules import features, personal_names
from modules.export.graph import flatbuffer
from modules.export.graph.flatbuffer import ConversionError
from modules.inference import litert
from modules.personal.training_step import TrainingStep

STEPS = 10
TOLERANCE = 1e-5  # of parameters and state, between TFLite and JAX
MOST_EXTRA_BYTES = 120 << 10  # beyond the base and the head's own parameters


def check(
    model: schema.ModelT, content: bytes, step: TrainingStep, batch_size: int, base_bytes: int
) -> float:
    """Raises ConversionError unless a file does what the step does in JAX.

    All of its operators are TFLite's own; its signatures take and give what they should, by name;
    it is not larger than base, head and a little; and after steps on data drawn at random,
    parameters and state are those of JAX.

    Args:
      model: the file as objects.
      content: the same as bytes.
      step: that it was made of.
      batch_size: that its training takes.
      base_bytes: of the base alone.

    Returns:
      The largest difference to JAX that was found.
    """
    for graph in model.subgraphs:
        names = flatbuffer.operator_names(model, graph)
        if custom := sorted({name for name in names if name.startswith("CUSTOM:")}):
            raise ConversionError(f"the personal model has operators that not all have: {custom}")
    own = sum(leaf.nbytes for leaf in map(np.asarray, jax.tree.leaves(step.params)))
    if len(content) > base_bytes + own + MOST_EXTRA_BYTES:
        raise ConversionError(
            f"the personal model has {len(content):,} bytes, expected at most "
            f"{base_bytes + own + MOST_EXTRA_BYTES:,} with a base of {base_bytes:,} and a head of "
            f"{own:,}"
        )
    interpreter = litert.make_interpreter(content)
    _check_names(interpreter, step)
    return _check_steps(interpreter, step, batch_size)


def _check_names(interpreter: Interpreter, step: TrainingStep) -> None:
    values, params = set(step.initial()), set(step.parameter_names())
    batch = {features.FEATURES, personal_names.LABELS}
    expected = {
        personal_names.BOTTLENECK: ({features.IMAGE_FLOATS}, {features.FEATURES}),
        personal_names.INFER: ({features.FEATURES, *params}, {features.LOGITS}),
        personal_names.TRAIN_STEP: (batch | values, values | {personal_names.LOSS}),
        personal_names.INITIAL: (set(), values),
    }
    found = {
        name: (set(borders["inputs"]), set(borders["outputs"]))
        for name, borders in interpreter.get_signature_list().items()
    }
    if found != expected:
        raise ConversionError(f"the personal model has the signatures {found}, not {expected}")


def _check_steps(interpreter: Interpreter, step: TrainingStep, batch_size: int) -> float:
    by_jax, by_tflite = step.initial(), interpreter.get_signature_runner(personal_names.INITIAL)()
    runner = interpreter.get_signature_runner(personal_names.TRAIN_STEP)
    in_jax = jax.jit(step.step)
    random = np.random.default_rng(0)
    worst = 0.0
    for number in range(STEPS + 1):
        for name, value in by_jax.items():
            difference = float(np.abs(by_tflite[name] - np.asarray(value)).max(initial=0))
            worst = max(worst, difference)
            if not difference <= TOLERANCE:
                raise ConversionError(
                    f"after {number} steps, {name} of the personal model differs from JAX by "
                    f"{difference:.2g} (at most {TOLERANCE:g})"
                )
        rows = np.abs(random.normal(size=(batch_size, step.size))).astype(np.float32)
        classes = random.integers(0, step.num_classes, batch_size)
        batch = {
            features.FEATURES: rows,
            personal_names.LABELS: np.eye(step.num_classes, dtype=np.float32)[classes],
        }
        by_tflite = runner(**batch, **by_tflite)
        by_jax = dict(in_jax(*batch.values(), by_jax))
        for values in (by_tflite, by_jax):
            values.pop(personal_names.LOSS)
    return worst
