"""Cleans up after killed runs: `make recover`. The local runner does it by itself."""

import argparse
import os
import sys

from data.errors import DataError
from pipeline import console
from pipeline.config import config_from_environment
from pipeline.errors import ConfigError
from pipeline.local_runner import LOG_FILE, WRONG_SETTING
from pipeline.run_lock import only_run


def main() -> int:
    """Recovers as the environment and the command line say; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.recover", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    dry_run = parser.parse_args().dry_run
    try:
        config = config_from_environment(os.environ)
        with only_run(config), console.library_output_to(config.output / LOG_FILE):
            from pipeline.recovery import recover  # here, with TFX's output redirected

            done = 0
            for line in recover(config, dry_run=dry_run):
                print(line)
                done += 1
    except (ConfigError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_SETTING
    count = f"{done or 'no'} execution{'s' * (done != 1)}"
    print(f"{config.pipeline_name}: {count} to recover{', nothing changed' * dry_run}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
