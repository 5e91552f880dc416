"""`python -m pipeline.running.take_job_server flink`: takes a job server from Maven Central."""

import sys

from data.errors import WRONG_SETTING
from pipeline.beam.job_server import ARTIFACTS, fetch
from pipeline.running.exit_status import tells_wrong_settings


@tells_wrong_settings
def main(arguments: list[str]) -> int:
    """Fetches the job servers of the engines that the arguments name."""
    if not arguments or set(arguments) - ARTIFACTS.keys():
        engines = "|".join(ARTIFACTS)
        print(f"usage: python -m pipeline.running.take_job_server {engines} ...", file=sys.stderr)
        return WRONG_SETTING
    for engine in arguments:
        print(fetch(engine))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
