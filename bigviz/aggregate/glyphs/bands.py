"""Images with many cells, drawn band by band: rows are sorted by the band of cells that they fall in, and each band is
added up by itself, while it stays in a core's cache.

A grid that no cache holds costs a row a read from memory, and grids of their own for several threads are more to clear
and to combine than there are rows. Sorting costs two sequential passes instead, as the radix clustering of Manegold,
Boncz and Kersten does ("Optimizing main-memory join on modern hardware", IEEE TKDE 14(4), 2002). Rows keep their order
within a band, so sums are those of the row order, to the bit, on any number of threads.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.glyphs.point_reader import PointReader
from bigviz.aggregate.reductions.base import Planes, Reduction, Rows
from bigviz.aggregate.reductions.counts import Count, Presence
from bigviz.aggregate.reductions.tally import Tally, tally
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices

__all__ = ["banded_planes"]

Array = npt.NDArray[Any]

_SLICE: Final = 1 << 21  # rows that are sorted at a time
_BATCH: Final = 1 << 24  # rows that are sorted before bands are added up: some 200 MB of them
_BITS: Final = 17  # of the cells of a band, at least: half a megabyte of counts or a megabyte of sums
_MOST_BANDS: Final = 256  # to which a thread writes at once
_NONE: Final = np.empty(0, np.float32)


class _Sorted(NamedTuple):
    """A slice of rows by bands: band k has `edges[k]` to `edges[k + 1]`. Their cells within the band, and values and
    row numbers where the reduction reads them."""

    edges: Array
    cells: Array
    values: Array
    numbers: Array


def banded_planes(reader: PointReader, crew: Crew) -> Planes:
    """The planes of an image of all rows of a reader, on all threads of a crew; categories are last."""
    reduction, inputs, shape = _plain(reader.reduction.plane), reader.rows.inputs, reader.shape
    planes = reduction.create(shape, inputs.dtype, 0, crew.cancel.check)
    flat = [plane.reshape(-1) for plane in planes]
    cells = flat[0].size
    bits = max(_BITS, (max(cells - 1, 1) // _MOST_BANDS).bit_length())
    bands = slices(cells, 1 << bits)
    tallies: list[Tally] = [
        tally(reduction, (stop - start,), inputs.dtype, 0, inputs.narrow, crew.cancel.check) for start, stop in bands
    ]
    for first, last in slices(len(reader.rows), _BATCH):
        parts: dict[int, _Sorted] = {}

        def sort(piece: tuple[int, int], base: int = first, parts: dict[int, _Sorted] = parts) -> int:
            parts[piece[0]] = _sorted(reader, base + piece[0], base + piece[1], cells, bits)
            return piece[1] - piece[0]

        def add(band: int, parts: dict[int, _Sorted] = parts) -> int:
            for _, part in sorted(parts.items()):
                _add(tallies[band], part, band)
            return 1

        crew.run("drawing rows", sort, slices(last - first, _SLICE), last - first)
        crew.run("drawing rows", add, range(len(bands)), len(bands))
    for (start, stop), tallied in zip(bands, tallies, strict=True):
        crew.cancel.check()
        for plane, part in zip(flat, tallied.planes(), strict=True):
            plane[start:stop] = part
    return planes


def _sorted(reader: PointReader, start: int, stop: int, cells: int, bits: int) -> _Sorted:
    """The rows `start` to `stop` of an image of so many cells, by bands of 2^`bits`; rows outside are left out."""
    reduction, rows = reader.reduction, stop - start
    places = np.empty(rows, np.int32)
    for low, high in slices(rows, reader.slice_size):
        places[low:high] = reader.cells(reader.target(cells, 0), start + low, start + high)
    edges = np.zeros((cells - 1 >> bits) + 3, np.int64)
    _count_bands(frozen(places), cells, bits, edges)
    edges = np.cumsum(edges)
    inside = int(edges[-1])
    values = _NONE if _plain(reduction.plane).column is None else frozen(reader.values(start, stop)[0])
    moved = np.empty(inside if values.size else 0, values.dtype)
    numbers = np.empty(inside if reduction.ordered else 0, np.int64)
    local = np.empty(inside, np.int32)
    _sort(frozen(places), cells, bits, edges[1:], values, local, moved, numbers)
    return _Sorted(edges[:-1], local, moved, _numbered(reader, start, numbers))


def _plain(reduction: Reduction) -> Reduction:
    """The reduction of rows whose values are known not to be missing: counts read them for nothing else."""
    return type(reduction)() if isinstance(reduction, Count | Presence) else reduction


def _numbered(reader: PointReader, start: int, places: Array) -> Array:
    """Row numbers of the places of rows in a slice."""
    own = reader.rows.inputs.numbers
    return places + start if own is None else own[places + start]


def _add(tallied: Tally, part: _Sorted, band: int) -> None:
    here = slice(int(part.edges[band]), int(part.edges[band + 1]))
    if here.start < here.stop:
        numbers = part.numbers[here] if part.numbers.size else None
        tallied.add(part.cells[here], Rows(part.values[here] if part.values.size else None, None, numbers))


@jit
def _count_bands(cells: Array, outside: int, bits: int, edges: Array) -> None:
    """Count the rows of band b in `edges[b + 2]`: added up, `edges[b + 1]` is where the band begins, and `_sort` moves
    it on to where it ends."""
    for k in range(cells.size):
        if cells[k] < outside:
            edges[2 + (cells[k] >> bits)] += 1


@jit
def _sort(
    cells: Array, outside: int, bits: int, ends: Array, values: Array, local: Array, moved: Array, numbers: Array
) -> None:
    """Write rows to their bands in the order given; `ends[band]` is where the next one goes."""
    mask = np.int32((1 << bits) - 1)
    for k in range(cells.size):
        cell = cells[k]
        if cell >= outside:
            continue
        at = ends[cell >> bits]
        ends[cell >> bits] = at + 1
        local[at] = cell & mask
        if moved.size:
            moved[at] = values[k]
        if numbers.size:
            numbers[at] = k
