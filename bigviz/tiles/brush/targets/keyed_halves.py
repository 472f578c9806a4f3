"""Upper halves of codes, one axis of which is in the keys of the source's order: 2 bytes a row for the other one.

What is gathered when a pointer enters a figure goes to new memory, whose page faults can take longer than all else:
with half of it a brush is exact sooner.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import Root
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.tiles.brush.orders.position_ranges import Picked
from bigviz.tiles.brush.orders.source_order import SourceOrder
from bigviz.tiles.brush.targets.coarse_cells import count_some
from bigviz.tiles.brush.targets.in_order import numbers_at
from bigviz.tiles.grid.interleave import compact

__all__ = ["KeyedHalves", "keyed_halves"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_SLICE: Final = 1 << 16  # rows whose codes stay in the processor's cache
_CODES: Final = 1 << 16


@dataclass(frozen=True, eq=False)
class KeyedHalves:
    """Upper halves as `halves.Halves` has them. For rows with `keys` (uint64) the code of one axis is in axis `which`
    of the key, that of the other one in `codes` (uint16), which are `lost` where a row is outside, and nowhere else;
    `shifts` (16 and 0, or 0 and 16) are their places in a half. Rows without a key have their halves in `rest`
    (uint32)."""

    keys: Array
    which: int
    codes: Array
    lost: int
    shifts: tuple[int, int]
    rest: Array

    @property
    def mark(self) -> int:
        """What rows outside have, and no row inside."""
        return self.lost << self.shifts[1]

    @property
    def nbytes(self) -> int:
        """Bytes of memory, without keys."""
        return int(self.codes.nbytes + self.rest.nbytes)

    def take(self, picked: Picked) -> Array:
        """The halves of some rows, uint32."""
        out = np.empty(picked.rows, np.uint32)
        _take(picked.low, picked.high, picked.places, *self._terms(), out)
        return out

    def count(self, picked: Picked, less: Array, place: Array, sign: int, counts: Array) -> None:
        """Count some rows in the cells of a view (see `coarse_cells`)."""
        _count(picked.low, picked.high, picked.places, *self._terms(), less, place, sign, counts)

    def _terms(self) -> tuple[Array, Array, Array, Any, Any, Any, Any, Any]:
        own, other = (np.uint32(shift) for shift in self.shifts)
        rows = frozen(self.keys), frozen(self.codes), frozen(self.rest)
        return *rows, np.uint64(self.which), np.uint32(self.lost), own, other, np.uint32(self.mark)


def keyed_halves(
    axes: tuple[Axis, Axis], roots: tuple[Root, Root], order: SourceOrder, keyed: int, which: int, crew: Crew
) -> KeyedHalves | None:
    """The upper halves of a layer whose axis `keyed` (0: x) is axis `which` of the order's keys. None where rows have
    all 65,536 codes of the other axis, so that none is left for rows outside."""
    axis, root, rows = axes[1 - keyed], roots[1 - keyed], order.rows
    shifts = (16, 0) if keyed == 0 else (0, 16)
    codes, lost = _codes(lambda start, stop, out: _upper(axis, root, order, start, stop, out), rows, crew)
    if codes is None:
        return None
    keys = order.keys(0, rows)
    known = len(keys)
    found = KeyedHalves(keys, which, frozen(codes), lost, shifts, np.empty(0, np.uint32))
    own = np.empty(rows - known, np.uint16)
    inside = _upper(axes[keyed], roots[keyed], order, known, rows, own) & (codes[known:] != lost)
    pair = own.astype(np.uint32) << np.uint32(shifts[0]) | codes[known:].astype(np.uint32) << np.uint32(shifts[1])
    rest = np.where(inside, pair, np.uint32(found.mark))
    return KeyedHalves(keys, which, frozen(codes), lost, shifts, rest)


def _upper(axis: Axis, root: Root, order: SourceOrder, start: int, stop: int, out: Array) -> Mask:
    """Write the upper halves of an axis's codes, and say which rows have one."""
    return root.upper_codes(*numbers_at(axis, order.row_numbers(start, stop)), out)


