"""The last task of the DAG: what `make run` shows and copies when it is done.

python -m pipeline.airflow.show RUN
"""

import os
import sys
import time

from pipeline.airflow.compile_dag import dag_folder, run_folder
from pipeline.running import compiled
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.running.outcome import copy_report, show
from pipeline.settings import config_from_environment


@tells_wrong_settings
def main(arguments: list[str] | None = None) -> int:
    """Copies the report and prints the table; returns `show`'s status."""
    [run] = sys.argv[1:] if arguments is None else arguments
    config = config_from_environment(os.environ)
    began = run_folder(dag_folder(config), run) / compiled.GRAPH_FILE
    copy_report(config, run)
    return show(config, time.time() - began.stat().st_mtime)


if __name__ == "__main__":
    sys.exit(main())
