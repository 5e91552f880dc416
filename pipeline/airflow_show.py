"""The last task of the DAG: what `make run` shows and copies when it is done.

python -m pipeline.airflow_show RUN
"""

import os
import sys
import time

from pipeline import compiled
from pipeline.airflow_compile import dag_folder, run_folder
from pipeline.config import config_from_environment
from pipeline.exit_status import tells_wrong_settings
from pipeline.local_runner import copy_report, show


@tells_wrong_settings
def main(arguments: list[str] | None = None) -> int:
    """Copies the report and prints the table; returns `local_runner.show`'s status."""
    [run] = sys.argv[1:] if arguments is None else arguments
    config = config_from_environment(os.environ)
    began = run_folder(dag_folder(config), run) / compiled.GRAPH_FILE
    copy_report(config, run)
    return show(config, time.time() - began.stat().st_mtime)


if __name__ == "__main__":
    sys.exit(main())
