"""What make does with settings: it hands them on as they are typed, and runs nothing in them."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from data.files import PROJECT_ROOT
from pipeline.settings import COMMAND_SETTINGS, SETTINGS
from tests.support.machine import environment

ALL = (*SETTINGS, *COMMAND_SETTINGS)
MAKEFILE = (PROJECT_ROOT / "Makefile").read_text()
TARGETS = re.findall(r"^([a-z][a-z-]+):.*## ", MAKEFILE, re.MULTILINE)
# What hurts where it is expanded by make, or read by a shell a second time, or split into words.
HOSTILE = (
    """$(shell touch {0}) ${{shell touch {0}}} `touch {0}` $$(touch {0}) "'; touch {0}; '" \\ """
)
# Writes the environment that a command is given, one file for each, and ends well.
RECORDER = """#!/bin/sh
case ${1:-} in scripts/*) exec python3 "$@" ;; esac
env -0 > "$RECORDS/$$"
"""


@pytest.fixture(scope="module")
def stub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Makefile and the scripts, with an interpreter that only writes down what it is given."""
    folder = tmp_path_factory.mktemp("stub")
    shutil.copy(PROJECT_ROOT / "Makefile", folder)
    shutil.copytree(PROJECT_ROOT / "scripts", folder / "scripts")
    (folder / "requirements").mkdir()
    for file in ("setup.py", "requirements/lock.txt", "requirements/airflow.txt"):
        (folder / file).touch()
    for name in (".venv", ".venv-airflow"):
        (folder / name / "bin").mkdir(parents=True)
        (folder / name / ".setup-complete").touch()
    for program in ("python", "uv", "ruff", "tfx"):
        path = folder / ".venv" / "bin" / program
        path.write_text(RECORDER)
        path.chmod(0o755)
    return folder


def make(
    folder: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess:
    """Runs make with no setting but these variables of the environment."""
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=environment(**{"RECORDS": str(folder), **(variables or {})}),
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("given", ["environment", "command line"])
def test_no_target_runs_what_a_setting_holds(stub: Path, tmp_path: Path, given: str) -> None:
    """The stub's commands run for good, and so do the scripts; make -n looks at the rest."""
    values = {name: HOSTILE.format(tmp_path / name) for name in ALL}
    variables = values if given == "environment" else {}
    typed = () if variables else tuple(f"{name}={value}" for name, value in values.items())
    for target in TARGETS:
        dry = ("-n",) if target in ("clean", "flink-cluster") else ()
        make(stub, *dry, target, *typed, variables=variables)
    assert TARGETS.count("run") == 1 and len(TARGETS) > 15
    assert sorted(path.name for path in tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["environment", "command line"])
def test_a_setting_arrives_as_it_was_typed(stub: Path, tmp_path: Path, given: str) -> None:
    values = {name: f"/a b/{name}$x$(y)$$'\"\\#%*;é" for name in ALL}
    records = tmp_path / "records"
    records.mkdir()
    variables = {"RECORDS": str(records), "PYTHONHOME": "/of/another/python"}
    if given == "environment":
        variables |= values
    typed = () if len(variables) > 2 else tuple(f"{name}={value}" for name, value in values.items())
    for target in ("run", "recover", "kubeflow", "airflow-up"):
        done = make(stub, target, *typed, variables=variables)
        assert done.returncode == 0, done.stderr
        [record] = records.iterdir()
        text = record.read_text()
        arrived = dict(line.split("=", 1) for line in text.split("\0") if "=" in line)
        assert {name: arrived.get(name) for name in ALL} == values
        assert "PYTHONHOME" not in arrived
        record.unlink()


def test_a_setting_reaches_make_s_own_make_as_it_was_typed(stub: Path, tmp_path: Path) -> None:
    """`make run` sets up in a make of its own where that has not been done."""
    (stub / ".venv" / ".setup-complete").unlink()
    try:
        python = tmp_path / "a b$c" / "python"
        done = make(stub, "run", f"PYTHON={python}")
    finally:
        (stub / ".venv" / ".setup-complete").touch()
    assert done.returncode == 2
    assert f"error: PYTHON={python}: there is no such Python" in done.stderr
    assert (stub / ".venv" / "bin" / "python").exists()


@pytest.mark.parametrize("program", ["true", "ls", "no such program", "-c", "sh"])
def test_an_interpreter_that_is_none_costs_no_environment(stub: Path, program: str) -> None:
    done = make(stub, "setup", variables={"PYTHON": program})
    assert f"error: PYTHON={program}: there is no such Python" in done.stderr
    assert (stub / ".venv" / "bin" / "python").exists()


def test_an_interpreter_may_have_spaces_in_its_path(stub: Path, tmp_path: Path) -> None:
    """It is found, and then is one that the lock has no packages for."""
    python = tmp_path / "my python"
    python.write_text('#!/bin/sh\n[ "$1" = -c ] && echo 42 && exit\necho too old: $1; exit 1\n')
    python.chmod(0o755)
    done = make(stub, "setup", variables={"PYTHON": str(python)})
    assert "error: too old: scripts/check_platform.py" in done.stderr
    assert (stub / ".venv" / "bin" / "python").exists()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        (["EPOCS=3"], "unknown setting EPOCS (did you mean EPOCHS?);"),
        (["epochs=3"], "unknown setting epochs (did you mean EPOCHS?);"),
        (["OUTPUT=x", "SEEED=1", "ZZZ=1"], "unknown setting SEEED (did you mean SEED?), ZZZ;"),
        (["MYSQL_PWD=secret"], "unknown setting MYSQL_PWD;"),
        (["settings=", "EPOCS=3"], "unknown setting EPOCS"),
        (["python=$(shell touch HURT)"], "unknown setting python"),
        (["setup_stamp=$(shell touch HURT)"], "unknown setting setup_stamp"),
        (["A$$(X)=3"], "unknown setting A$(X);"),
        (["a';touch${IFS}HURT;'=3"], "unknown setting"),
    ],
)
def test_what_is_no_setting_is_told(stub: Path, typed: list[str], words: str) -> None:
    for target in ("help", "run"):
        done = make(stub, target, *typed)
        assert done.returncode == 2 and done.stdout == ""
        assert words in done.stderr and len(done.stderr.splitlines()) == 1
        assert "secret" not in done.stderr
        assert not list(stub.rglob("HURT*"))


def test_what_is_no_setting_is_told_without_the_project_s_python(tmp_path: Path) -> None:
    shutil.copy(PROJECT_ROOT / "Makefile", tmp_path)
    done = make(tmp_path, "run", "EPOCS=3")
    assert done.returncode == 2 and "unknown setting 'EPOCS'.  Stop." in done.stderr


def test_other_variables_of_the_environment_are_nobody_s_business(stub: Path) -> None:
    done = make(stub, "help", variables={"EPOCS": "3", "python": "x"})
    assert done.returncode == 0, done.stderr


def test_make_its_help_and_the_pages_know_the_same_settings() -> None:
    declared = re.search(r"^override settings := ((?:.*\\\n)*.*)", MAKEFILE, re.MULTILINE)[1]
    assert tuple(declared.replace("\\\n", " ").split()) == ALL
    shown = make(PROJECT_ROOT, "help").stdout.partition("Settings, as in")[2]
    in_help = re.findall(r"^  ([A-Z_]+(?:, [A-Z_]+)*)", shown, re.MULTILINE)
    assert sorted(name for names in in_help for name in re.findall(r"[A-Z_]+", names)) == (
        sorted(ALL)
    )
    assert _settings_in_tables("docs/settings.md") == set(ALL)
    for page in ("README.md", *(PROJECT_ROOT / "docs").glob("*.md")):
        assert _settings_in_tables(page) <= set(ALL)


def _settings_in_tables(page: str | Path) -> set[str]:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", (PROJECT_ROOT / page).read_text(), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Z][A-Z_]+)`", row)}


def test_make_refers_to_no_setting() -> None:
    """They are text to it; only their names stand in it."""
    referred = re.findall(r"\$[({]([A-Z_]+)[)}]", MAKEFILE)
    assert set(referred) & set(ALL) == set()


def test_the_environment_of_tests_holds_nothing_of_an_outer_make(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAKEFLAGS", " -- EPOCHS=7")
    assert "MAKEFLAGS" not in environment() and os.environ["MAKEFLAGS"]
