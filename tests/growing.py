"""Versions of a dataset in memory to which rows are appended, whose rows are corrected and rolled over."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from bigviz.data.appending.growth import Correction, Growth
from bigviz.data.dataset import Dataset
from bigviz.data.sources.memory import MemorySource

__all__ = ["Growing"]


class Growing:
    """A dataset that grows. `table` holds the rows that are there, and `version()` gives the dataset as it is now."""

    def __init__(self, table: pa.Table, name: str = "grown") -> None:
        self.table = table
        self.first = 0
        self._name = name
        self._lineage = secrets.token_hex(8)
        self._appends: list[int] = []
        self._corrections: list[Correction] = []
        self._number = 1

    @property
    def stop(self) -> int:
        """The number of the next row."""
        return self.first + self.table.num_rows

    def append(self, table: pa.Table) -> Growing:
        """Add rows at the end."""
        self._appends.append(self.stop)
        self.table = pa.concat_tables([self.table, table])
        self._number += 1
        return self

    def correct(self, rows: Sequence[int], values: pa.Table) -> Growing:
        """Give rows (ascending numbers) other values."""
        at = np.arange(self.table.num_rows)
        at[np.asarray(rows) - self.first] = self.table.num_rows + np.arange(len(rows))
        self.table = pa.concat_tables([self.table, values]).take(at)
        self._number += 1
        self._corrections.append(Correction(self._number, np.asarray(rows, np.int64)))
        return self

    def roll(self, first: int) -> Growing:
        """Let go of the rows before number `first`."""
        self.table = self.table.slice(first - self.first)
        self.first = first
        self._number += 1
        return self

    def version(self) -> Dataset:
        """The dataset as it is now."""
        source = MemorySource(self.table)
        source.growth = Growth(self._lineage, self.first, tuple(self._corrections), tuple(self._appends))
        made = Dataset(self._name, source)
        made.version = self._number
        return made
