"""The lock of Airflow's environment: hashed, from no fixed place, and Airflow's alone."""

import re
from pathlib import Path

from packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).parent.parent / "requirements"
LOCK = (REQUIREMENTS / "airflow.txt").read_text()


def _entries() -> dict[str, str]:
    """The text of each entry of the lock, by its first line."""
    parts = re.split(r"^(?=[a-zA-Z0-9])", LOCK, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0].rstrip(" \\"): part for part in parts}


def test_what_is_asked_for_is_locked() -> None:
    lines = (REQUIREMENTS / "airflow.in").read_text().splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    locked = [Requirement(line) for line in _entries()]
    for requirement in wanted:
        [found] = [one for one in locked if one.name == requirement.name]
        (specifier,) = found.specifier
        assert specifier.operator == "==" and specifier.version in requirement.specifier
    assert [requirement.name for requirement in wanted] == ["apache-airflow"]


def test_every_entry_is_pinned_and_hashed() -> None:
    assert len(_entries()) > 100
    for line, text in _entries().items():
        assert re.match(r"[\w.\[\],-]+==\S+", line), line
        assert re.search(r"^    --hash=sha256:[0-9a-f]{64}( \\)?$", text, re.MULTILINE), line


def test_no_index_and_no_address() -> None:
    assert not re.search(r"://|^\s*-(?!-hash=)|@", LOCK, re.MULTILINE)


def test_it_holds_nothing_of_the_pipeline() -> None:
    names = {re.split(r"[=\[ ]", line)[0] for line in _entries()}
    assert not names & {"tfx", "tensorflow", "jax", "apache-beam", "ml-metadata"}
