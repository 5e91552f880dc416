"""Two pipelines at once on one database server; one of them is killed, and recovered."""

from collections import Counter
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2

from data.cache import IN_PROJECT
from data.files import PROJECT_ROOT
from data.resolve import resolve_dataset
from pipeline.metadata import runs
from pipeline.metadata.connection import open_store
from pipeline.running import recover
from tests.e2e.support.harness import (
    PATIENCE_S,
    environment,
    kill_when_shown,
    started,
)
from tests.e2e.support.in_process import called, run_here
from tests.support import mariadb

DATABASE = "tfx_runs"
State = metadata_store_pb2.Execution.State


def text_of(server: mariadb.Server) -> str:
    """Returns all that is in the database."""
    tables = [name for (name,) in server.execute(f"SHOW TABLES IN {DATABASE}")]
    return str([server.execute(f"SELECT * FROM {DATABASE}.`{table}`") for table in tables])


def test_two_pipelines_at_once_one_killed_and_recovered(
    database_server: mariadb.Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database_server.execute(f"CREATE DATABASE {DATABASE}")
    url = database_server.url(DATABASE)
    monkeypatch.setenv("MYSQL_PWD", database_server.password)
    resolve_dataset("digits", None, IN_PROJECT)  # neither has to make them
    common = {"DATASET": "digits", "EPOCHS": "3", "RECIPES": "float32", "METADATA": url}
    first = {**common, "PIPELINE_NAME": "first", "OUTPUT": tmp_path / "first"}
    second = {**common, "PIPELINE_NAME": "second", "OUTPUT": tmp_path / "second", "SEED": "1"}
    first["MIN_ACCURACY"] = second["MIN_ACCURACY"] = "0.5"

    def states(name: str) -> Counter[str]:
        return Counter(
            State.Name(execution.last_known_state)
            for execution in runs.pipeline_executions(open_store(url), name)
        )

    with started(PROJECT_ROOT, tmp_path / "second.txt", **second) as other:
        kill_when_shown("epoch  1/3", PROJECT_ROOT, tmp_path / "killed.txt", **first)
        assert states("first")["RUNNING"] == 1
        recovered = called(recover.main, environment(**first))
        assert recovered.returncode == 0, recovered.stdout
        line, summary = recovered.stdout.splitlines()
        assert line.startswith("Trainer: execution ") and "marked as failed, removed /" in line
        assert summary == "first: 1 execution to recover."
        assert states("first")["RUNNING"] == 0 and states("first")["FAILED"] == 1
        assert not list(tmp_path.glob("first/pipeline/Trainer/model*/*"))
        assert list(tmp_path.glob("first/checkpoints/*/*"))

        run = run_here(**first)
        assert run.status == 0, run.text
        assert run.component_lines()["Transform"] == "cached"
        assert "  going on after epoch " in run.text
        assert other.wait(PATIENCE_S) == 0, (tmp_path / "second.txt").read_text()

    assert states("second").keys() == {"COMPLETE"}
    store = open_store(url)
    for name, other_name in (("first", "second"), ("second", "first")):
        executions = runs.run_executions(store, name)
        assert len(executions) == 15
        # Neither took anything from the other, the last blessed model included.
        events = store.get_events_by_execution_ids([made.id for made in executions.values()])
        artifacts = store.get_artifacts_by_id({event.artifact_id for event in events})
        assert {artifact.uri.startswith(str(tmp_path / name)) for artifact in artifacts} == {True}
        page = (tmp_path / name / "report" / "index.html").read_text()
        assert (
            "Their times are not known here." not in page and str(tmp_path / other_name) not in page
        )
        assert not (tmp_path / name / "metadata.db").exists()

    password = database_server.password
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in files if password.encode() in path.read_bytes()] == []
    assert password not in run.text + recovered.stdout
    assert "eval_config" in text_of(database_server)
    assert password not in text_of(database_server)
