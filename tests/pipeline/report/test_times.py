"""Times of a run, read from the ML Metadata of a small pipeline that really runs."""

import shutil
from pathlib import Path

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from pipeline.metadata import runs
from pipeline.metadata.connection import open_store
from tests.pipeline.small_pipeline import NAME, metadata_file, run_small_pipeline


def _times(folder: Path) -> dict[str, runs.NodeTime]:
    return runs.node_times(open_store(str(metadata_file(folder))), NAME)


def test_cached_nodes_have_the_time_of_the_run_that_made_their_outputs(tmp_path: Path) -> None:
    assert run_small_pipeline(tmp_path, 1) == "1: ['Looked', 'Made']"  # not itself, unfinished
    first = _times(tmp_path)
    assert first.keys() == {"Made", "Looked", "Reader"}
    assert not any(time.is_cached for time in first.values())

    # Twice, as the second cached execution finds the first beside the one that ran.
    for number in (2, 3):
        assert run_small_pipeline(tmp_path, number) == f"{number}: ['Looked', 'Made']"
        again = _times(tmp_path)
        for node in ("Made", "Looked"):
            assert again[node] == runs.NodeTime(first[node].seconds, True)
        assert not again["Reader"].is_cached

    run_small_pipeline(tmp_path, 4, text="changed")
    changed = _times(tmp_path)
    assert not changed["Made"].is_cached
    assert changed["Looked"] == again["Looked"]

    store = open_store(str(metadata_file(tmp_path)))
    contexts = store.get_contexts_by_type("pipeline_run")
    by_run = [runs.run_executions(store, NAME, context.name)["Reader"].id for context in contexts]
    assert len(set(by_run)) == 4 and by_run[-1] == runs.run_executions(store, NAME)["Reader"].id

    # Where outputs were deleted, the node runs again with the same inputs: the newer run counts.
    made = runs.run_executions(open_store(str(metadata_file(tmp_path))), NAME)["Made"]
    shutil.rmtree(tmp_path / "root/Made/made" / str(made.id))
    run_small_pipeline(tmp_path, 5, text="changed")
    anew = _times(tmp_path)["Made"]
    assert not anew.is_cached
    run_small_pipeline(tmp_path, 6, text="changed")
    assert _times(tmp_path)["Made"] == runs.NodeTime(anew.seconds, True)


def test_seconds_lie_between_the_two_times_of_the_execution(tmp_path: Path) -> None:
    run_small_pipeline(tmp_path, 1)
    store = open_store(str(metadata_file(tmp_path)))
    execution = runs.run_executions(store, NAME)["Reader"]
    milliseconds = execution.last_update_time_since_epoch - execution.create_time_since_epoch
    assert milliseconds >= 1
    assert _times(tmp_path)["Reader"].seconds == milliseconds / 1000


def test_a_store_without_runs_has_no_times(tmp_path: Path) -> None:
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(metadata_file(tmp_path))
    mlmd.MetadataStore(config)
    assert _times(tmp_path) == {}
