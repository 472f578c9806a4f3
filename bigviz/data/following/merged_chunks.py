"""Rows in memory that come a few at a time, kept as few chunks."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

__all__ = ["MergedChunks"]

_MOST_ROWS: Final = 1 << 20  # of a chunk that others are merged into


class MergedChunks:
    """Tables one after the other. Neighbours of about one size are merged, as log-structured stores do, so that each
    row is copied a few times, and `n` rows lie in at most n / 2^20 + 20 chunks or so. Tables that were given out stay
    as they are."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []
        self.num_rows = 0

    def add(self, table: pa.Table) -> None:
        """More rows at the end."""
        if not table.num_rows:
            return
        self.num_rows += table.num_rows
        tables = self._tables
        tables.append(table)
        while len(tables) > 1 and tables[-2].num_rows < 2 * tables[-1].num_rows:
            if tables[-2].num_rows + tables[-1].num_rows > _MOST_ROWS:
                return
            last = tables.pop()
            tables[-1] = pa.concat_tables([tables[-1], last]).combine_chunks()

    def table(self, schema: pa.Schema) -> pa.Table:
        """All rows; nothing is copied."""
        return pa.concat_tables(self._tables) if self._tables else schema.empty_table()
