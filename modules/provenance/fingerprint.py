"""The digest of the code that decides over a result: files, versions of packages, and Python's."""

import functools
import hashlib
import json
import platform
import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

from modules.provenance.import_closure import Code

# What a package uses where it is installed, without requiring it.
_PLUGINS = {"jax": "jax_plugins", "tensorflow": "tensorboard"}
_REQUIREMENT = re.compile(r"([\w.-]+)\s*(?:\[([^]]*)\])?")
_EXTRA = re.compile(r"\bextra\s*==\s*[\"']([^\"']+)")


def fingerprint(modules: Iterable[str | Path], code: Code | None = None) -> str:
    """Returns 64 hexadecimal digits that change with what the modules can import.

    Ours and what the user wrote count by their content, installed packages and all that they
    require by their versions. Where they are does not count.

    Args:
      modules: dotted names, or paths of files that are run by themselves.
      code: as it is on the disk, for those who ask several times; None reads it now.

    Raises:
      OSError: such a file cannot be read.
    """
    code, modules = code or Code(), list(modules)
    closure = code.closure(modules)
    found = versions(closure.packages)
    if editable := [module for name in found for module in _editable_modules(name)]:
        closure = code.closure([*modules, *editable])
        found = versions(closure.packages)
    facts = (sorted(closure.files.items()), sorted(found.items()), platform.python_version())
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


@functools.cache
def versions(packages: frozenset[str]) -> Mapping[str, str]:
    """Returns the versions of the distributions that hold packages, and of all that these require.

    Args:
      packages: names by which they are imported; what is in no distribution is left out.
    """
    held_by = _distributions_by_package()
    wanted = packages | {plugin for name, plugin in _PLUGINS.items() if name in packages}
    waiting = [(name, "") for package in wanted for name in held_by.get(package, ())]
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    while waiting:
        asked = waiting.pop()
        if asked in seen:
            continue
        seen.add(asked)
        name, extra = asked
        if version := _version(name):
            found[name] = version
            waiting += _requirements(name, extra)
    return found


@functools.cache
def _distributions_by_package() -> Mapping[str, list[str]]:
    """Returns the names of the distributions that hold each package; this takes half a second."""
    return {
        package: [_canonical(name) for name in names]
        for package, names in metadata.packages_distributions().items()
    }


@functools.cache
def _distribution(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


@functools.cache
def _version(name: str) -> str:
    """Returns a distribution's version, "" without one; what came from no index has more to it."""
    distribution = _distribution(name)
    if distribution is None:
        return ""
    if distribution.read_text("direct_url.json") is None:
        return distribution.version
    # Made from sources that somebody may edit under one version: RECORD has each file's digest.
    record = hashlib.sha256((distribution.read_text("RECORD") or "").encode())
    return f"{distribution.version} {record.hexdigest()}"


@functools.cache
def _requirements(name: str, extra: str) -> list[tuple[str, str]]:
    """Returns the (distribution, extra) that an extra requires; the extra "" is there always.

    Conditions on the platform are not asked: what does not meet them is not installed.
    """
    distribution = _distribution(name)
    required = []
    for text in (distribution and distribution.requires) or ():
        requirement, _, condition = text.partition(";")
        wanted_by = {_canonical(other) for other in _EXTRA.findall(condition)} or {""}
        if extra in wanted_by and (match := _REQUIREMENT.match(requirement.strip())):
            other, extras = match.groups()
            names = {"", *(each.strip() for each in (extras or "").split(","))}
            required += [(_canonical(other), _canonical(each)) for each in names]
    return required


@functools.cache
def _editable_modules(name: str) -> list[str]:
    """Returns the modules of a distribution that is installed editable, and none of another."""
    distribution = _distribution(name)
    origin = json.loads((distribution and distribution.read_text("direct_url.json")) or "{}")
    if not origin.get("dir_info", {}).get("editable"):
        return []
    return (distribution.read_text("top_level.txt") or name.replace("-", "_")).split()


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
