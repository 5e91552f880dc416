"""The README and docs/: short, linked, well-formed, and nothing named that is not there."""

import re
from pathlib import Path

import pytest

from data.files import PROJECT_ROOT
from tests.project.pages import PAGES, README, anchors, code, links, problems, tokens

DOCS = PROJECT_ROOT / "docs"
INDEX = DOCS / "README.md"
BY_NAME = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
SOURCES = [
    PROJECT_ROOT / "Makefile",
    PROJECT_ROOT / ".ci" / "run",
    *(PROJECT_ROOT / "scripts").iterdir(),
    *(PROJECT_ROOT / "deploy").rglob("*.*"),
    *(
        file
        for room in ("apps", "benchmarks", "data", "examples", "modules", "pipeline", "serve")
        for file in (PROJECT_ROOT / room).rglob("*.py")
    ),
]


@BY_NAME
def test_all_that_a_page_names_is_there(page: Path) -> None:
    found = problems(page, page.read_text())
    assert not found, "\n" + "\n".join(found)


def test_the_readme_is_short_and_has_its_two_commands() -> None:
    text = README.read_text()
    assert len(text.splitlines()) <= 200
    first = [line.text.split("#")[0].strip() for line in code(text)][:2]
    assert first == ["make run", "make test"]


@BY_NAME
def test_a_page_begins_with_its_command(page: Path) -> None:
    """In the README, what the project is comes first."""
    blocks = [token for token in tokens(page.read_text()) if token.level == 0 and token.block]
    kinds = [token.type for token in blocks if not token.type.endswith("_close")]
    before = ["heading_open", *(["paragraph_open"] if page == README else []), "fence"]
    assert kinds[: len(before)] == before
    assert (
        blocks[0].tag == "h1" and [token.tag for token in blocks].count("h1") == 2
    )  # it opens and closes


def test_the_readme_leads_to_the_index_and_that_to_every_page() -> None:
    pages = set(DOCS.glob("*.md"))
    assert len(pages) > 15
    assert {(DOCS / link).resolve() for link in links(INDEX.read_text())} >= pages - {INDEX}
    assert "docs/README.md" in links(README.read_text())


def test_pages_that_code_names_are_there() -> None:
    named = {
        (path, anchor)
        for source in SOURCES
        for path, anchor in re.findall(
            r"\b(docs/[\w-]+\.md|README\.md)(?:#([\w-]+))?", source.read_text()
        )
    }
    assert {path for path, _ in named} >= {"docs/settings.md", "docs/local.md"}
    for path, anchor in named:
        text = (PROJECT_ROOT / path).read_text()
        assert not anchor or anchor in anchors(text), (path, anchor)


PAGE = """# A page

```
make run DATASET=digits
```

It is [there](../README.md#your-own-data), see `data/hard.py` and
{wrong}

## Two words, and a `name`

| a | b |
| --- | --- |
| 1 | 2 |
"""


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ("[a page](gone.md)", "gone.md"),
        ("[a heading](training.md#gone)", "training.md#gone"),
        ("[its own](#gone)", "#gone"),
        ("[outside](../../x)", "../../x"),
        ("[ignored by git](../.venv)", "../.venv"),
        ("![a picture](picture.png)", "picture.png"),
        ("`pipeline/evaluator.py`", "pipeline/evaluator.py"),
        ("`PROJECT/pipeline/gone.py`", "pipeline/gone.py"),
        ("`gone.py`", "gone.py"),
        ("`tests/project/`, `tests/gone/`", "tests/gone/"),
        ("`python -m pipeline.recover`", "python -m pipeline.recover"),
        ("`python -m pipeline.create`", "python -m pipeline.create"),
        ("`python -m no_such_package`", "python -m no_such_package"),
        ("`data.forms.idx.gone`", "data.forms.idx.gone"),
        ("`modules.training.gone`", "modules.training.gone"),
        ("`make runn`", "make runn"),
        ("`make run BEAM_ARGS='--a=1 --b=2' walk`", "make walk"),
        ("`make run EPOCS=3`", "make EPOCS=3"),
        ("`EPOCS=3 make run`", "EPOCS"),
        ("`NO_SUCH_SETTING`", "NO_SUCH_SETTING"),
        ("| no table |\n", "| no table |"),
    ],
)
def test_what_is_not_there_is_told_by_page_line_and_name(wrong: str, name: str) -> None:
    found = problems(DOCS / "page.md", PAGE.format(wrong=wrong))
    assert [problem for problem in found if problem.startswith(f"docs/page.md:8: {name}: ")]
    assert not [problem for problem in found if not problem.startswith("docs/page.md:8: ")]


def test_a_line_of_a_fence_and_a_row_are_told_by_their_own_line() -> None:
    text = PAGE.format(wrong="that.")
    assert problems(DOCS / "page.md", text) == []
    wrong = text.replace("make run", "make walk").replace("| 1 | 2 |", "| 1 | 2 | 3 |")
    assert [problem.partition(": ")[0] for problem in problems(DOCS / "page.md", wrong)] == [
        "docs/page.md:4",
        "docs/page.md:14",
    ]
    unended = text.replace("| 1 | 2 |", "```")
    assert any("the fence has no end" in problem for problem in problems(DOCS / "page.md", unended))


def test_anchors_are_those_of_github() -> None:
    text = PAGE.format(wrong="") + "\n## A page\n\n## What's `a_b`: 10?\n"
    assert anchors(text) == {"a-page", "two-words-and-a-name", "a-page-1", "whats-a_b-10"}
