"""The peer of the model server: our runtime in mlserver itself, which loads versions by itself."""

import contextlib
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from data.files import PROJECT_ROOT
from pipeline.beam import direct_http
from tests.support.machine import environment, free_port
from tests.support.serving import serve_python


@contextlib.contextmanager
def serving_by_mlserver(
    name: str, versions: Sequence[Path], folder: Path
) -> Iterator[tuple[dict[str, int], Callable[[], None]]]:
    """Runs mlserver with the first of two versions, without batching.

    Args:
      name: of the model.
      versions: two SavedModels.
      folder: to work in.

    Yields:
      Its ports, `http` and `grpc`; and a function that has it load the second version.
    """
    for number, model in enumerate(versions, 1):
        (folder / "models" / str(number)).mkdir(parents=True)
        shutil.copytree(model, folder / f"saved-{number}")
    _write_model_settings(name, folder, 1)
    ports = {which: free_port() for which in ("http", "grpc", "metrics")}
    settings = {f"MLSERVER_{which.upper()}_PORT": str(port) for which, port in ports.items()}
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(
            [serve_python().parent / "mlserver", "start", "models"],
            cwd=folder,
            env=environment(**settings)
            | {"MLSERVER_HOST": "127.0.0.1", "MLSERVER_PARALLEL_WORKERS": "0"}
            | {"MLSERVER_DEBUG": "false", "PYTHONPATH": str(PROJECT_ROOT)},
            stdout=log,
            stderr=log,
        )
    try:
        address = f"http://127.0.0.1:{ports['http']}/v2"
        while not _is_ready(f"{address}/models/{name}/ready"):
            assert server.poll() is None, (folder / "log").read_text()
            time.sleep(0.2)

        def load_second() -> None:
            _write_model_settings(name, folder, 2)
            request = urllib.request.Request(
                f"{address}/repository/models/{name}/load", b"", method="POST"
            )
            direct_http.urlopen(request, timeout=60).close()

        yield ports, load_second
    finally:
        server.kill()
        server.wait()


def _write_model_settings(name: str, folder: Path, number: int) -> None:
    content = {
        "name": name,
        "implementation": "serve.server.runtime.SavedModelRuntime",
        "parameters": {"uri": str(folder / f"saved-{number}"), "version": str(number)},
    }
    path = folder / "models" / str(number) / "model-settings.json"
    path.write_text(json.dumps(content))


def _is_ready(address: str) -> bool:
    try:
        direct_http.urlopen(address, timeout=10).close()
    except OSError:
        return False
    return True
