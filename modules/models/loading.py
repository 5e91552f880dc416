"""Finds the model that the setting MODEL names: one of this folder, or a file of the user's."""

import difflib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import flax.linen
import flax.nnx

from data.errors import ConfigError, shown
from modules.models.checks import check
from modules.models.protocol import Model
from modules.models.user_code import fault, has_model, line_of_variable
from modules.provenance.fingerprint import fingerprint
from modules.provenance.import_closure import Code

__all__ = ["check", "digest", "is_name", "load", "names"]

_FOLDER = Path(__file__).parent
_PACKAGE = "modules.models"
_VARIABLE = "MODEL"


def names() -> list[str]:
    """Returns the names of the models of this project."""
    return sorted(path.stem for path in _FOLDER.glob("*.py") if has_model(path))


def is_name(text: str) -> bool:
    """Returns whether a text is to be the name of a model, and not the path of a file."""
    return not text.endswith(".py") and "/" not in text


def module_of(text: str) -> str:
    """Returns the dotted name of a model's module, "" for that of a file."""
    return f"{_PACKAGE}.{text}" if is_name(text) else ""


def load(text: str) -> Model:
    """Returns the model of a name, or of a Python file.

    A file is run as Python runs a script: it finds the modules that lie beside it.

    Args:
      text: a name of `names`, or a path that ends in ".py" or has a slash.

    Raises:
      ConfigError: there is none, or the file is broken, or its variable MODEL is no model.
    """
    path = _path(text)
    try:
        module = importlib.import_module(module_of(text)) if is_name(text) else _run(path)
    except (Exception, SystemExit) as error:  # whatever a user's code raises
        raise fault(error, str(path)) from error
    if not hasattr(module, _VARIABLE):
        raise ConfigError(_missing(path, module))
    found = getattr(module, _VARIABLE)
    if not isinstance(found, Model) or isinstance(found, type):
        line = line_of_variable(path, _VARIABLE)
        raise ConfigError(
            f"MODEL: {path}, line {line}: {_VARIABLE} is {_described(found)}, expected a model; "
            f"{_advice(found)}"
        )
    return found


def digest(text: str, code: Code | None = None) -> str:
    """Returns 64 hexadecimal digits that change with a model's code, and with what it imports.

    Args:
      text: as for `load`.
      code: as it is on the disk; None reads it now.

    Raises:
      ConfigError: there is no such model.
    """
    path = _path(text)
    return fingerprint([module_of(text) or path], code)


def _path(text: str) -> Path:
    """Returns the file of a model, which is there, or raises ConfigError."""
    if is_name(text):
        if text in (known := names()):
            return _FOLDER / f"{text}.py"
        near = difflib.get_close_matches(text, known, 1)
        raise ConfigError(
            f"MODEL: there is no model {shown(text)!r}"
            + (f"; did you mean {near[0]!r}?" if near else ";")
            + f" expected one of {', '.join(known)}, or the path of a Python file"
        )
    try:
        if not text.isprintable():
            raise ValueError("it has characters that no line can show")
        path = Path(text).expanduser().absolute()
        if path.is_file():
            return path
        kind = "is a folder, not a file" if path.is_dir() else "does not exist"
        beside = [each.name for each in path.parent.glob("*.py")]
    except (OSError, RuntimeError, ValueError) as error:  # too long, no such user
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"MODEL: {shown(text)!r} is no path: {reason}") from error
    near = difflib.get_close_matches(path.name, beside, 1)
    advice = f"; did you mean {path.parent / near[0]}?" if near else ""
    raise ConfigError(f"MODEL: {shown(str(path))} {kind}{advice}")


def _run(path: Path) -> ModuleType:
    """Runs a file as a module of its own, with what lies beside it as it is now."""
    for name in Code().closure([path]).files:  # of another model, maybe
        if name.partition(".")[0] not in ("data", "modules", "pipeline", "tests"):
            sys.modules.pop(name, None)
    name = "model_file_" + re.sub(r"\W", "_", path.stem)
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses look for it
    with _first_on_path(str(path.parent)):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _first_on_path(folder: str) -> Iterator[None]:
    """Has Python look for modules in a folder first; and last, later on, for imports in functions.

    There, a name that a library wants is not taken for one of the user's.
    """
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)


def _missing(path: Path, module: ModuleType) -> str:
    """Returns what to say of a file without the variable."""
    models = [name for name, value in vars(module).items() if isinstance(value, Model)]
    if models := [name for name in models if not isinstance(vars(module)[name], type)]:
        line = line_of_variable(path, models[0])
        return f"MODEL: {path}, line {line}: a model is called {models[0]}; call it {_VARIABLE}"
    last = path.read_bytes().count(b"\n")
    return (
        f"MODEL: {path} has no variable {_VARIABLE} in its {last} lines; end it with one, such as "
        f"{_VARIABLE} = linen(lambda task: Net(task.num_classes))"
    )


def _described(found: Any) -> str:
    kind = "the class" if isinstance(found, type) else "of the type"
    name = found if isinstance(found, type) else type(found)
    return f"{kind} {name.__module__}.{name.__qualname__}"


def _advice(found: Any) -> str:
    """Returns how to make a model of what somebody took for one."""
    kind = found if isinstance(found, type) else type(found)
    if issubclass(kind, flax.linen.Module):
        return f"wrap it: {_VARIABLE} = linen(lambda task: {kind.__name__}(...))"
    if issubclass(kind, flax.nnx.Module):
        return f"wrap it: {_VARIABLE} = nnx_model(lambda task, rngs: {kind.__name__}(...))"
    if callable(found):
        return f"wrap it: {_VARIABLE} = pure(init, {getattr(found, '__name__', 'apply')})"
    return "make it by linen(...), nnx_model(...) or pure(...) of modules.models"
