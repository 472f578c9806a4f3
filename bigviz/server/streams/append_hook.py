"""A function of whoever runs the server, which is called with what is appended to datasets."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from bigviz.common.daemon_thread import start_daemon

if TYPE_CHECKING:
    from bigviz.data.dataset import Dataset

__all__ = ["AppendHook", "OnAppend"]

_log = logging.getLogger("bigviz")

OnAppend = Callable[[str, int, pa.Table], object]
"""Called with the name of a dataset, its version, and the new rows as an Arrow table."""

_MOST_ROWS: Final = 1 << 20  # of one call


class AppendHook:
    """Calls a function in a thread of its own, so that no append waits for it. What comes while it runs is one call
    afterwards, of the last 2^20 rows at most. What it raises is logged."""

    def __init__(self, call: OnAppend, open: Callable[[str], Dataset]) -> None:
        self._call = call
        self._open = open
        self._changed = threading.Condition()
        self._waiting: dict[str, int] = {}  # the first new row of each dataset
        self._ended = False
        start_daemon("bigviz-on-append", self._run, stop=self.close)

    def tell(self, dataset: str, first: int) -> None:
        """A dataset has new rows, from a number on. From any thread; returns at once."""
        with self._changed:
            self._waiting.setdefault(dataset, first)
            self._changed.notify()

    def close(self) -> None:
        """Call no more; a call that has begun ends by itself."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _run(self) -> None:
        while (found := self._next()) is not None:
            try:
                dataset = self._open(found[0])
                rows = _rows(dataset, found[1])
                if rows.num_rows:
                    self._call(dataset.name, dataset.version, rows)
            except Exception:
                _log.exception("on_append failed for dataset %r", found[0])

    def _next(self) -> tuple[str, int] | None:
        with self._changed:
            while not self._waiting and not self._ended:
                self._changed.wait()
            if self._ended:
                return None
            dataset = next(iter(self._waiting))  # the one that has waited longest: none is passed over for ever
            return dataset, self._waiting.pop(dataset)


def _rows(dataset: Dataset, first: int) -> pa.Table:
    """The rows of a dataset from a number on, of the columns that can be read."""
    stop = dataset.first_row + dataset.num_rows
    start = max(first, stop - _MOST_ROWS)
    fields = [dataset.schema.field(each.name) for each in dataset.columns() if each.readable]
    columns = []
    for field in fields:
        arrays = [array.cast(field.type) for _, array in dataset.values(field.name, start, stop)]
        columns.append(pa.chunked_array(arrays, field.type))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))
