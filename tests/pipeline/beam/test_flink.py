"""scripts/flink.sh: what it refuses before Flink is started."""

import subprocess

import pytest

from data.files import PROJECT_ROOT
from tests.support.machine import environment


@pytest.mark.parametrize("name", ["DATASET", "METADATA", "PIPELINE_ROOT", "PUSH_TO"])
def test_what_is_on_a_network_is_out_of_reach(name: str) -> None:
    settings = {"DATASET": "digits", name: "s3://key:secret@bucket"}
    done = subprocess.run(
        ["sh", "scripts/flink.sh"],
        cwd=PROJECT_ROOT,
        env=environment(**settings) | {"SHARE_NETWORK": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {name} is on a network: ")
    assert "SHARE_NETWORK=1" in done.stderr and "secret" not in done.stderr
