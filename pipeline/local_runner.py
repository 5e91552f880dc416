"""Runs the pipeline on this machine: `make run`, or the `tfx` command line with --engine=local."""

import os
import sys
import time

from data.errors import FAILED, ConfigError, DataError
from modules.training.saved import checkpoint_folder
from pipeline import STARTED
from pipeline.config import PipelineConfig
from pipeline.metadata.run_lock import only_run
from pipeline.running import console, outcome, preflight
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.running.preflight import LOG_FILE
from pipeline.running.processes import exit_with, interrupt_on_signals, was_interrupted
from pipeline.settings import config_from_environment
from pipeline.storage import full_disk


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
    for note in config.dataset.notes:
        print(f"Note: {note}.")
    log_file = config.output / LOG_FILE
    started = time.monotonic()
    try:
        with console.library_output_to(log_file):
            if not _run(config):
                return 0
        return outcome.show(config, time.monotonic() - started)
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
    from pipeline.create import create_pipeline
    from pipeline.metadata.half_done import HalfDone
    from pipeline.metadata.source_digest import check_unedited
    from pipeline.running.nodes import LocalRunner

    pipeline = create_pipeline(config)
    check_unedited(pipeline.components, STARTED)
    checkpoint_folder.keep_in(config.output)
    print(f"{time.monotonic() - started:.1f} s")
    for line in HalfDone.of_pipeline(config).recover():
        print(line)
    runner = LocalRunner()
    runner.run(pipeline)
    if not runner.has_run:
        return False
    for line in HalfDone.of_pipeline(config, read_only=True).settle():
        print(line)
    outcome.copy_report(config)
    return True


if __name__ == "__main__":
    interrupt_on_signals()  # so that what Beam has started ends, too
    exit_with(main())
