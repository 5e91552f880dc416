"""A SavedModel in memory, as a function from images to logits."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from serve.server.model.pushed import RefusedError

# Of TensorFlow Serving's names; the first that takes images is used.
PREDICT_IMAGES = "predict_images"
SERVING_DEFAULT = "serving_default"
# Of a model that takes any number: more go through it in several parts.
LARGEST_BATCH = 128


class SavedModel:
    """A loaded version.

    Attributes:
      input: the name of its only input, float32[B, pixels].
      output: the name of its only output, float32[B, classes].
      signature: the name of the signature that has both.
      pixels: numbers in an image.
      classes: numbers in an answer.
      takes_examples: whether another signature takes serialized tf.Examples.
      batch_sizes: the only ones that it takes, ascending; () for any.
    """

    def __init__(self, folder: Path):
        """Loads it, which takes a while.

        Raises:
          RefusedError: it does not load, or takes or gives something else.
        """
        try:
            loaded = tf.saved_model.load(str(folder))
        except Exception as error:  # whatever TensorFlow makes of a damaged file
            raise RefusedError(f"TensorFlow does not load it ({_first_line(error)})") from error
        self.signature, self._function = _images_signature(loaded)
        [(self.input, spec)] = self._function.structured_input_signature[1].items()
        [(self.output, answer)] = self._function.structured_outputs.items()
        self.pixels, self.classes = int(spec.shape[1]), int(answer.shape[1])
        self.takes_examples = _takes_examples(loaded)
        self.batch_sizes = fixed_batch_sizes(loaded)
        self._loaded = loaded  # its variables live as long as it

    def logits(self, images: np.ndarray) -> np.ndarray:
        """Returns what the model gives for images.

        Args:
          images: float32[B, pixels], of any B from 1.

        Returns:
          float32[B, classes].
        """
        return in_batches(self._run, images, self.batch_sizes, LARGEST_BATCH)

    def warm_up(self) -> None:
        """Has TensorFlow compile what requests will need.

        Raises:
          RefusedError: the model does not answer, or not in finite numbers.
        """
        powers = [2**power for power in range(LARGEST_BATCH.bit_length())]
        for size in self.batch_sizes or powers:
            try:
                logits = self.logits(np.zeros((size, self.pixels), np.float32))
            except Exception as error:  # of TensorFlow, in any of its classes
                raise RefusedError(
                    f"it fails on {size} black images ({_first_line(error)})"
                ) from error
            if logits.shape != (size, self.classes) or not np.isfinite(logits).all():
                raise RefusedError(
                    f"for {size} black images it gives {logits.dtype}{list(logits.shape)}, not "
                    f"float32[{size}, {self.classes}] of finite numbers"
                )

    def _run(self, images: np.ndarray) -> np.ndarray:
        return self._function(**{self.input: tf.constant(images)})[self.output].numpy()


def fixed_batch_sizes(loaded: Any) -> tuple[int, ...]:
    """Returns the batch sizes that a loaded object is made for, ascending; () for any.

    It is made for some when it can be called, and each of its concrete functions takes images in a
    batch of one size.
    """
    call = getattr(loaded, "__call__", None)  # noqa: B004 - it is asked for what it is made of
    functions = getattr(call, "concrete_functions", ())
    sizes = set()
    for function in functions:
        tensors = [
            spec
            for spec in tf.nest.flatten(function.structured_input_signature)
            if isinstance(spec, tf.TensorSpec) and spec.shape.rank
        ]
        if not tensors or tensors[0].shape[0] is None:
            return ()
        sizes.add(int(tensors[0].shape[0]))
    return tuple(sorted(sizes))


def in_batches(
    run: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    sizes: tuple[int, ...],
    largest: int,
) -> np.ndarray:
    """Runs a model on any number of images.

    Args:
      run: the model; it takes images of one of `sizes`.
      images: float32[B, pixels].
      sizes: ascending; () for any up to `largest`.
      largest: see above.

    Returns:
      What `run` gave for the images, float32[B, classes]. What does not fit into the largest size
      is split; what is left is padded with black images to the smallest size that holds it.
    """
    limit = sizes[-1] if sizes else largest
    answers = []
    for start in range(0, len(images), limit):
        part = images[start : start + limit]
        size = next((size for size in sizes if size >= len(part)), len(part))
        padded = np.pad(part, ((0, size - len(part)), (0, 0))) if size > len(part) else part
        answers.append(run(padded)[: len(part)])
    return answers[0] if len(answers) == 1 else np.concatenate(answers)


def _images_signature(loaded: Any) -> tuple[str, Any]:
    """Returns the signature from images to one output, and its name; raises RefusedError."""
    signatures = getattr(loaded, "signatures", {})
    for name in (PREDICT_IMAGES, SERVING_DEFAULT):
        function = signatures.get(name)
        if function is None:
            continue
        inputs = list(function.structured_input_signature[1].values())
        outputs = list(function.structured_outputs.values())
        if all(
            len(specs) == 1
            and specs[0].dtype == tf.float32
            and specs[0].shape.rank == 2
            and specs[0].shape[1] is not None
            for specs in (inputs, outputs)
        ):
            return name, function
    raise RefusedError(
        f"it has no signature {PREDICT_IMAGES} or {SERVING_DEFAULT} from one float32[B, pixels] to "
        f"one float32[B, classes], but {sorted(signatures) or 'none at all'}"
    )


def _takes_examples(loaded: Any) -> bool:
    function = loaded.signatures.get(SERVING_DEFAULT)
    specs = list(function.structured_input_signature[1].values()) if function else []
    return [spec.dtype for spec in specs] == [tf.string]


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
