"""Runs the DAG once, with Airflow's `dags test`, which needs no server: `make airflow`."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator

from data.errors import FAILED, NOT_BLESSED, WRONG_SETTING
from pipeline.airflow.home import AirflowHome
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.running.processes import end_processes, interrupt_on_signals
from pipeline.settings import config_from_environment

_STARTED = re.compile(r"\[DAG TEST\] starting task_id=(\S+)")
# Airflow logs it twice, with the time in two formats; this is the one of `dags test` itself.
_PROCESS = re.compile(r"\[\S+ \S+\] \{subprocess\.py:\d+\} INFO - (.*)")
_ENDED = re.compile(r"Command exited with return code (-?\d+)")
_OWN_TASKS = 2  # beside the nodes: Compile and Show


@tells_wrong_settings
def main() -> int:
    """Compiles the DAG and runs it as the environment says; returns a status as `make run` does."""
    try:
        airflow = AirflowHome(config_from_environment(os.environ))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return FAILED
    command = airflow.command("dags", "test", airflow.graph.pipeline)
    with (
        open(airflow.log_file, "a") as log,
        subprocess.Popen(
            command,
            env=airflow.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):

        def lines() -> Iterator[str]:
            for line in process.stdout:
                log.write(line)
                yield line

        try:
            status = show_progress(lines(), len(airflow.graph.nodes) + _OWN_TASKS)
        except KeyboardInterrupt:
            end_processes([process.pid])
            print("interrupted; run again to go on after the last finished node", file=sys.stderr)
            return FAILED
    if process.returncode == 0:
        return 0
    print(f"Details: {airflow.log_file}", file=sys.stderr)
    return status if status in (WRONG_SETTING, NOT_BLESSED) else FAILED


def show_progress(lines: Iterable[str], number_of_tasks: int) -> int:
    """Prints from Airflow's log which tasks run and what their processes print.

    Returns:
      The exit status of the last process that ended.
    """
    seen: list[str] = []
    is_output, status = False, 0
    for line in lines:
        if match := _STARTED.search(line):
            if match[1] not in seen:
                seen.append(match[1])
            print(f"[{len(seen):>2}/{number_of_tasks}] {match[1]}", flush=True)
        elif match := _PROCESS.match(line):
            if ended := _ENDED.fullmatch(match[1]):
                is_output, status = False, int(ended[1])
                if status < 0:
                    print(f"killed by signal {-status}", flush=True)
            elif is_output:
                print(match[1], flush=True)
            elif match[1] == "Output:":
                is_output = True
    return status


if __name__ == "__main__":
    interrupt_on_signals()
    sys.exit(main())
