"""Which rows a filter keeps, over all versions of a dataset that grows.

Each version looks at its new rows, and at those that were given other values.
"""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import locked
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column
from bigviz.data.dataset import Dataset
from bigviz.data.filters.kept import slices
from bigviz.data.filters.predicate import Predicate
from bigviz.tiles.grid.near_runs import near_runs
from bigviz.tiles.grid.row_filter import hidden, row_filter
from bigviz.tiles.morton.packed_mask import PackedMask
from bigviz.tiles.segments.column_pieces import pieces_of

__all__ = ["Filtering", "GrowingMask", "GrowingMasks", "KeptRows"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_NEAR: Final = 1 << 12  # rows between two that were corrected, which are looked at too
_LEAST: Final = 1 << 10  # bytes of bits


@dataclass(frozen=True, eq=False)
class KeptRows:
    """Of the rows of one version, with the numbers from `first` to `stop`, those that are kept: `count` of them.

    The k-th bit, the lowest of a byte first, is that of row `base` + k. Later versions write theirs after `stop`, into
    the same bytes.
    """

    number: int
    first: int
    stop: int
    count: int
    base: int
    bits: npt.NDArray[np.uint8] = field(repr=False)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.bits.nbytes

    def at(self, rows: Array) -> Mask:
        """Whether each of some rows, given by number, is kept."""
        return PackedMask(self.bits, np.empty(0, np.int64), self.stop - self.base).at(rows - self.base)

    def range(self, start: int, stop: int) -> Mask:
        """Whether each row from one number to another is kept."""
        return self.at(np.arange(start, stop, dtype=np.int64))

    def hide(self, column: Column, start: int) -> Column:
        """A column whose rows, the first of which has a number, are numbers only where they are kept."""
        return hidden(column, self.range(start, start + len(column)))


class GrowingMask:
    """The bits of all versions, from the newest one on. Safe to use from any number of threads."""

    def __init__(self) -> None:
        self._head: KeptRows | None = None
        self._given: weakref.WeakValueDictionary[int, KeptRows] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def version(self, dataset: Dataset, predicate: Predicate, crew: Crew) -> KeptRows | None:
        """The rows of a version that are kept: known, or found from the newest version there was. None for an older one
        that nobody holds any more. Raises Cancelled, and what reading raises."""
        with locked(self._lock, crew.cancel):
            found, head = self._given.get(dataset.version), self._head
            if found is not None:
                return found
            if head is not None and dataset.version < head.number:
                return None
            made = self._next(head, dataset, predicate, crew)
            self._head = self._given[made.number] = made
            return made

    def _next(self, head: KeptRows | None, dataset: Dataset, predicate: Predicate, crew: Crew) -> KeptRows:
        first, stop = dataset.first_row, dataset.first_row + dataset.num_rows
        if head is None or first >= head.stop:
            new = _mask(dataset, predicate, first, stop, crew)
            return self._made(dataset, int(np.count_nonzero(new)), first, np.packbits(new, bitorder="little"))
        base, bits, count = head.base, head.bits, head.count
        if first > head.first:
            count -= int(np.count_nonzero(head.range(head.first, first)))
        wrong = [each.rows for each in dataset.corrections if each.version > head.number]
        if wrong:
            rows = np.unique(np.concatenate(wrong))
            rows = rows[(rows >= first) & (rows < head.stop)]
            now = _mask_at(dataset, predicate, rows, crew)
            count += int(np.count_nonzero(now)) - int(np.count_nonzero(head.at(rows)))
            bits = bits.copy()  # earlier versions have the values before
            _set(bits, rows - base, now)
        new = _mask(dataset, predicate, head.stop, stop, crew)
        count += int(np.count_nonzero(new))
        gone = (first - base) // 8
        if 2 * gone > len(bits):
            base, bits = base + 8 * gone, bits[gone:].copy()
        return self._made(dataset, count, base, _appended(bits, head.stop - base, new))

    def _made(self, dataset: Dataset, count: int, base: int, bits: npt.NDArray[np.uint8]) -> KeptRows:
        first = dataset.first_row
        return KeptRows(dataset.version, first, first + dataset.num_rows, count, base, bits)


@dataclass(frozen=True, eq=False)
class Filtering:
    """A filter in one version: its text, what it keeps, and from what the next version's is made."""

    text: str
    kept: KeptRows
    mask: GrowingMask


class GrowingMasks:
    """The masks of all datasets that grow, by lineage and filter. One lives as long as a layer over it does."""

    def __init__(self) -> None:
        self._known: weakref.WeakValueDictionary[tuple[str | None, str], GrowingMask] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def knows(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether what a layer's filter keeps is known of an earlier version, or the layer has none."""
        return not layer.filter or (dataset.lineage, layer.filter) in self._known

    def filtering(self, dataset: Dataset, layer: Layer, crew: Crew) -> Filtering | None:
        """The filter of a layer in a version; None where it has none. Raises BadInput for a filter that does not go
        with the dataset, Cancelled, and what reading raises."""
        keep = row_filter(dataset, layer)
        if keep is None:
            return None
        with self._lock:
            mask = self._known.get((dataset.lineage, layer.filter))
            if mask is None:
                mask = self._known[dataset.lineage, layer.filter] = GrowingMask()
        found = mask.version(dataset, keep.predicate, crew)
        if found is None:  # nobody holds a version as old as this one
            mask = GrowingMask()
            found = mask.version(dataset, keep.predicate, crew)
            assert found is not None
        return Filtering(layer.filter, found, mask)


def _mask(dataset: Dataset, predicate: Predicate, start: int, stop: int, crew: Crew) -> Mask:
    """Which of the rows from one number to another are kept, on all threads."""
    out = np.zeros(stop - start, np.bool_)
    before = dataset.first_row

    def look(piece: tuple[int, int]) -> int:
        low, high = piece
        parts = slices(dataset, predicate, low - before, high - before, crew.cancel)
        for each in crew.paced(parts):
            at = each.start + before - start
            out[at : at + len(each.mask)] = each.mask
        return high - low

    crew.run("filtering rows", look, pieces_of(dataset, start, stop), stop - start)
    return out


def _mask_at(dataset: Dataset, predicate: Predicate, rows: Array, crew: Crew) -> Mask:
    """Which of some rows, given by ascending number, are kept."""
    out = np.zeros(len(rows), np.bool_)
    at = 0
    for run in near_runs(rows, _NEAR) if len(rows) else ():
        crew.look()
        low, alone = int(run[0]), Crew(1, cancel=crew.cancel)
        out[at : at + len(run)] = _mask(dataset, predicate, low, int(run[-1]) + 1, alone)[run - low]
        at += len(run)
    return out


def _set(bits: npt.NDArray[np.uint8], places: Array, values: Mask) -> None:
    """Give the bits at some places these values."""
    flags = np.left_shift(np.uint8(1), (places & 7).astype(np.uint8))
    np.bitwise_and.at(bits, places >> 3, ~flags)
    np.bitwise_or.at(bits, (places >> 3)[values], flags[values])


def _appended(bits: npt.NDArray[np.uint8], count: int, new: Mask) -> npt.NDArray[np.uint8]:
    """The bits with more after the first `count`: in the same memory where there is room, else in twice as much."""
    byte, need = count >> 3, -(-(count + len(new)) // 8)
    if need > len(bits):
        grown = np.zeros(max(_LEAST, 2 * need), np.uint8)
        grown[: len(bits)] = bits
        bits = grown
    if len(new):
        begun = np.unpackbits(bits[byte : byte + 1], count=count & 7, bitorder="little").view(np.bool_)
        bits[byte:need] = np.packbits(np.concatenate([begun, new]), bitorder="little")
    return bits
