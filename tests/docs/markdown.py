"""What the tests of the documentation read out of Markdown: sections, tables, listings, links, prose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(path for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")))


@dataclass(frozen=True)
class Listing:
    """A fenced block: its language, its text, and the line of the page on which it begins."""

    language: str
    text: str
    line: int


def section(page: Path, title: str) -> str:
    """The text below a heading of the second level, up to the next one."""
    return next(part for part in re.split(r"^## ", page.read_text(), flags=re.M) if part.startswith(f"{title}\n"))


def tables(text: str) -> list[list[list[str]]]:
    """The tables of a text as rows of cells, without their heads."""
    blocks = [part for part in text.split("\n\n") if part.startswith("|")]
    return [[[cell.strip() for cell in row.strip("|\n").split(" | ")] for row in b.splitlines()[2:]] for b in blocks]


def words(cell: str) -> list[str]:
    """The names in back quotes of a table's cell."""
    return re.findall(r"`([^`]+)`", cell)


def listings(page: Path) -> list[Listing]:
    """The fenced blocks of a page in order."""
    text = page.read_text()
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, flags=re.M | re.S)
    return [Listing(each[1], each[2], text.count("\n", 0, each.start()) + 1) for each in found]


def prose(page: Path) -> Iterator[tuple[int, str]]:
    """The numbered lines of a page that are neither a table's nor a listing's."""
    fenced = False
    for number, line in enumerate(page.read_text().splitlines(), 1):
        fence = line.startswith("```")
        fenced ^= fence
        if not fence and not fenced and not line.startswith("|"):
            yield number, line
