"""Finds the files that a module can import, wherever Python finds them, without importing any.

Imports inside functions count, and so do modules that are named in a string, which is how TFX is
told of its callbacks. Existing tools would miss what users keep beside a model: `modulefinder` of
the standard library fails on folders without an `__init__.py`, and grimp needs to be told of
whole packages.
"""

import ast
import functools
import hashlib
import importlib
import importlib.util
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from itertools import accumulate
from pathlib import Path
from pkgutil import iter_modules
from types import MappingProxyType
from typing import NamedTuple

from data.files import PROJECT_ROOT, file_sha256

_OURS = ("data", "modules", "pipeline")
_INSTALLED = {"site-packages", "dist-packages"}
_STANDARD_LIBRARY = [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib")]
_CACHES = {"__pycache__", "cache"}  # beside our code, and none of it
_DOTTED_NAME = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)+")


class Closure(NamedTuple):
    """What a module can import, itself included.

    Attributes:
      files: digests by name: of modules that are no part of an installed package, and of the files
        beside them that they name.
      packages: top-level names of all else that is imported.
    """

    files: dict[str, str]
    packages: frozenset[str]


class _Module(NamedTuple):
    """What one file of ours, or of the user's, holds; nothing is told of an installed one."""

    files: Mapping[str, str] = MappingProxyType({})
    folders: Sequence[str] = ()  # of a package
    imported: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()  # in strings


_IS_INSTALLED = _Module()


class Code:
    """The code that can be imported, as it is on the disk now; each file is read once."""

    def __init__(self, root: Path = PROJECT_ROOT):
        """Looks for modules in `root`, the project's folder, and then where Python does."""
        importlib.invalidate_caches()
        self._path = [str(root), *sys.path]
        self._modules: dict[str, _Module | None] = {}
        self._entries: dict[Path, frozenset[str]] = {}
        self._read: set[Path] = set()

    def closure(self, names: Iterable[str | Path]) -> Closure:
        """Returns what the modules of these names can import, directly or not.

        Args:
          names: dotted; that of something in a module stands for the module. Or the path of a file
            that is run by itself, and finds modules beside it before all others but ours.

        Raises:
          OSError: such a file cannot be read.
        """
        files: dict[str, str] = {}
        packages, seen, waiting = set(), set(), []
        for name in names:
            if isinstance(name, Path):
                module = self._file(name.absolute())
                files |= module.files
                waiting += module.imported
                waiting += [other for other in module.named if self._is_written_here(other)]
            else:
                waiting.append(name)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            package, _, _ = name.rpartition(".")
            if package:  # Python runs its __init__.py first
                waiting.append(package)
            if name.endswith(".*") and (module := self._module(package)):
                waiting += [f"{package}.{found.name}" for found in iter_modules(module.folders)]
            module = self._module(name)
            if module is _IS_INSTALLED:
                packages.add(name.partition(".")[0])
            elif module:
                files |= module.files
                waiting += module.imported
                waiting += [other for other in module.named if self._is_written_here(other)]
        return Closure(files, frozenset(packages))

    def changed_since(self, moment: float) -> list[Path]:
        """Returns those of the files read so far that were written after a time, as time.time()."""
        return sorted(path for path in self._read if path.stat().st_mtime > moment)

    def named_in(self, text: str) -> set[str]:
        """Returns the dotted names in a text of modules of ours or the user's, or in those."""
        return {name for name in _DOTTED_NAME.findall(text) if self._is_written_here(name)}

    def _is_written_here(self, name: str) -> bool:
        """Returns whether the name begins with that of a file of ours or the user's."""
        parts = accumulate(name.split("."), "{}.{}".format)
        return any(module.files for part in parts if (module := self._module(part)))

    def _module(self, name: str) -> _Module | None:
        """Returns what there is of that name, None when there is nothing."""
        if name not in self._modules:
            self._modules[name] = self._find(name)
        return self._modules[name]

    def _find(self, name: str) -> _Module | None:
        package, _, last = name.rpartition(".")
        path = self._path
        if package:
            parent = self._module(package)
            if parent is None or parent is _IS_INSTALLED:
                return parent
            path = list(parent.folders)
        # By its full name, a folder without __init__.py would want its parent to be imported.
        spec = PathFinder.find_spec(last, path) or _by_other_finders(name, path)
        if spec is None:
            return None
        if not _counts(name, spec):
            return _IS_INSTALLED
        folders = list(spec.submodule_search_locations or ())
        if not spec.has_location:  # a folder without __init__.py
            return _Module(folders=folders)
        content = spec.loader.get_data(spec.origin)
        return self._held(name, Path(spec.origin), content, folders, name if folders else package)

    def _file(self, path: Path) -> _Module:
        """Returns what a file holds, and looks for modules in its folder from now on."""
        if (folder := str(path.parent)) not in self._path:
            self._path.insert(1, folder)
            self._modules.clear()
        # Of no package, and none of ours, whatever it is called.
        return self._held(f"./{path.name}", path, path.read_bytes(), [], "")

    def _held(
        self, name: str, path: Path, content: bytes, folders: list[str], package: str
    ) -> _Module:
        """Returns what a module holds, whose file has this content."""
        if path.is_file():  # and not in a zip file
            self._read.add(path)
        files = {name: hashlib.sha256(content).hexdigest()}
        imported, strings = _read(content, package)
        for text in strings:
            files |= self._files_beside(name, path.parent, text)
        named = {text for text in strings if _DOTTED_NAME.fullmatch(text)}
        return _Module(files, folders, imported, frozenset(named))

    def _files_beside(self, name: str, folder: Path, text: str) -> dict[str, str]:
        """Returns digests of the file that a module names, or of those in a folder of ours."""
        if folder not in self._entries:
            there = [path.name for path in folder.iterdir()] if folder.is_dir() else []
            self._entries[folder] = frozenset(there) - _CACHES
        if text.partition("/")[0] not in self._entries[folder]:
            return {}
        place = folder / text
        # A user's folder may hold anything, and as much of it.
        found = place.rglob("*") if _is_ours(name) and not _is_package(place) else ()
        read = [path for path in found if path.suffix not in (".py", ".pyc")]
        read = [path for path in (place, *read) if path.is_file()]
        self._read.update(read)
        return {f"{name}:{path.relative_to(folder).as_posix()}": file_sha256(path) for path in read}


