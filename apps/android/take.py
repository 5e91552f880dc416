"""`python -m apps.android.take`: takes what the app is built and tested with from Maven Central."""

import sys

from apps.android import dependencies
from pipeline.running.exit_status import tells_wrong_settings


@tells_wrong_settings
def main() -> int:
    """Takes it, and says where it is."""
    taken = dependencies.fetch("app", "app-test", "jvm")
    print(f"{len(taken)} files in {dependencies.FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
