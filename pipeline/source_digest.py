"""Makes TFX's cache notice edits to this project's own components."""

import hashlib
from pathlib import Path

from pipeline.config import PROJECT_ROOT

# All that a pipeline is compiled from and its nodes run.
CODE = ("data/*.py", "modules/*.py", "pipeline/*.py", "pipeline/schema/*", "pipeline/templates/*")


def source_digest(*patterns: str, root: Path = PROJECT_ROOT) -> str:
    """Returns a digest of the files that match any of the patterns, such as `data/*.py`.

    TFX hashes the code of module files, but of a component only the name of its class; given as a
    parameter, the digest makes an edited component run again.

    Raises:
      FileNotFoundError: a pattern matches nothing.
    """
    paths = set()
    for pattern in patterns:
        found = set(root.glob(pattern))
        if not found:
            raise FileNotFoundError(f"no file matches {pattern} in {root}")
        paths |= found
    digest = hashlib.sha256()
    for path in sorted(paths):
        name = path.relative_to(root).as_posix().encode()
        digest.update(b"%d %s %d " % (len(name), name, path.stat().st_size) + path.read_bytes())
    return digest.hexdigest()


def code_digest() -> str:
    """Returns the digest of CODE."""
    return source_digest(*CODE)
