"""Optimizers of a training on the device, by name. Any of optax's would do."""

import math
from collections.abc import Callable

import optax

from data.errors import ConfigError, shown

OPTIMIZERS: dict[str, Callable[[float], optax.GradientTransformation]] = {
    "sgd": optax.sgd,
    "momentum": lambda learning_rate: optax.sgd(learning_rate, momentum=0.9),
    "adam": optax.adam,
}
LEARNING_RATES = {"sgd": 0.05, "momentum": 0.01, "adam": 0.001}


def make_optimizer(name: str, learning_rate: float | None) -> optax.GradientTransformation:
    """Returns an optimizer.

    Args:
      name: of OPTIMIZERS.
      learning_rate: None for that of LEARNING_RATES.

    Raises:
      ConfigError: there is no such optimizer, or the learning rate is not positive.
    """
    if name not in OPTIMIZERS:
        raise ConfigError(
            f"optimizer {shown(name)!r}: there is none such; expected {', '.join(OPTIMIZERS)}"
        )
    rate = LEARNING_RATES[name] if learning_rate is None else learning_rate
    if not (rate > 0 and math.isfinite(rate)):
        raise ConfigError(f"learning rate {rate}: expected a number above 0")
    return OPTIMIZERS[name](rate)
