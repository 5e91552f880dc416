"""The container image: its Dockerfile, what is sent to the build, the lock of the GPU packages."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths

from data.files import PROJECT_ROOT
from pipeline.metadata.source_digest import CODE

DOCKERFILE = PROJECT_ROOT / "deploy" / "Dockerfile"
LOCKS = {
    name: (PROJECT_ROOT / "requirements" / name).read_text()
    for name in ("lock.txt", "cuda-lock.txt")
}
PINNED = re.compile(r"^([\w.-]+)==([\w.+-]+)(.*)\\$", re.MULTILINE)


def hadolint(path: Path) -> subprocess.CompletedProcess:
    command = [str(Path(sys.executable).parent / "hadolint"), "--no-color", str(path)]
    return subprocess.run(command, capture_output=True, text=True)


def copied() -> list[str]:
    """What the Dockerfile copies from the build's context, files and folders."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    return [source for line in lines for source in line.split()]


def sent() -> set[str]:
    """The files that .dockerignore lets through."""
    patterns = (PROJECT_ROOT / ".dockerignore").read_text().splitlines()
    kept = exclude_paths(str(PROJECT_ROOT), [line for line in patterns if not line.startswith("#")])
    return {path for path in kept if (PROJECT_ROOT / path).is_file()} - {".dockerignore"}


def test_linter_finds_nothing() -> None:
    done = hadolint(DOCKERFILE)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_linter_would_find_something(tmp_path: Path) -> None:
    worse = tmp_path / "Dockerfile"
    worse.write_text(DOCKERFILE.read_text().replace("python:3.11-slim-bookworm", "python:latest"))
    assert "DL3007" in hadolint(worse).stdout


def test_user_is_not_root_and_is_a_number() -> None:
    assert re.findall(r"^USER (.+)$", DOCKERFILE.read_text(), re.MULTILINE) == ["1000"]


def test_image_holds_the_code_and_nothing_else_is_sent_to_the_build() -> None:
    code = {
        str(path.relative_to(PROJECT_ROOT))
        for pattern in CODE
        for path in PROJECT_ROOT.glob(pattern)
    }
    locks = {f"requirements/{name}" for name in LOCKS}
    assert sent() == code | locks
    assert all(
        any(path == source or path.startswith(f"{source}/") for source in copied())
        for path in sent()
    )
    assert all((PROJECT_ROOT / source).exists() for source in copied())


@pytest.mark.parametrize("name", LOCKS)
def test_locks_are_hashed_and_name_no_address(name: str) -> None:
    entries = re.split(r"^(?=[a-zA-Z0-9])", LOCKS[name], flags=re.MULTILINE)[1:]
    assert len(entries) > 15
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"://|@", LOCKS[name])


def test_gpu_packages_fit_the_others() -> None:
    """pip puts them on top without asking whether they do."""
    versions: dict[str, set[str]] = {}
    for name, version, _ in PINNED.findall(LOCKS["lock.txt"]):
        versions.setdefault(name, set()).add(version)
    gpu = {name: version for name, version, _ in PINNED.findall(LOCKS["cuda-lock.txt"])}
    assert gpu["jax-cuda12-plugin"] == gpu["jaxlib"] == gpu["jax"]
    shared = gpu.keys() & versions.keys()
    assert {"jax", "jaxlib", "numpy"} <= shared
    assert {name: gpu[name] for name in shared if gpu[name] not in versions[name]} == {}
