"""Pushes that are killed at random, through TFX's launcher: python -m tests.pipeline.push_faults N.

Each is followed by the next run, of the same model or of another one, which must leave whole
versions only: each recorded, none twice, none missing. Runs are forks of one process, since
importing TFX takes long; that process itself opens no store, so that it can be forked.
"""

import argparse
import os
import random
import select
import signal
import sys
import tempfile
import time
from pathlib import Path

from tfx.components import Pusher
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import pusher_pb2
from tfx.types.standard_artifacts import Model
from tfx.utils import path_utils

from data.resolve import DEFAULT_CACHE, resolve_dataset
from pipeline import pusher, version_writer, versions
from pipeline.config import PipelineConfig
from pipeline.metadata_store import connection_config, open_store
from pipeline.recovery import recover, settle
from tests.forks import forked, wait


@component
def Made(text: Parameter[str], model: OutputArtifact[Model]):  # noqa: N802
    """A node that makes a small model of several files."""
    folder = Path(path_utils.serving_model_path(model.uri))
    (folder / "variables").mkdir(parents=True)
    for name in ("saved_model.pb", "tflite", "variables/index", "variables/data"):
        (folder / name).write_text(f"{name} {text}\n" * 200)


def made_config(output: Path) -> PipelineConfig:
    """Returns the config of a pipeline named "ours"."""
    return PipelineConfig(resolve_dataset("digits", None, DEFAULT_CACHE), output, name="ours")


def push(config: PipelineConfig, text: str, executor: type = pusher.Executor) -> None:
    """Runs Made and a Pusher, with what the local runner does before and after."""
    list(recover(config))
    made = Made(text=text)
    destination = pusher_pb2.PushDestination.Filesystem(base_directory=config.serving_dir)
    pushed = Pusher(
        model=made.outputs["model"],
        push_destination=pusher_pb2.PushDestination(filesystem=destination),
        custom_executor_spec=ExecutorClassSpec(executor),
        custom_config={pusher.PIPELINE_KEY: config.pipeline_name},
    )
    LocalDagRunner().run(
        Pipeline(
            pipeline_name=config.pipeline_name,
            pipeline_root=config.pipeline_root,
            components=[made, pushed],
            metadata_connection_config=connection_config(config.metadata_location),
            enable_cache=True,
        )
    )
    list(settle(config))


def texts(config: PipelineConfig) -> list[str]:
    """Returns which models were pushed, in the order of their versions, all of which are whole."""
    folder = Path(config.serving_dir)
    names = sorted(filter(versions.is_version, os.listdir(folder) if folder.exists() else ()))
    assert all(versions.is_whole(folder / name) for name in names), names
    for name in names:
        record = versions.read(folder / name)
        on_disk = {file: version_writer._sha256(folder / name / file) for file in record.files}
        assert on_disk == {file: facts.sha256 for file, facts in record.files.items()}
        assert set(on_disk) == {"saved_model.pb", "variables/index", "variables/data"}
    lines = [(folder / name / "saved_model.pb").read_text().splitlines()[0] for name in names]
    return [line.removeprefix("saved_model.pb ") for line in lines]


def check(config: PipelineConfig, last: str) -> None:
    """Checks what a run that succeeded left: each version once, and recorded; nothing else."""
    found = texts(config)
    assert len(set(found)) == len(found) and found[-1] == last, found
    pushed = open_store(config.metadata_location).get_artifacts_by_type("PushedModel")
    recorded = {path.custom_properties["pushed_destination"].string_value for path in pushed}
    folder = Path(config.serving_dir)
    assert recorded == {str(path) for path in folder.iterdir()}, (recorded, os.listdir(folder))


def kill_pushes(output: Path, kills: int, seed: int) -> dict[str, int]:
    """Kills that many pushes, each followed by a run; returns how many left what."""
    config, chance = made_config(output), random.Random(seed)
    began_r, began_w = os.pipe()

    class Told(pusher.Executor):
        """Says when the push begins."""

        def Do(self, *args: object) -> None:  # noqa: N802 - TFX's name
            os.write(began_w, b".")
            super().Do(*args)

    globals()["Told"] = Told
    Told.__qualname__ = "Told"

    def complete(text: str) -> None:
        push(config, text)
        check(config, text)

    def killed(text: str, after: float) -> tuple[int, float]:
        child = forked(lambda: push(config, text, Told))
        ready, _, _ = select.select([began_r], [], [], 120)
        assert ready, "the push did not begin"
        os.read(began_r, 1)
        began = time.monotonic()
        if after < float("inf"):
            time.sleep(after)
            os.kill(child, signal.SIGKILL)
        return wait(child), time.monotonic() - began

    status, duration = killed("timed", float("inf"))
    assert status == 0
    outcome = {"before the version": 0, "version not recorded": 0, "half a version": 0, "late": 0}
    for number in range(kills):
        # Most of the moments within the push itself, the others until the run has ended.
        until = duration if number % 3 == 0 else duration / 4
        status, _ = killed(f"killed {number}", chance.uniform(0, until))
        found = texts(config)
        asides = [path for path in os.listdir(config.serving_dir) if path.startswith(".")]
        if status == 0:
            outcome["late"] += 1
        elif f"killed {number}" in found:
            outcome["version not recorded"] += 1
        else:
            outcome["half a version" if asides else "before the version"] += 1
        text = f"killed {number}" if number % 2 else f"other {number}"
        assert wait(forked(lambda text=text: complete(text))) == 0, f"kill {number}"
    return outcome


def main() -> None:
    """Kills as many pushes as the command line says, and tells what they left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kills", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(kill_pushes(Path(folder), options.kills, options.seed))


if __name__ == "__main__":
    sys.modules["tests.pipeline.push_faults"] = sys.modules["__main__"]
    main()