def _codes(read: Callable[[int, int, Array], Mask], rows: int, crew: Crew) -> tuple[Array | None, int]:
    """What `read(start, stop, out)` writes for all rows, and the code of rows outside, which no row inside has. None
    where every code is taken."""
    codes, lost = np.empty(rows, np.uint16), _CODES - 1
    while True:
        seen, outside = np.zeros(_CODES, np.uint8), threading.Event()

        def look(piece: tuple[int, int], lost: int = lost, seen: Array = seen, some: threading.Event = outside) -> int:
            part = codes[slice(*piece)]
            if _mark(frozen(read(*piece, part)), lost, part, seen):
                some.set()
            return piece[1] - piece[0]

        crew.run("finding cells", look, slices(rows, _SLICE), rows)
        free = np.flatnonzero(seen == 0)
        if not len(free):
            return None, 0
        if not seen[lost] or not outside.is_set():
            return codes, lost if not seen[lost] else int(free[-1])
        lost = int(free[-1])


@jit
def _mark(inside: Array, lost: int, codes: Array, seen: Array) -> bool:
    """Note the codes of rows inside in `seen`, and give rows outside the code `lost`; whether there are any."""
    some = False
    for k in range(codes.size):
        if inside[k]:
            seen[codes[k]] = 1
        else:
            codes[k] = lost
            some = True
    return some


@jit
def _halves(
    keys: Array, codes: Array, which: np.uint64, lost: np.uint32, own: np.uint32, other: np.uint32, mark: np.uint32,
    out: Array,
) -> None:  # fmt: skip
    """The halves of consecutive rows with keys."""
    sixteen = np.uint64(16)
    for k in range(codes.size):
        code = np.uint32(codes[k])
        half = np.uint32(compact(keys[k] >> which) >> sixteen) << own | code << other
        out[k] = mark if code == lost else half


@jit
def _some_halves(
    places: Array, keys: Array, codes: Array, rest: Array, which: np.uint64, lost: np.uint32, own: np.uint32,
    other: np.uint32, mark: np.uint32, out: Array,
) -> None:  # fmt: skip
    """The halves of the rows at some positions, with keys or without."""
    sixteen = np.uint64(16)
    for k in range(places.size):
        at = np.int64(places[k])
        if at >= keys.size:
            out[k] = rest[at - keys.size]
            continue
        code = np.uint32(codes[at])
        half = np.uint32(compact(keys[at] >> which) >> sixteen) << own | code << other
        out[k] = mark if code == lost else half


@jit
def _range_halves(
    low: int, high: int, keys: Array, codes: Array, rest: Array, which: np.uint64, lost: np.uint32, own: np.uint32,
    other: np.uint32, mark: np.uint32, out: Array,
) -> None:  # fmt: skip
    """The halves of a range of rows, with keys or without."""
    known = min(max(low, keys.size), high)
    _halves(keys[low:known], codes[low:known], which, lost, own, other, mark, out[: known - low])
    for k in range(known, high):
        out[k - low] = rest[k - keys.size]


@jit
def _take(
    lows: Array, highs: Array, chosen: Array, keys: Array, codes: Array, rest: Array, which: np.uint64,
    lost: np.uint32, own: np.uint32, other: np.uint32, mark: np.uint32, out: Array,
) -> None:  # fmt: skip
    at = 0
    for r in range(lows.size):
        end = at + highs[r] - lows[r]
        _range_halves(lows[r], highs[r], keys, codes, rest, which, lost, own, other, mark, out[at:end])
        at = end
    _some_halves(chosen, keys, codes, rest, which, lost, own, other, mark, out[at:])


@jit
def _count(
    lows: Array, highs: Array, chosen: Array, keys: Array, codes: Array, rest: Array, which: np.uint64,
    lost: np.uint32, own: np.uint32, other: np.uint32, mark: np.uint32, less: Array, place: Array, sign: int,
    counts: Array,
) -> None:  # fmt: skip
    cells, some = np.empty(1024, np.int32), np.empty(1024, np.uint32)
    for r in range(lows.size):
        for start in range(lows[r], highs[r], 1024):
            size = min(highs[r] - start, 1024)
            _range_halves(start, start + size, keys, codes, rest, which, lost, own, other, mark, some[:size])
            count_some(some[:size], mark, less, place, cells, sign, counts)
    for start in range(0, chosen.size, 1024):
        size = min(chosen.size - start, 1024)
        part = chosen[start : start + size]
        _some_halves(part, keys, codes, rest, which, lost, own, other, mark, some[:size])
        count_some(some[:size], mark, less, place, cells, sign, counts)
