"""Reads pages of Markdown and finds what they name that is not there."""

import ast
import functools
import importlib.util
import itertools
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from data.files import PROJECT_ROOT
from pipeline.settings import COMMAND_SETTINGS, SETTINGS

_ROOT = PROJECT_ROOT.resolve()
_IGNORED = [line.rstrip("/") for line in (_ROOT / ".gitignore").read_text().split()]
README = PROJECT_ROOT / "README.md"
PAGES = (README, *sorted((PROJECT_ROOT / "docs").glob("*.md")))
_MARKDOWN = MarkdownIt("commonmark").enable("table")
_PACKAGES = ("apps", "benchmarks", "data", "examples", "modules", "pipeline", "serve", "tests")
_MAKEFILE = (PROJECT_ROOT / "Makefile").read_text()
_TARGETS = " ".join(re.findall(r"^([a-z][a-z -]*):", _MAKEFILE, re.MULTILINE)).split()
# What stands for the project's own folder, and what only a run or a download makes.
_PREFIXES = ("PROJECT/", "$PWD/", "./")
_MADE_LATER = ("data/cache",)
# Words for the reader's own, variables of the tests, and names that others gave.
_OTHER_NAMES = (
    "NAME",
    "PROJECT",
    "REQUIRE_FLINK",
    "REQUIRE_SPARK",
    "AWS_ACCESS_KEY_ID",
    "JAX_ENABLE_X64",
    "NVIDIA_L4",
)


class Code(NamedTuple):
    """A line of a fence, or what stands in code quotes."""

    line: int  # of the page, from 1
    text: str


@functools.cache
def tokens(text: str) -> tuple[Token, ...]:
    """Returns the page's tokens, with those inside of a paragraph or a cell after it."""
    found = []
    for token in _MARKDOWN.parse(text):
        found.append(token)
        line = token.map[0] if token.map else 0
        for child in token.children or ():
            child.map = [line, line + 1]
            line += child.type in ("softbreak", "hardbreak")
            found.append(child)
    return tuple(found)


def code(text: str) -> Iterator[Code]:
    """Yields every line of the fences and all that stands in code quotes."""
    for token in tokens(text):
        if token.type == "fence":
            for number, line in enumerate(token.content.splitlines(), token.map[0] + 2):
                yield Code(number, line)
        elif token.type == "code_inline":
            yield Code(token.map[0] + 1, token.content)


def links(text: str) -> list[str]:
    """Returns where the page's links lead to, without the anchors."""
    targets = (str(token.attrs.get("href", "")) for token in tokens(text))
    return [target.partition("#")[0] for target in targets if target]


def anchors(text: str) -> set[str]:
    """Returns the anchors that GitHub gives to a page's headings."""
    found: dict[str, int] = {}
    for token, inline in itertools.pairwise(tokens(text)):
        if token.type == "heading_open":
            title = "".join(part.content for part in inline.children or ())
            anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
            found[anchor] = found.get(anchor, -1) + 1
    return {f"{name}-{n}" if n else name for name, count in found.items() for n in range(count + 1)}


def problems(page: Path, text: str) -> list[str]:
    """Returns, as `page:line: name: what is wrong`, all that a page gets wrong.

    Args:
      page: where it lies, from which its links start.
      text: what it says.
    """
    found = [*_broken_links(page, text), *_broken_tables(text)]
    for line, content in code(text):
        found += [(line, *problem) for problem in _broken_code(content)]
    name = page.relative_to(PROJECT_ROOT).as_posix()
    return [f"{name}:{line}: {what}: {why}" for line, what, why in sorted(found)]


def _broken_links(page: Path, text: str) -> Iterator[tuple[int, str, str]]:
    for token in tokens(text):
        target = token.attrs.get("href") or token.attrs.get("src") or ""
        if not target or re.match(r"[a-z]+:", str(target)):
            continue
        path, _, anchor = str(target).partition("#")
        file = (page.parent / path).resolve() if path else page
        if not _is_kept(file):
            yield token.map[0] + 1, str(target), "there is no such file in the repository"
        elif anchor and anchor not in anchors(text if file == page else file.read_text()):
            yield token.map[0] + 1, str(target), "that page has no such heading"


def _broken_tables(text: str) -> Iterator[tuple[int, str, str]]:
    """Finds rows that GitHub shows cut off, or as text."""
    lines = text.splitlines()
    for token in tokens(text):
        if token.type == "inline":
            for number, line in enumerate(token.content.splitlines(), token.map[0] + 1):
                if line.startswith("|"):
                    yield number, line, "is not shown as a table"
        if token.type == "table_open":
            widths = [len(re.findall(r"(?<!\\)\|", line)) for line in lines[slice(*token.map)]]
            for number, width in enumerate(widths, token.map[0] + 1):
                if width != widths[0]:
                    yield number, lines[number - 1], f"expected {widths[0] - 1} cells"
        if token.type == "fence":
            shown = [line.strip() for line in lines[slice(*token.map)]]
            if shown[-1] != token.markup or len(shown) == 1:
                yield token.map[0] + 1, token.markup, "the fence has no end"


