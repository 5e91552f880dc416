"""Runs the pipeline on this machine: `make run`, or the `tfx` command line with --engine=local."""

import json
import os
import shutil
import sys
import time

from rich.console import Console

from data.errors import DataError
from modules import checkpoint_folder
from pipeline import STARTED, console, full_disk, preflight, store_copies, versions
from pipeline.config import PipelineConfig, config_from_environment
from pipeline.errors import ConfigError
from pipeline.exit_status import FAILED, NOT_BLESSED, tells_wrong_settings
from pipeline.file_names import COMPARISON_FILE, REPORT_FILE
from pipeline.preflight import LOG_FILE
from pipeline.processes import interrupt_on_signals, was_interrupted
from pipeline.run_lock import only_run
from pipeline.summary import print_comparison


class ReportError(OSError):
    """The report is made, and cannot be copied to where the user looks for it."""


@tells_wrong_settings
def main() -> int:
    """Runs the pipeline as the environment says; returns the exit status, see `run`.

    A setting or data that is wrong gives WRONG_SETTING, before any work starts.
    """
    config = config_from_environment(os.environ)
    preflight.check(config)
    with only_run(config):
        return run(config)


def run(config: PipelineConfig) -> int:
    """Runs the pipeline, shows its progress and what came of it.

    Returns:
      0 when every model was blessed and pushed, NOT_BLESSED when the run is complete but a model
      was not blessed, FAILED when a component failed.

    Raises:
      ConfigError: ML Metadata cannot use its store.
      data.errors.DataError: the data is not what was checked any more.
    """
    print(config.dataset.summary)
    log_file = config.output / LOG_FILE
    started = time.monotonic()
    try:
        with console.library_output_to(log_file):
            if not _run(config):
                return 0
        return show(config, time.monotonic() - started)
    except (ConfigError, DataError, BrokenPipeError):
        raise
    # Whatever a component raises ends up here.
    except (KeyboardInterrupt, Exception) as error:
        if isinstance(error, KeyboardInterrupt) or was_interrupted():
            advice = "run again to go on after the last finished component"
            print(f"interrupted; {advice}", file=sys.stderr)
            return FAILED
        places = (config.output, config.pipeline_root, config.push_to or config.output)
        reason = full_disk.told(error, places) or f"{type(error).__name__}: {error}"
        print(f"error: {reason}\nDetails: {log_file}", file=sys.stderr)
        return FAILED


def _run(config: PipelineConfig) -> bool:
    """Runs the pipeline and copies the report to where the user looks for it.

    Returns:
      False when `tfx` only wanted to compile.
    """
    print("loading TFX ...", end=" ", flush=True)
    started = time.monotonic()
    # Imported here, with their output redirected and the settings known to be good.
    from absl import logging as absl_logging
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    from pipeline.create import create_pipeline
    from pipeline.launching import launch_without_servers
    from pipeline.recovery import recover, settle
    from pipeline.source_digest import check_unedited

    launch_without_servers()
    absl_logging.use_python_logging(quiet=True)
    absl_logging.set_verbosity(absl_logging.INFO)
    pipeline = create_pipeline(config)
    check_unedited(pipeline.components, STARTED)
    checkpoint_folder.keep_in(config.output)
    print(f"{time.monotonic() - started:.1f} s")
    for line in recover(config):
        print(line)
    with console.ComponentProgress(len(pipeline.components)) as progress:
        LocalDagRunner().run(pipeline)
    if progress.done == 0:
        return False
    for line in settle(config):
        print(line)
    copy_report(config)
    return True


def copy_report(config: PipelineConfig, run: str | None = None) -> None:
    """Copies the report of a run, the pipeline's last one if none is named, to OUTPUT/report."""
    from pipeline import runs
    from pipeline.metadata_store import open_store

    store = open_store(config.metadata_location)
    execution = runs.run_executions(store, config.pipeline_name, run)["Report"]
    report = runs.output_artifacts(store, execution)["report"].uri
    try:
        store_copies.copy_folder(report, config.report_dir)
    except OSError as error:
        # shutil's is a list of (source, destination, reason).
        reason = error.args[0][0][-1] if isinstance(error, shutil.Error) else error
        raise ReportError(
            f"cannot copy the report to {config.report_dir} ({reason}); it is in {report}"
        ) from error


def show(config: PipelineConfig, seconds: float) -> int:
    """Prints the table of the report that was copied, and what became of the pushes.

    Returns:
      0 when every model was blessed and pushed, else NOT_BLESSED.
    """
    comparison = json.loads((config.report_dir / COMPARISON_FILE).read_text())
    print_comparison(comparison, Console())
    if config.dataset.is_fallback:
        print(f"Not MNIST: {config.dataset.source}")
    pushed = {model["pushed_to"] for model in comparison["models"]} - {None}
    for folder in sorted(pushed):
        # A push that is taken from the cache is not repeated, whatever happened since.
        newest = versions.newest(folder.rpartition("/")[0])
        if not versions.is_whole(folder):
            print(f"{folder} was pushed by an earlier run and is gone since; see the README")
        elif newest and newest != folder:
            name = newest.rpartition("/")[2]
            print(f"{folder} is of an earlier run; version {name} of other settings is newer")
    print(f"Report: {config.report_dir / REPORT_FILE}\nThe run took {seconds:.0f} s.")
    return 0 if all(model["blessed"] for model in comparison["models"]) else NOT_BLESSED


if __name__ == "__main__":
    interrupt_on_signals()  # so that what Beam has started ends, too
    sys.exit(main())
