"""Runs the pipeline on this machine: `make run`, or the `tfx` command line with --engine=local."""

import contextlib
import fcntl
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from data.errors import DataError
from pipeline import console
from pipeline.config import (
    COMPARISON_FILE,
    REPORT_FILE,
    ConfigError,
    PipelineConfig,
    config_from_environment,
)
from pipeline.summary import print_comparison

FAILED, WRONG_SETTING, NOT_BLESSED = 1, 2, 3
LOG_FILE, LOCK_FILE = "run.log", ".lock"


def main() -> int:
    """Runs the pipeline as the environment says; returns the exit status, see `run`.

    A setting or data that is wrong gives WRONG_SETTING, before any work starts.
    """
    try:
        config = config_from_environment(os.environ)
        with _only_run_in(config.output):
            return run(config)
    except (ConfigError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_SETTING
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return FAILED


@contextlib.contextmanager
def _only_run_in(output: Path) -> Iterator[None]:
    """Holds a lock on the folder; raises ConfigError when another run holds it."""
    with open(output / LOCK_FILE, "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"OUTPUT={output}: another run is using it; wait for its end or give another folder"
            ) from error
        yield


def run(config: PipelineConfig) -> int:
    """Runs the pipeline, shows its progress and what came of it.

    Returns:
      0 when every model was blessed and pushed, NOT_BLESSED when the run is complete but a model
      was not blessed, FAILED when a component failed.
    """
    print(config.dataset.summary)
    log_file = config.output / LOG_FILE
    started = time.monotonic()
    try:
        with console.library_output_to(log_file):
            report = _run(config)
    except KeyboardInterrupt:
        print("interrupted; run again to go on after the last finished component", file=sys.stderr)
        return FAILED
    except Exception as error:  # whatever a component raises ends up here
        print(f"error: {type(error).__name__}: {error}\nDetails: {log_file}", file=sys.stderr)
        return FAILED
    if report is None:
        return 0
    return show(config, report, time.monotonic() - started)


def _run(config: PipelineConfig) -> Path | None:
    """Runs the pipeline; returns the report's folder, None when `tfx` only wanted to compile."""
    print("loading TFX ...", end=" ", flush=True)
    started = time.monotonic()
    # Imported here, with their output redirected and the settings known to be good.
    from absl import logging as absl_logging
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    from pipeline.create import create_pipeline

    absl_logging.use_python_logging(quiet=True)
    absl_logging.set_verbosity(absl_logging.INFO)
    pipeline = create_pipeline(config)
    print(f"{time.monotonic() - started:.1f} s")
    with console.ComponentProgress(len(pipeline.components)) as progress:
        LocalDagRunner().run(pipeline)
    if progress.done == 0:
        return None
    return last_report(config)


def last_report(config: PipelineConfig) -> Path:
    """Returns the folder with the report of the pipeline's last run."""
    from pipeline import runs

    store = runs.open_store(config.metadata_file)
    execution = runs.last_run_executions(store)["Report"]
    return Path(runs.output_artifacts(store, execution)["report"].uri)


def show(config: PipelineConfig, report: Path, seconds: float) -> int:
    """Copies the report to where the user looks for it and prints the table.

    Returns:
      0 when every model was blessed and pushed, else NOT_BLESSED.
    """
    shutil.copytree(report, config.report_dir, dirs_exist_ok=True)
    comparison = json.loads((report / COMPARISON_FILE).read_text())
    print_comparison(comparison, Console())
    if config.dataset.is_fallback:
        print(f"Not MNIST: {config.dataset.source}")
    pushed = {model["pushed_to"] for model in comparison["models"]} - {None}
    for folder in map(Path, sorted(pushed)):
        # A push that is taken from the cache is not repeated, whatever happened since.
        versions = [other.name for other in folder.parent.glob("[0-9]*")]
        if folder.name not in versions:
            print(f"{folder} was pushed by an earlier run and is gone since; see the README")
        elif newer := sorted(name for name in versions if int(name) > int(folder.name)):
            print(f"{folder} is of an earlier run; version {newer[-1]} of other settings is newer")
    print(f"Report: {config.report_dir / REPORT_FILE}\nThe run took {seconds:.0f} s.")
    return 0 if all(model["blessed"] for model in comparison["models"]) else NOT_BLESSED


if __name__ == "__main__":
    sys.exit(main())