def _broken_code(text: str) -> Iterator[tuple[str, str]]:
    """Yields (name, what is wrong) for what a line of code or a text in code quotes names."""
    for name in re.findall(r"(?<![-\w$])([A-Z][A-Z0-9_]+)(?==)", text):
        if not _is_variable(name):
            yield name, "neither a setting nor a variable that the code knows"
    if re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", text) and not _is_variable(text):
        yield text, "neither a setting nor a name that the code knows"
    for module in re.findall(r"python[\d.]* -m ([\w.]+)", text):
        if not _runs(module):
            yield f"python -m {module}", "there is no such module to run"
    for command in re.findall(r"(?<!cannot )\bmake( [^&|;`#)\n\\]+)", text):
        yield from _broken_make(command)
    for word in re.split(r"[\s'\"=,;()\[\]{}`]+", text):
        path = functools.reduce(str.removeprefix, _PREFIXES, word).rstrip(":.")
        if _is_path(path) and not _is_kept(PROJECT_ROOT / path):
            yield path, "there is no such file in the repository"
        if re.fullmatch(rf"({'|'.join(_PACKAGES)})(\.[A-Za-z_]\w*)+", path) and not _exists(path):
            yield path, "there is no such module, and nothing of that name in one"


def _broken_make(arguments: str) -> Iterator[tuple[str, str]]:
    for word in re.findall(r"(?:[^\s'\"]|'[^']*'|\"[^\"]*\")+", arguments):
        setting, is_set, _ = word.partition("=")
        if is_set and setting not in (*SETTINGS, *COMMAND_SETTINGS):
            yield f"make {word}", "there is no such setting"
        if not is_set and re.fullmatch(r"[a-z][a-z-]*", word) and word not in _TARGETS:
            yield f"make {word}", "there is no such target"


def _is_path(word: str) -> bool:
    """Says whether a word can only be a path of the repository."""
    first, slash, _ = word.partition("/")
    if word.startswith(_MADE_LATER) or "*" in word or "<" in word:
        return False
    return bool(
        first and slash and (_ROOT / first).is_dir() and first not in _IGNORED
    ) or word.endswith((".py", ".sh", ".toml"))


def _is_kept(path: Path) -> bool:
    """Says whether the repository has a file or a folder of that path, and not just this disk."""
    path = path.resolve()
    if not path.exists() or not path.is_relative_to(_ROOT):
        return False
    name = path.relative_to(_ROOT).as_posix()
    return not any(fnmatch(place, ignored) for place in _places(name) for ignored in _IGNORED)


def _places(name: str) -> Iterator[str]:
    """Yields what .gitignore may call a path: each name on the way to it, and each beginning."""
    parts = name.split("/")
    for end in range(1, len(parts) + 1):
        yield parts[end - 1]
        yield "/".join(parts[:end])


@functools.cache
def _sources() -> str:
    """Returns the text of all code, in which the names of variables occur."""
    files = [_ROOT / "Makefile", _ROOT / "deploy" / "Dockerfile", *(_ROOT / "scripts").glob("*.sh")]
    for package in set(_PACKAGES) - {"tests"}:  # which also name what must not be there
        files += sorted((_ROOT / package).rglob("*.py"))
    return "\n".join(file.read_text() for file in files)


def _is_variable(name: str) -> bool:
    settings = (*SETTINGS, *COMMAND_SETTINGS, *_OTHER_NAMES)
    return name in settings or bool(re.search(rf"\b{name}\b", _sources()))


def _module_file(name: str) -> Path | None:
    path = PROJECT_ROOT / name.replace(".", "/")
    candidates = (path.with_name(f"{path.name}.py"), path / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)


def _runs(module: str) -> bool:
    """Says whether `python -m` takes a module."""
    if module.partition(".")[0] not in _PACKAGES:
        return importlib.util.find_spec(module.partition(".")[0]) is not None
    file = _module_file(f"{module}.__main__") or _module_file(module)
    return bool(file and '__name__ == "__main__"' in file.read_text())


def _exists(name: str) -> bool:
    """Says whether a dotted name is that of a module, or of something at the top of one."""
    if _module_file(name) or (PROJECT_ROOT / name.replace(".", "/")).is_dir():
        return True
    module, _, last = name.rpartition(".")
    file = _module_file(module)
    if not file:
        return False
    defined = set()
    for node in ast.parse(file.read_text()).body:
        defined |= {getattr(node, "name", None)}
        defined |= {target.id for target in ast.walk(node) if isinstance(target, ast.Name)}
    return last in defined
