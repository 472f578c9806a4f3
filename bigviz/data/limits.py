"""How much a source may ask for before it is refused."""

from __future__ import annotations

from bigviz.common.errors import TooLarge
from bigviz.common.memory import available_memory

__all__ = [
    "MOST_CATEGORIES",
    "MOST_COLUMNS",
    "MOST_FILES",
    "MOST_FOOTER",
    "MOST_RATIO",
    "MOST_ROWS",
    "MOST_ROW_GROUPS",
    "gigabytes",
    "require_memory",
    "require_rows",
]

MOST_ROWS = 2**32 - 1
"""Row numbers are uint32 in the spatial order."""
MOST_CATEGORIES = 2**20
"""Labels of one column. More are names of rows, not categories, and a Python string costs 60 bytes and more."""
MOST_COLUMNS = 2**16
MOST_FILES = 100_000
MOST_ROW_GROUPS = 2**20
MOST_FOOTER = 2**28
"""Bytes of a Parquet footer; parsed, it takes about ten times as much."""
MOST_RATIO = 50_000
"""Declared size of a row group over the size of its file. zstd, the best of Parquet's codecs at it, packs zeros about
30,000 : 1."""


def require_memory(needed: int, what: str) -> None:
    """Raise `TooLarge` if `needed` bytes are not free; `what` begins the sentence, such as "Column 'x' of 'trips'"."""
    # A few megabytes are always worth trying: /proc/meminfo is read only for requests that can hurt.
    if needed < 1 << 24:
        return
    free = available_memory()
    if needed > free:
        raise TooLarge(
            f"{what} needs {gigabytes(needed)} of memory and {gigabytes(free)} are free. "
            "Open fewer rows or columns, or use a machine with more memory.",
            got=needed,
        )


def require_rows(rows: int, what: str) -> None:
    """Raise `TooLarge` beyond 2^32 - 1 rows."""
    if rows > MOST_ROWS:
        raise TooLarge(f"{what} has {rows:,} rows; bigviz opens at most {MOST_ROWS:,}. Open a part of it.", got=rows)


def gigabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1e9:,.1f} GB"
