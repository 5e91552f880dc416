"""Where in a user's own code something went wrong."""

import ast
import functools
import inspect
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path

from data.errors import ConfigError, shown
from data.files import PROJECT_ROOT

_MODELS = Path(__file__).parent
_INSTALLED = {"site-packages", "dist-packages"}
_STANDARD_LIBRARY = Path(sysconfig.get_path("stdlib")).resolve()


def fault(error: BaseException, place: str) -> ConfigError:
    """Returns what to tell of an exception: the innermost line of the user's own, and its message.

    Args:
      error: as it was caught.
      place: where to look if no line of the user's was running.
    """
    lines = [line for line in str(error).splitlines() if line.strip()]
    message = shown(lines[0].strip()) if lines else ""
    if isinstance(error, SyntaxError) and error.filename:
        place, message = f"{error.filename}, line {error.lineno}", error.msg
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if _is_users(Path(frame.filename))]
        if own:
            place = f"{own[-1].filename}, line {own[-1].lineno}"
    return ConfigError(f"MODEL: {place}: {type(error).__name__}: {message}".removesuffix(": "))


def place_of(function: Callable) -> str:
    """Returns the file and the line that a function or a class begins at, for people."""
    while isinstance(function, functools.partial):
        function = function.func
    function = inspect.unwrap(function)
    try:
        file = inspect.getsourcefile(function) or "?"
        return f"{file}, line {max(1, inspect.getsourcelines(function)[1])}"
    except (OSError, TypeError):  # of something else that can be called
        kind = type(function)
        return f"{kind.__module__}.{kind.__qualname__}"


def line_of_variable(path: Path, name: str) -> int:
    """Returns the line that last gives a value to a variable at a file's top level, 0 if none."""
    lines = [
        node.lineno for node in ast.parse(path.read_bytes()).body if name in _names_given_by(node)
    ]
    return max(lines, default=0)


def _names_given_by(node: ast.stmt) -> set[str]:
    """Returns the variables that a statement gives values to."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {alias.asname or alias.name for alias in aliases}
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    return {target.id for target in targets if isinstance(target, ast.Name)}


def has_model(path: Path) -> bool:
    """Returns whether a file of this folder is a model that can be named."""
    return line_of_variable(path, "MODEL") > 0


def _is_users(path: Path) -> bool:
    """Returns whether a file is one that users write, or edit: a model, or what is beside it."""
    if not path.is_absolute() or _INSTALLED & set(path.parts):
        return False
    if path.is_relative_to(PROJECT_ROOT / "modules"):
        return path.parent == _MODELS and has_model(path)
    return _STANDARD_LIBRARY not in path.resolve().parents
