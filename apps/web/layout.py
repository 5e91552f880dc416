"""Lays out the built page and the models as a folder of files that any web host can serve.

All but `index.html` and the service worker lie in folders that carry the digest of their content
in their names. So a browser may keep them forever, and an old page and a new one never mix.
"""

import dataclasses
import gzip
import hashlib
import html
import json
import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

from apps.web.found import Found
from data.errors import disk_errors
from data.files import file_sha256
from pipeline.verdict.device_package import MANIFEST_FILE

INDEX, WORKER = "index.html", "service-worker.js"
# Nothing but this page's own files; WebAssembly is compiled, no text is run as code.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'"
)
_DIGITS = 12  # of a digest, in a folder's name
_ENCODINGS = {".br": "br", ".gz": "gzip"}  # the smallest first
_SQUEEZED = (".js", ".css", ".html", ".json", ".wasm", ".tflite", ".svg")
_LEVEL = 9


@dataclasses.dataclass(frozen=True)
class Asset:
    """A file of the site.

    Attributes:
      path: where it lies.
      sha256: of its content.
      is_kept: whether its content never changes under its name.
      encoded: compressed files with the same content, by Content-Encoding.
    """

    path: Path
    sha256: str
    is_kept: bool
    encoded: Mapping[str, Path]


Site = Mapping[str, Asset]  # by the path in an address, as "/index.html"; "/" is INDEX


def lay_out(found: Found, dist: Path, folder: Path) -> Site:
    """Writes the site; what stood in the folder before is replaced in one step.

    Args:
      found: the models.
      dist: the built page.
      folder: which becomes the site.

    Returns:
      Every file of it, by its path in an address.

    Raises:
      data.errors.DataError: the disk refuses.
    """
    with disk_errors("write", folder):
        new = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
        try:
            _write(found, dist, new)
            old = new.with_name(f"{new.name}-old")
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(new, ignore_errors=True)
        return _assets(folder)


def _write(found: Found, dist: Path, site: Path) -> None:
    site.mkdir(parents=True)
    page = _folder(site, "page", _files_in(dist / "page"))
    wasm = _folder(site, "wasm", _files_in(dist / "wasm"))
    names = (MANIFEST_FILE, *found.device.files.values())
    device = _folder(site, "device", [found.device_folder / name for name in names])
    personal = None
    if found.personal:
        files = [found.personal / name for name in found.personal_files]
        personal = _folder(site, "personal", files)
    for file in sorted(site.rglob("*")):
        if file.suffix in _SQUEEZED:
            _squeeze(file)
    index, worker = ((dist / name).read_text("utf-8") for name in (INDEX, WORKER))
    facts = {
        "wasm": f"{wasm}/",
        "device": f"{device}/",
        "personal": f"{personal}/" if personal else None,
        "noPersonal": found.no_personal,
        "bytes": _wire_bytes(site),
    }
    title = found.device.task.title or found.device.task.name
    said = json.dumps([index, worker, page, title, facts])
    facts["version"] = hashlib.sha256(said.encode()).hexdigest()[:_DIGITS]
    for name, text in (
        ("policy", POLICY),
        ("page", page),
        ("title", title),
        ("facts", json.dumps(facts)),
    ):
        index = index.replace(f"%{name}%", html.escape(text))
    (site / INDEX).write_text(index, "utf-8")
    lists = {
        "version": facts["version"],
        "shell": ["./", *(f"{page}/{file.name}" for file in _files_in(dist / "page"))],
        "files": [*_wire_bytes(site)],
    }
    (site / WORKER).write_text(f"self.SITE = {json.dumps(lists)};\n{worker}", "utf-8")
    for name in (INDEX, WORKER):
        _squeeze(site / name)


def _files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())


def _folder(site: Path, name: str, files: Iterable[Path]) -> str:
    """Copies files into a folder of the site; returns its name, which has their digest."""
    files = list(files)
    lines = "".join(f"{file.name} {file_sha256(file)}\n" for file in files)
    named = f"{name}-{hashlib.sha256(lines.encode()).hexdigest()[:_DIGITS]}"
    (site / named).mkdir()
    for file in files:
        shutil.copyfile(file, site / named / file.name)
    return named


def _squeeze(file: Path) -> None:
    content = gzip.compress(file.read_bytes(), _LEVEL, mtime=0)
    file.with_name(f"{file.name}.gz").write_bytes(content)


def _plain_files(site: Path) -> list[Path]:
    files = (path for path in site.rglob("*") if path.is_file())
    return sorted(path for path in files if path.suffix not in _ENCODINGS)


def _wire_bytes(site: Path) -> dict[str, int]:
    """Returns how many bytes each file is by gzip, by its path in the site."""
    return {
        file.relative_to(site).as_posix(): _gzipped_or_plain(file).stat().st_size
        for file in _plain_files(site)
        if file.parent != site
    }


def _gzipped_or_plain(file: Path) -> Path:
    gzipped = file.with_name(f"{file.name}.gz")
    return gzipped if gzipped.exists() else file


def _assets(site: Path) -> Site:
    assets = {}
    for file in _plain_files(site):
        encoded = {
            encoding: path
            for suffix, encoding in _ENCODINGS.items()
            if (path := file.with_name(file.name + suffix)).exists()
        }
        path = file.relative_to(site).as_posix()
        assets[f"/{path}"] = Asset(file, file_sha256(file), file.parent != site, encoded)
    return {**assets, "/": assets[f"/{INDEX}"]}
