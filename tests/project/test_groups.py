"""The groups in which tests run: what they name exists, and a group stays with one worker."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from data.files import PROJECT_ROOT
from tests.support.groups import GROUPS, ByGroup, group_of, rank_of
from tests.support.machine import environment

NAMED = [path for paths in GROUPS.values() for path in paths]
# By the number of their tests, the fewest first, and each without frameworks.
SMALL = [
    "tests/data/forms/test_idx_checksums.py",
    "tests/data/test_catalogue.py",
    "tests/data/mirrors/test_download.py",
]


@pytest.mark.parametrize("path", NAMED)
def test_what_is_named_is_there_and_in_one_group(path: str) -> None:
    assert Path(PROJECT_ROOT, path).exists()
    assert [other for other in NAMED if path.startswith(other)] == [path]


def test_a_file_without_costly_company_is_a_group_of_its_own() -> None:
    assert group_of("tests/data/forms/test_idx.py") == "data/forms/test_idx"
    assert group_of("tests/modules/training/test_loop.py") == "trainings"
    assert ByGroup._split_scope("tests/e2e/test_faults.py::test_x[a::b]") == "digits run"


def test_what_costs_most_comes_first(request: pytest.FixtureRequest) -> None:
    files = [
        "tests/e2e/test_digits.py",
        "tests/e2e/test_beam_runners.py",
        "tests/e2e/test_tuner.py",
        "tests/modules/training/test_loop.py",
        "tests/data/forms/test_idx.py",
    ]
    ranks = [rank_of(file) for file in files]
    assert ranks == sorted(set(ranks))
    now = [item.nodeid.partition("::")[0] for item in request.session.items]
    assert now == sorted(now, key=rank_of)


def test_two_workers_share_groups_as_they_stand_and_not_their_tests() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-n", "2", *SMALL],
        cwd=PROJECT_ROOT,
        env=environment() | {"PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.findall(r"^\[(gw\d)\] .* PASSED (.+?)::", done.stdout, re.MULTILINE)
    workers = {file: {worker for worker, other in found if other == file} for _, file in found}
    assert workers.keys() == set(SMALL)
    assert [len(each) for each in workers.values()] == [1, 1, 1]
    assert set.union(*workers.values()) == {"gw0", "gw1"}
    order = list(workers)
    assert order.index(SMALL[0]) < order.index(SMALL[2])
