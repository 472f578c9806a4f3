"""Every page of the documentation: its links lead somewhere, its lines are short (ruff sees to those of the code)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .markdown import PAGES, ROOT, prose

LONGEST = 120


def names(pages: list[Path]) -> list[str]:
    return [str(page.relative_to(ROOT)) for page in pages]


def anchors(page: Path) -> set[str]:
    """The fragments that a page's headings have on GitHub."""
    titles = [line.lstrip("# ") for _, line in prose(page) if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_relative_link_resolves(page: Path) -> None:
    text = "\n".join(line for _, line in prose(page)) + "\n".join(re.findall(r"^\|.*$", page.read_text(), re.M))
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, fragment = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name} links to {target}"
        if fragment:
            assert fragment in anchors(linked), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_lines_of_prose_are_short(page: Path) -> None:
    assert [number for number, line in prose(page) if len(line) > LONGEST] == []


def test_pages_that_the_code_cites_are_there() -> None:
    code = [
        path
        for room in ("bigviz", "tests", "bench")
        for kind in ("py", "js")
        for path in ROOT.glob(f"{room}/**/*.{kind}")
    ]
    cited = set()
    for path in code:
        cited |= set(re.findall(r'\b(docs/[\w-]+\.md)(?:, "([\w ]+)")?', path.read_text()))
    for page, title in sorted(cited):
        assert (ROOT / page).exists(), page
        assert not title or f"\n## {title}\n" in (ROOT / page).read_text(), (page, title)
    assert ("docs/reference.md", "Far rows") in cited
