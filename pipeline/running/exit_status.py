"""The line and the status that commands end with where something of the user's is wrong."""

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

from data.errors import FAILED, WRONG_SETTING, ConfigError, DataError
from pipeline.running import console, environment

_Arguments = ParamSpec("_Arguments")


def tells_wrong_settings(main: Callable[_Arguments, int]) -> Callable[_Arguments, int]:
    """Decorates `main`, which then tells in a line why it ends early.

    The environment is prepared before. A wrong setting, or wrong data, gives WRONG_SETTING; an
    interruption, or a reader of the output who is gone, gives FAILED.
    """

    @functools.wraps(main)
    def told(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> int:
        try:
            environment.prepare()
            return main(*args, **kwargs)
        except (ConfigError, DataError) as error:
            print(f"error: {error}", file=sys.stderr)
            return WRONG_SETTING
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return FAILED
        except BrokenPipeError as error:
            is_ours = console.let_go_of_closed_pipes()
            reason = "nobody reads the output any more" if is_ours else error
            print(f"error: {reason}", file=sys.stderr)
            return FAILED

    return told