def _by_other_finders(name: str, path: list[str]) -> ModuleSpec | None:
    """Asks those of editable installs, for one."""
    found = (finder.find_spec(name, path) for finder in sys.meta_path)
    return next((spec for spec in found if spec), None)


def _counts(name: str, spec: ModuleSpec) -> bool:
    """Returns whether a module counts by its content; what is installed does by its version."""
    if _is_ours(name):
        return True
    if not spec.has_location:
        return bool(spec.submodule_search_locations)
    folders = Path(spec.origin).absolute().parents
    resolved = Path(spec.origin).resolve().parents
    return not _INSTALLED & {folder.name for folder in folders} and not any(
        folder in resolved for folder in _STANDARD_LIBRARY
    )


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in _OURS


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").exists()


@functools.cache
def _read(content: bytes, package: str) -> tuple[frozenset[str], frozenset[str]]:
    """Returns the names that a file's content imports, and its strings."""
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):  # compiled, or broken: it imports nothing that shows
        return frozenset(), frozenset()
    imported, strings = set(), set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                imported |= {alias.name for alias in aliases}
            case ast.ImportFrom(module=module, names=aliases, level=level):
                try:
                    module = importlib.util.resolve_name("." * level + (module or ""), package)
                except ImportError:  # above the top
                    continue
                # What is taken from a module may be a module, too.
                imported |= {module, *(f"{module}.{alias.name}" for alias in aliases)}
            case ast.Constant(value=str(text)):
                strings.add(text)
    return frozenset(imported), frozenset(strings)
