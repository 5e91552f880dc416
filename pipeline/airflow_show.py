"""The last task of the DAG: what `make run` shows and copies when it is done.

python -m pipeline.airflow_show RUN
"""

import os
import sys
import time

from data.errors import DataError
from pipeline import compiled
from pipeline.airflow_compile import dag_folder, run_folder
from pipeline.config import config_from_environment
from pipeline.errors import ConfigError
from pipeline.local_runner import WRONG_SETTING, copy_last_report, show


def main(arguments: list[str] | None = None) -> int:
    """Copies the report and prints the table; returns `local_runner.show`'s status."""
    [run] = sys.argv[1:] if arguments is None else arguments
    try:
        config = config_from_environment(os.environ)
    except (ConfigError, DataError) as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_SETTING
    began = run_folder(dag_folder(config), run) / compiled.GRAPH_FILE
    copy_last_report(config)
    return show(config, time.time() - began.stat().st_mtime)


if __name__ == "__main__":
    sys.exit(main())
