"""How a network is told whether it is being trained, as people spell it."""

import inspect
from collections.abc import Callable

# The names of an argument, and its value in training.
_SPELLINGS = {"train": True, "training": True, "is_training": True, "deterministic": False}


def switches(function: Callable, training: bool) -> dict[str, bool]:
    """Returns the arguments that tell a function so; none for one that does not ask."""
    asked = _SPELLINGS.keys() & inspect.signature(function).parameters.keys()
    return {name: _SPELLINGS[name] == training for name in asked}
