"""A model that is trained on the device, with its user's classes and images.

docs/personalization.md has what it reads and writes.
"""

import dataclasses
from collections.abc import Callable
from os import PathLike
from pathlib import Path

import numpy as np

from modules.inference.personal import manifest, replay, state
from modules.inference.personal.batches import Mixture
from modules.inference.personal.errors import PersonalError
from modules.inference.personal.images import as_floats
from modules.inference.personal.reservoir import Reservoir
from modules.inference.personal.signatures import Signatures
from modules.inference.personal.state import PersonalState


class PersonalModel:
    """A package `personal/<version>/`, with what its user's training made of it.

    The same calls give the same numbers, also where the state was saved and loaded in between.
    Images are not kept, but their features are. It is for one thread at a time.
    """

    def __init__(
        self,
        folder: str | PathLike[str],
        num_threads: int = 1,
        *,
        replay_share: float = 0.5,
        samples_per_class: int = 50,
        seed: int = 0,
    ):
        """Opens a package, as it is before any training.

        Args:
          folder: of the package.
          num_threads: that one invocation may use.
          replay_share: of a batch, by weight and by rows, that is the package's own images, where
            it has some; 0 trains on the user's alone.
          samples_per_class: of the user's that are kept.
          seed: of all that is drawn.

        Raises:
          PersonalError: the package is damaged, or there is no room for such a share in a batch.
        """
        self._manifest = manifest.read(Path(folder))
        content = manifest.read_file(Path(folder) / self._manifest.file, self._manifest.sha256)
        self._signatures = Signatures(content, self._manifest, num_threads)
        shipped = replay.read(Path(folder), self._manifest)
        self._replay = shipped if shipped and replay_share else None
        rows = self._manifest.batch_size
        replayed = round(rows * replay_share) if self._replay else 0
        if not (0 <= replayed < rows and bool(self._replay) == bool(replayed)):
            raise PersonalError(
                f"replay_share is {replay_share}, which of a batch of {rows} images leaves "
                f"{replayed} to the package's and {rows - replayed} to the user's; expected some"
            )
        self._mixture = Mixture(rows - replayed, replayed, self._manifest.num_classes)
        self._per_class, self._seed = samples_per_class, seed
        self.reset()

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that have a name, in the order of the outputs."""
        return self._class_names

    @property
    def step(self) -> int:
        """How many training steps were taken."""
        return self._step

    def reset(self) -> None:
        """Forgets all that the user's training made."""
        self._class_names = self._manifest.label_names
        self._step = 0
        self._values = self._signatures.initial
        self._reservoir = self._empty_reservoir()

    def add(self, image: np.ndarray, label: str) -> None:
        """Keeps an image's features to train on.

        Args:
          image: uint8, or floats in [0, 1]; of the task's shape, or flat.
          label: the name of its class; a new one takes the next free output.

        Raises:
          PersonalError: it is no image of the task's, or no output is free.
        """
        if not (isinstance(label, str) and label.strip()):
            raise PersonalError(f"the label is {label!r}, expected the name of a class")
        features = self._features(image)
        if label not in self._class_names:
            if len(self._class_names) == self._manifest.num_classes:
                raise PersonalError(
                    f"there is no output free for a class {label!r}: all "
                    f"{self._manifest.num_classes} have a name ({', '.join(self._class_names)})"
                )
            self._class_names = (*self._class_names, label)
        self._reservoir.add(features, self._class_names.index(label))

    def train(
        self, epochs: int, on_epoch: Callable[[int, float], None] | None = None
    ) -> list[float]:
        """Trains on what was added, and on the package's replay.

        Args:
          epochs: how often each of the user's samples is seen.
          on_epoch: is called with the number of an epoch, from 1, and its mean loss.

        Returns:
          The mean loss of each epoch.

        Raises:
          PersonalError: nothing was added, or a step gives numbers that are not finite: then the
            model is as it was before this step.
        """
        if not (isinstance(epochs, int) and epochs > 0):
            raise PersonalError(f"epochs is {epochs!r}, expected a whole number above 0")
        samples = self._reservoir.samples()
        if not len(samples):
            raise PersonalError("there is nothing to train on; add images first")
        means = []
        for epoch in range(1, epochs + 1):
            random = np.random.default_rng([self._seed, self._step])
            total = 0.0
            for batch in self._mixture.epoch(samples, self._replay, random):
                total += batch.size * self._take_step(batch.features, batch.labels)
            means.append(total / len(samples))
            if on_epoch:
                on_epoch(epoch, means[-1])
        return means

    def logits(self, image: np.ndarray) -> np.ndarray:
        """Returns all outputs for an image, float32[num_classes], free ones included.

        Raises:
          PersonalError: it is no image of the task's.
        """
        return self._signatures.logits(self._features(image), self._values)

    def infer(self, image: np.ndarray) -> dict[str, float]:
        """Returns the probability of each class that has a name, in [0, 1]; their sum is 1.

        Raises:
          PersonalError: it is no image of the task's.
        """
        logits = self.logits(image)[: len(self._class_names)].astype(np.float64)
        powers = np.exp(logits - logits.max())
        return dict(zip(self._class_names, (powers / powers.sum()).tolist(), strict=True))

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the state, in place of one that may be there.

        Raises:
          PersonalError: the disk refuses; what was there is untouched.
        """
        state.write(self._state(), Path(path))

    def load(self, path: str | PathLike[str]) -> None:
        """Takes a state that was saved, in place of the one that it has.

        Raises:
          PersonalError: the file is damaged, or of another model or version; then the one that it
            has stays.
        """
        fresh = dataclasses.replace(
            self._state(), class_names=self._manifest.label_names, values=self._signatures.initial
        )
        found = state.read(Path(path), fresh)
        reservoir = self._empty_reservoir()
        reservoir.restore(found.samples, found.seen)
        self._class_names, self._step = found.class_names, found.step
        self._values, self._reservoir = found.values, reservoir

    def _features(self, image: np.ndarray) -> np.ndarray:
        return self._signatures.features(as_floats(image, self._manifest.task))

    def _take_step(self, features: np.ndarray, labels: np.ndarray) -> float:
        try:
            values, loss = self._signatures.train_step(features, labels, self._values)
        except PersonalError as error:
            raise PersonalError(
                f"step {self._step + 1} was not taken: {error}; the model is as before it"
            ) from error
        self._values, self._step = values, self._step + 1
        return loss

    def _empty_reservoir(self) -> Reservoir:
        size, classes = self._manifest.features, self._manifest.num_classes
        return Reservoir(size, classes, self._per_class, self._seed)

    def _state(self) -> PersonalState:
        return PersonalState(
            model=self._manifest.model,
            model_sha256=self._manifest.sha256,
            class_names=self._class_names,
            step=self._step,
            values=self._values,
            samples=self._reservoir.samples(),
            seen=self._reservoir.seen,
        )
