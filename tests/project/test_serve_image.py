"""The image of the model server, step by step: what is sent, copied, installed and started."""

import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths

from data.files import PROJECT_ROOT
from serve.server.settings import ServerSettings
from tests.project.test_image import hadolint
from tests.support.serving import INFER, Server, images, push, tensor

DOCKERFILE = PROJECT_ROOT / "deploy" / "serve.Dockerfile"
TEXT = DOCKERFILE.read_text()
LINES = re.sub(r"\\\n\s*", "", TEXT)


def copied() -> dict[str, str]:
    """What is copied from the build's context, and where to."""
    found = {}
    for line in re.findall(r"^COPY (?!--from)(.+)$", TEXT, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            found[source] = target + Path(source).name if target.endswith("/") else target
    return found


def sent() -> set[str]:
    """The files that the image's own .dockerignore lets through."""
    lines = Path(f"{DOCKERFILE}.dockerignore").read_text().splitlines()
    kept = exclude_paths(str(PROJECT_ROOT), [line for line in lines if not line.startswith("#")])
    files = {path for path in kept if (PROJECT_ROOT / path).is_file()}
    return {path for path in files if not path.endswith("ignore") and path != DOCKERFILE.name}


def test_linter_finds_nothing() -> None:
    done = hadolint(DOCKERFILE)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_it_starts_from_what_the_trainer_s_image_does_and_its_user_is_not_root() -> None:
    bases = r"^FROM (\S+)"
    trainer = (PROJECT_ROOT / "deploy" / "Dockerfile").read_text()
    assert re.findall(bases, TEXT, re.MULTILINE) == re.findall(bases, trainer, re.MULTILINE)
    assert re.findall(r"^USER (.+)$", TEXT, re.MULTILINE) == ["1000"]


def test_what_is_sent_is_what_is_copied() -> None:
    sources = copied()
    assert all((PROJECT_ROOT / source).exists() for source in sources)
    for path in sent() - {"deploy/serve.Dockerfile"}:
        assert any(path == source or path.startswith(f"{source}/") for source in sources), path
    assert {"serve/server/__main__.py", "pipeline/storage/stores.py", "data/errors.py"} <= sent()
    assert not [path for path in sent() if path.startswith(("modules", "tests", "serve/client"))]


def test_the_installer_comes_out_of_the_lock_with_its_hashes(tmp_path: Path) -> None:
    [step] = re.findall(r"^RUN (grep .+?) &&", LINES, re.MULTILINE)
    shutil.copytree(PROJECT_ROOT / "requirements", tmp_path / "requirements")
    script = step.replace("/requirements/", "requirements/")
    subprocess.run(["bash", "-o", "pipefail", "-c", script], cwd=tmp_path, check=True)
    first, *hashes = (tmp_path / "requirements" / "uv.txt").read_text().splitlines()
    assert re.fullmatch(r"uv==[\d.]+ \\", first) and len(hashes) > 5
    assert all(line.lstrip().startswith("--hash=sha256:") for line in hashes)


@pytest.fixture
def clean_app(tmp_path: Path) -> Path:
    """A folder with what the image holds, and nothing else."""
    kept = sent()
    for source, target in copied().items():
        for path in kept:
            if path == source or path.startswith(f"{source}/"):
                copy = tmp_path / (target + path.removeprefix(source)).lstrip("/")
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(PROJECT_ROOT / path, copy)
    return tmp_path


def test_what_the_image_holds_serves(
    clean_app: Path, served_model: Callable[[float], Path]
) -> None:
    """With the packages of its lock, and with the variables and the command of the Dockerfile."""
    variables = dict(re.findall(r"(?:^ENV |\s)([A-Z_]+)=(\S+)", LINES.partition("ENV ")[2]))
    assert variables["SERVE_HOST"] == "0.0.0.0" and variables["PYTHONPATH"] == "/app"
    [command] = re.findall(r"^CMD (\[.+\])$", TEXT, re.MULTILINE)
    assert shlex.split(command.strip("[]").replace(",", " ")) == ["python", "-m", "serve.server"]
    output = clean_app / variables["OUTPUT"].lstrip("/")
    name = push(served_model(1.0), output / "serving")
    server = Server(output, {"SERVE_HOST": "127.0.0.1"}, code=clean_app / "app")
    try:
        server.start()
        server.wait_for(name)
        assert server.post(INFER, {"inputs": [tensor(images(1))]}).status == 200
        assert server.stop() == 0
    finally:
        if server.process.poll() is None:
            server.kill()


def test_the_ports_are_the_defaults() -> None:
    default = ServerSettings("", "")
    [exposed] = re.findall(r"^EXPOSE (.+)$", TEXT, re.MULTILINE)
    ports = (default.port, default.grpc_port, default.metrics_port)
    assert exposed.split() == [str(port) for port in ports]
