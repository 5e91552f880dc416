"""Which components run again for an edit in a file: `python -m tests.pipeline.metadata.edits`."""

import contextlib
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from tfx.dsl.components.base.base_node import BaseNode

from data.digits import make_digits
from data.files import PROJECT_ROOT
from data.finding.opening import open_data
from modules.provenance.import_closure import Code
from pipeline.config import PipelineConfig
from pipeline.create import create_pipeline
from pipeline.metadata.source_digest import PARAMETER, attach_digests

CODE = ("data", "modules", "pipeline")
OTHERS = "all other files"
_NO_SOURCES = (".*", "__pycache__", "cache", "output", "build", "*.egg-info")


class Tree:
    """A copy of the project, to be edited."""

    def __init__(self, folder: Path):
        self.folder = shutil.copytree(
            PROJECT_ROOT, folder, ignore=shutil.ignore_patterns(*_NO_SOURCES)
        )

    def files(self) -> list[str]:
        """Returns their names, from the top of the project."""
        found = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.as_posix() for path in found)

    def code(self) -> list[str]:
        """Returns the names of those that may count."""
        return [name for name in self.files() if name.partition("/")[0] in CODE]

    @contextlib.contextmanager
    def edited(self, *names: str) -> Iterator[None]:
        """Appends a line to files, which may be new ones, and takes it away again."""
        paths = [self.folder / name for name in names]
        before = [path.read_bytes() if path.exists() else None for path in paths]
        for path, content in zip(paths, before, strict=True):
            path.write_bytes((content or b"") + b"\n# One more line.\n")
        try:
            yield
        finally:
            for path, content in zip(paths, before, strict=True):
                path.unlink() if content is None else path.write_bytes(content)

    def digests(self, components: Sequence[BaseNode]) -> dict[str, str]:
        """Returns those of the components, by id, if this were the project."""
        attach_digests(components, Code(self.folder))
        return {
            component.id: component.exec_properties[PARAMETER]
            for component in components
            if PARAMETER in component.exec_properties
        }

    def reruns(self, components: Sequence[BaseNode]) -> dict[str, set[str]]:
        """Returns the ids of the components that run again for an edit, by the edited file.

        Those that follow them in the pipeline do so, too, being given other artifacts. All files
        outside of CODE are edited at once, as OTHERS.
        """
        before = self.digests(components)
        edits = {name: [name] for name in self.code()}
        edits[OTHERS] = sorted(set(self.files()) - set(self.code()))
        found = {}
        for edit, names in edits.items():
            with self.edited(*names):
                after = self.digests(components)
            found[edit] = {name for name in before if after[name] != before[name]}
        return found


def table(reruns: Mapping[str, set[str]]) -> str:
    """Returns a line for each edit."""
    everything = set().union(*reruns.values())
    width = max(map(len, reruns))
    return "".join(f"{name:{width}}  {_short(ids, everything)}\n" for name, ids in reruns.items())


def _short(ids: Collection[str], everything: Collection[str]) -> str:
    """Returns the ids, those of a family as one where all of it is among them."""
    if ids == everything:
        return "all"
    shown = []
    for name in sorted(ids):
        family, dot, _ = name.partition(".")
        whole = {other for other in everything if other.startswith(f"{family}.")}
        shown.append(f"{family}.*" if dot and len(whole) > 1 and whole <= set(ids) else name)
    return ", ".join(dict.fromkeys(shown)) or "nothing"


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        make_digits(Path(folder, "digits"))
        files = open_data(Path(folder, "digits"))
        config = PipelineConfig(files, Path(folder, "output"), tuner_trials=2)
        components = create_pipeline(config).components
        print(table(Tree(Path(folder, "project")).reruns(components)), end="")


if __name__ == "__main__":
    main()
