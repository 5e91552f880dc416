"""What a personal model is to be: what of it is trained on the device, and how."""

import dataclasses

from modules.personal.optimizers import LEARNING_RATES

ALL = "all"  # trained on the device: the whole network
LAST = "last:"  # or as many of its layers, as last:2
# Where the optimizer's own is not best: with it, a softmax head learns new classes too slowly, and
# an MLP forgets too much for a few samples. Measured on simulated people, see
# benchmarks/personalization.py.
_RATES = {("softmax", "sgd"): 0.1, ("softmax", "adam"): 0.004, ("mlp", "momentum"): 0.003}
_SLOWER = 0.1  # of the learning rate of a head: what layers of the network itself are trained by


def is_layers(text: str) -> bool:
    """Returns whether a text names layers of the network itself: ALL, or LAST and a number."""
    number = text.removeprefix(LAST)
    return text == ALL or (number != text and number.isdecimal())


@dataclasses.dataclass(frozen=True)
class Options:
    """What to make.

    Attributes:
      trains: the head, "softmax", "mlp" or the path of a Python file; or "last:N" or "all" for the
        layers of the network itself.
      optimizer: of `OPTIMIZERS`.
      learning_rate: None for the optimizer's own.
      batch_size: images of a training step.
      spare_classes: outputs beside those of the task, for new classes.
      seed: of fresh parameters.
    """

    trains: str = "softmax"
    optimizer: str = "sgd"
    learning_rate: float | None = None
    batch_size: int = 20
    spare_classes: int = 0
    seed: int = 0

    @property
    def trains_layers(self) -> bool:
        """Whether layers of the network itself are trained, and no new head."""
        return is_layers(self.trains)

    @property
    def layers(self) -> str:
        """The layers that are not in the base: those that are trained, or the last for a head."""
        return self.trains if self.trains_layers else f"{LAST}1"

    @property
    def rate(self) -> float:
        """The learning rate."""
        if self.learning_rate is not None:
            return self.learning_rate
        rate = LEARNING_RATES.get(self.optimizer, 0.0)
        if self.trains_layers:
            return rate * _SLOWER
        return _RATES.get((self.trains, self.optimizer), rate)
