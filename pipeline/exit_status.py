"""With what status commands end."""

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

from data.errors import DataError
from pipeline.errors import ConfigError

# A command that does all that it should ends with 0.
FAILED, WRONG_SETTING, NOT_BLESSED = 1, 2, 3

_Arguments = ParamSpec("_Arguments")


def tells_wrong_settings(main: Callable[_Arguments, int]) -> Callable[_Arguments, int]:
    """Decorates `main`: a wrong setting, or wrong data, is told in a line and by WRONG_SETTING."""

    @functools.wraps(main)
    def told(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> int:
        try:
            return main(*args, **kwargs)
        except (ConfigError, DataError) as error:
            print(f"error: {error}", file=sys.stderr)
            return WRONG_SETTING

    return told
