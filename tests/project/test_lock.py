"""The lock holds what setup.py asks for and what the overrides say, hashed, from no fixed place."""

import ast
import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from data.files import PROJECT_ROOT

LOCK = (PROJECT_ROOT / "requirements" / "lock.txt").read_text()
LINUX, MAC = "linux", "darwin"


def _setup_requirements() -> list[str]:
    """What setup.py lists as REQUIRED and DEVELOPMENT, without running it."""
    assignments = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse((PROJECT_ROOT / "setup.py").read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    return assignments["REQUIRED"] + assignments["DEVELOPMENT"]


def _entries() -> list[tuple[Requirement, str]]:
    """Each entry of the lock and the text below it, up to the next one."""
    parts = re.split(r"^(?=[a-zA-Z0-9])", LOCK, flags=re.MULTILINE)[1:]
    return [(Requirement(part.split("\\")[0].split("#")[0]), part) for part in parts]


def _locked(python: str, platform: str) -> dict[str, str]:
    """The one locked version of each package that such a machine would install."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": platform,
        "platform_system": {LINUX: "Linux", MAC: "Darwin"}[platform],
        "platform_machine": {LINUX: "x86_64", MAC: "arm64"}[platform],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    locked: dict[str, str] = {}
    for requirement, _ in _entries():
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = canonicalize_name(requirement.name)
            assert name not in locked, f"{name} is locked twice for Python {python} on {platform}"
            (specifier,) = requirement.specifier
            assert specifier.operator == "=="
            locked[name] = specifier.version
    return locked


def _unsatisfied(requirements: list[str], python: str, platform: str) -> list[str]:
    locked = _locked(python, platform)
    environment = {"python_version": python, "sys_platform": platform}
    wanted = [Requirement(text) for text in requirements]
    applying = [r for r in wanted if r.marker is None or r.marker.evaluate(environment)]
    assert applying
    return [
        f"{requirement}: {locked.get(canonicalize_name(requirement.name))}"
        for requirement in applying
        if canonicalize_name(requirement.name) not in locked
        or Version(locked[canonicalize_name(requirement.name)]) not in requirement.specifier
    ]


MACHINES = pytest.mark.parametrize(
    ("python", "platform"),
    [("3.11", LINUX), ("3.12", LINUX), ("3.13", LINUX), ("3.11", MAC), ("3.13", MAC)],
)


@MACHINES
def test_setup_is_satisfied(python: str, platform: str) -> None:
    assert _unsatisfied(_setup_requirements(), python, platform) == []


@MACHINES
def test_overrides_are_satisfied(python: str, platform: str) -> None:
    text = (PROJECT_ROOT / "requirements" / "overrides.txt").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert _unsatisfied(lines, python, platform) == []


@pytest.mark.parametrize(
    ("python", "platform", "metadata", "validation"),
    [("3.11", LINUX, "1.17.1", "1.16.1"), ("3.12", LINUX, "1.21.0", "1.21.0")],
)
def test_old_wheels_for_the_oldest_python_only(
    python: str, platform: str, metadata: str, validation: str
) -> None:
    locked = _locked(python, platform)
    assert locked["ml-metadata"] == metadata
    assert locked["tensorflow-data-validation"] == validation


def test_every_entry_is_pinned_and_hashed() -> None:
    assert len(_entries()) > 100
    unhashed = [
        str(requirement)
        for requirement, text in _entries()
        if not re.search(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$", text, re.MULTILINE)
    ]
    assert unhashed == []


def test_no_index_and_no_address() -> None:
    assert not re.search(r"://|^\s*-(?!-hash=)|@", LOCK, re.MULTILINE)
