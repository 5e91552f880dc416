"""Cleans up after killed runs: `make recover`. The local runner does it by itself."""

import argparse
import os
import sys

from data.texts import switch
from pipeline.metadata.run_lock import only_run
from pipeline.running import console, preflight
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.running.preflight import LOG_FILE
from pipeline.settings import config_from_environment


@tells_wrong_settings
def main() -> int:
    """Recovers as the environment and the command line say; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.running.recover", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    dry_run = parser.parse_args().dry_run or switch(os.environ, "DRY_RUN", False)
    config = config_from_environment(os.environ)
    preflight.check_places(config)  # on a full disk, too, there is something to remove
    with only_run(config), console.library_output_to(config.output / LOG_FILE):
        from pipeline.metadata.half_done import HalfDone  # here, with TFX's output redirected

        done = 0
        for line in HalfDone.of_pipeline(config, read_only=dry_run).recover(dry_run=dry_run):
            print(line)
            done += 1
    count = f"{done or 'no'} execution{'s' * (done != 1)}"
    print(f"{config.pipeline_name}: {count} to recover{', nothing changed' * dry_run}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
