"""A personal model's signatures as functions, which refuse what would go wrong in silence."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from modules import personal_names as names
from modules.features import FEATURES, IMAGE_FLOATS, LOGITS
from modules.inference import litert
from modules.inference.personal.errors import PersonalError
from modules.inference.personal.manifest import Manifest

Values = Mapping[str, np.ndarray]  # parameters and the optimizer's state by name
_Tensors = dict[str, str]  # dtype and shape by name


class Signatures:
    """The four signatures of a TFLite file."""

    def __init__(self, content: bytes, manifest: Manifest, num_threads: int = 1):
        """Loads the file, and runs the signature `initial`.

        Args:
          content: of the file.
          manifest: of its package.
          num_threads: of the interpreter.

        Raises:
          PersonalError: this is no TFLite file, or not one that the manifest describes.
        """
        self._classes = manifest.num_classes
        self._file = manifest.file
        try:
            interpreter = litert.make_interpreter(content, num_threads)
            signatures = interpreter.get_signature_list()
            needed = (names.BOTTLENECK, names.INFER, names.TRAIN_STEP, names.INITIAL)
            if missing := [name for name in needed if name not in signatures]:
                raise PersonalError(f"{self._file} has no signature {missing[0]}")
            self._runners = {name: interpreter.get_signature_runner(name) for name in needed}
            self.initial: Values = self._runners[names.INITIAL]()
        except PersonalError:
            raise
        except (RuntimeError, ValueError) as error:
            raise PersonalError(f"{self._file} is no TFLite file of use: {error}") from error
        self._check_form(manifest)

    def features(self, image: np.ndarray) -> np.ndarray:
        """Returns the features float32[size] of an image float32[pixels] in [0, 1].

        Raises:
          PersonalError: they are not finite.
        """
        features = self._runners[names.BOTTLENECK](**{IMAGE_FLOATS: image[np.newaxis]})
        return _finite(features[FEATURES][0], "the model gives features")

    def logits(self, features: np.ndarray, values: Values) -> np.ndarray:
        """Returns the logits float32[classes] of features float32[size].

        Raises:
          PersonalError: they are not finite.
        """
        params = {name: array for name, array in values.items() if name.startswith(names.PARAMS)}
        found = self._runners[names.INFER](**{FEATURES: features[np.newaxis]}, **params)
        return _finite(found[LOGITS][0], "the model gives logits")

    def train_step(
        self, features: np.ndarray, labels: np.ndarray, values: Values
    ) -> tuple[dict[str, np.ndarray], float]:
        """Returns the values after a step, and the loss before it.

        Args:
          features: float32[B, size].
          labels: float32[B, classes], one-hot times the weight of the row.
          values: are not changed.

        Raises:
          PersonalError: a row of `labels` does not say one class, or there is anything in the
            features or in what comes of them that is not finite.
        """
        # Runtimes take integers for the bits of floats, which are then as good as 0.
        if labels.dtype != np.float32:
            raise PersonalError(f"labels are {labels.dtype}, expected float32 rows, one-hot")
        positive = np.count_nonzero(labels > 0, axis=1) == 1
        if not (positive & (np.count_nonzero(labels, axis=1) == 1)).all():
            raise PersonalError("labels have a row that does not name one class with a weight")
        _finite(features, "there are features to train on")
        _finite(labels, "there are labels to train on")
        batch = {FEATURES: features, names.LABELS: labels}
        found = self._runners[names.TRAIN_STEP](**batch, **values)
        loss = float(_finite(found.pop(names.LOSS), "a training step gives a loss"))
        for name, value in found.items():
            _finite(value, f"a training step gives {name}")
        return found, loss

    def _check_form(self, manifest: Manifest) -> None:
        """Raises PersonalError unless the tensors are those that the manifest describes."""
        size, classes, batch = manifest.features, manifest.num_classes, manifest.batch_size
        values = {name: _tensor(value.dtype, value.shape) for name, value in self.initial.items()}
        params = {name: each for name, each in values.items() if name.startswith(names.PARAMS)}
        one, logits = _floats(1, size), _floats(1, classes)
        rows = {FEATURES: _floats(batch, size), names.LABELS: _floats(batch, classes)}
        forms: dict[str, tuple[_Tensors, _Tensors]] = {
            names.BOTTLENECK: (
                {IMAGE_FLOATS: _floats(1, manifest.task.num_pixels)},
                {FEATURES: one},
            ),
            names.INFER: ({FEATURES: one, **params}, {LOGITS: logits}),
            names.TRAIN_STEP: ({**rows, **values}, {**values, names.LOSS: _floats()}),
        }
        for signature, expected in forms.items():
            run = self._runners[signature]
            found = run.get_input_details(), run.get_output_details()
            for details, tensors in zip(found, expected, strict=True):
                if (form := _form(details)) != tensors:
                    odd = min(set(form.items()) ^ set(tensors.items()), key=str)[0]
                    raise PersonalError(
                        f"{self._file}, signature {signature}: the tensor {odd} is "
                        f"{form.get(odd, 'not there')}, its package's manifest wants "
                        f"{tensors.get(odd, 'none')}; take the package anew"
                    )


def _floats(*shape: int) -> str:
    return _tensor(np.dtype(np.float32), shape)


def _tensor(dtype: np.dtype, shape: Iterable[int]) -> str:
    return f"{dtype}{[int(length) for length in shape]}"


def _form(details: Mapping[str, Mapping[str, Any]]) -> _Tensors:
    return {name: _tensor(np.dtype(each["dtype"]), each["shape"]) for name, each in details.items()}


def _finite(array: np.ndarray, what: str) -> np.ndarray:
    """Returns an array of finite numbers, or raises PersonalError."""
    if not np.isfinite(array).all():
        raise PersonalError(f"{what} that are not finite")
    return array
