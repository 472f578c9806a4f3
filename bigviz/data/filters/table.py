"""What a filter asks of a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from bigviz.common.cancel import NEVER, Cancel
from bigviz.data.columns.column import Column, ColumnInfo
from bigviz.data.statistics.values import Statistics

__all__ = ["Table"]


class Table(Protocol):
    """A `Dataset`, which is made above this room."""

    @property
    def num_rows(self) -> int: ...

    @property
    def first_row(self) -> int: ...

    @property
    def name(self) -> str: ...

    @property
    def schema(self) -> pa.Schema: ...

    def columns(self) -> list[ColumnInfo]: ...

    def info(self, name: str) -> ColumnInfo: ...

    def chunks(self) -> list[tuple[int, int]]: ...

    def statistics(self, name: str, start: int, stop: int) -> Statistics | None: ...

    def values(self, name: str, start: int, stop: int, cancel: Cancel = NEVER) -> Iterator[tuple[int, pa.Array]]: ...

    def read_rows(
        self, names: Sequence[str], start: int, stop: int, cancel: Cancel = NEVER, own_labels: bool = False
    ) -> Iterator[tuple[int, list[Column]]]: ...

    def take(self, rows: np.ndarray, names: Sequence[str], most: int = ...) -> pa.Table: ...
