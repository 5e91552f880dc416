"""`python -m apps.web`: lays out the page with the pushed models, and serves it on loopback."""

import os
import sys

from apps.web import build, found, layout
from apps.web.server import PageServer
from data.texts import check_texts, number
from pipeline.running.exit_status import tells_wrong_settings
from pipeline.running.processes import interrupt_on_signals
from pipeline.storage import locations

_SETTINGS = ("OUTPUT", "DATASET", "PUSH_TO", "IMAGE_SIZE", "WEB_PORT")
_DEFAULT_PORT = 8090
_FOLDER = "web"  # in OUTPUT


@tells_wrong_settings
def main() -> int:
    """Serves as the environment says, until it is interrupted; returns the exit status."""
    check_texts(os.environ, _SETTINGS)
    port = number(os.environ, "WEB_PORT", int, _DEFAULT_PORT, 1, 65_535)
    models = found.find(os.environ)
    server = PageServer(port)  # a port in use is told before anything is built
    try:
        locations.make_writable("OUTPUT", models.device.output)
        folder = models.device.output / _FOLDER
        server.site = layout.lay_out(models, build.built(), folder)
        print(
            f"{models.device.task.name}: {', '.join(models.device.files)} of "
            f"{models.device_folder}\n"
            f"{models.no_personal or f'to be taught: {models.personal}'}\n"
            f"the page, to be put on any web host: {folder}\n"
            f"{server.address} (Ctrl-C ends it)",
            flush=True,
        )
        server.serve_forever()
    except KeyboardInterrupt:
        print("ended")
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    interrupt_on_signals()
    sys.exit(main())
