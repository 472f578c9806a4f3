"""Writing where the gaps of a series begin and end, however many there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.tiles.series.sorted_numbers import PITCH
from bigviz.tiles.store.files.column_file import write_column
from bigviz.tiles.store.files.paged_file import PagedColumn

__all__ = ["GapWriter"]

_HELD: Final = 1 << 22  # edges in memory before they are written out
_RUN: Final = 1 << 21  # edges that are copied at a time
_INT64: Final = np.dtype(np.int64)


class GapWriter:
    """Collects the edges of gaps in order: `gaps.arrow` with its sums, and `gap-fences.arrow`, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._part = folder, folder / "gaps.part"
        self._held: list[npt.NDArray[np.int64]] = []
        self._waiting = self._aside = 0
        self._within = False
        self.missing = 0  # positions without a number
        self.fences = np.empty(0, np.int64)

    def add(self, first: int, count: int, known: npt.NDArray[np.bool_] | None) -> None:
        """The rows at `count` positions from `first` on, of which those in `known` (None: all) have a number."""
        if known is None:
            edges = np.array([first] if self._within and count else [], np.int64)
            self._within = self._within and not count
        else:
            edges = np.flatnonzero(np.diff((~known).view(np.int8), prepend=np.int8(self._within))) + first
            self._within = self._within if len(known) == 0 else not known[-1]
            self.missing += len(known) - int(np.count_nonzero(known))
        if len(edges):
            self._keep(edges)

    def finish(self, size: int) -> int:
        """Write the files of a series of `size` rows; how many edges there are. Nothing is written where none are."""
        if self._within:
            self._keep(np.array([size], np.int64))
        total = self._aside + self._waiting
        if total == 0:
            return 0
        column = PagedColumn(self._folder / "gaps.arrow", _INT64, total)
        self.fences = np.empty(-(-total // PITCH), np.int64)
        try:
            for first, edges in self._runs():
                column.put(first, edges)
                self.fences[first // PITCH : -(-(first + len(edges)) // PITCH)] = edges[::PITCH]
            column.finish(total)
        finally:
            column.close()
        write_column(self._folder / "gap-fences.arrow", self.fences)
        self._part.unlink(missing_ok=True)
        return total

    def _keep(self, edges: npt.NDArray[np.int64]) -> None:
        self._held.append(edges)
        self._waiting += len(edges)
        if self._waiting >= _HELD:
            with open(self._part, "ab") as file:
                for each in self._held:
                    file.write(each.data)
            self._aside += self._waiting
            self._held, self._waiting = [], 0

    def _runs(self) -> Any:
        """(first, edges) in runs of 2^21."""
        rest = np.concatenate(self._held) if self._held else np.empty(0, np.int64)
        for first in range(0, self._aside, _RUN):
            count = min(_RUN, self._aside - first)
            edges = np.fromfile(self._part, np.int64, count, offset=8 * first)
            if count < _RUN:
                edges, rest = np.concatenate([edges, rest[: _RUN - count]]), rest[_RUN - count :]
            yield first, edges
        begun = -(-self._aside // _RUN) * _RUN
        for first in range(0, len(rest), _RUN):
            yield begun + first, rest[first : first + _RUN]
