"""Compares a SavedModel that is there with JAX, without training: `make round-trip`."""

import argparse
import os
import sys
from pathlib import Path

from data.errors import FAILED, ConfigError
from data.texts import check_texts
from pipeline.running import console
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.storage import locations


@tells_wrong_settings
def main() -> int:
    """Checks what FILE or the command line names; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.running.round_trip", description=__doc__
    )
    parser.add_argument("file", nargs="?", default=os.environ.get("FILE"), help="the SavedModel")
    parser.add_argument("--model", default=os.environ.get("MODEL") or "cnn", help="as MODEL")
    parser.add_argument("--no-train", action="store_true", help="nothing is trained in any case")
    args = parser.parse_args()
    if not args.file:
        raise ConfigError("FILE is not set: expected the folder of a SavedModel")
    check_texts({"FILE": args.file, "MODEL": args.model}, ("FILE", "MODEL"))
    folder = str(locations.local_folder("FILE", args.file))
    with console.library_output_to(Path(os.devnull)):
        # Here: JAX and TensorFlow take their seconds.
        from modules.export.logit_checks import ExportMismatchError
        from modules.export.reusable import round_trip
        from modules.models import loading

        try:
            for way in round_trip.check_saved(folder, loading.load(args.model)):
                print(f"as JAX: {way}")
        except ExportMismatchError as error:
            print(f"error: {folder}: {error}", file=sys.stderr)
            return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
