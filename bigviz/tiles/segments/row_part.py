"""Rows with neighbouring numbers, in order: what an index of rows that keep coming is put together from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import INSIDE, Root
from bigviz.aggregate.spaces import LINEAR
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.data.columns.column import Column, ColumnInfo, widen
from bigviz.tiles.grid.batches import Batch
from bigviz.tiles.grid.survey import Extent, Survey
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton.keys import encode
from bigviz.tiles.morton.order import Order, build_order
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.segments.changes.oldest_rows import lowest_of_blocks, rows_of_tile
from bigviz.tiles.segments.changes.splice import positions_of_rows

__all__ = [
    "Interleaving", "Numbers", "PartOrder", "Places", "Roots", "RowPart", "among", "joined", "kept_rows", "keys_of",
    "merged", "part_of",
]  # fmt: skip

Array = npt.NDArray[Any]
Roots = tuple[Root, Root]
Places = tuple[Array, Array]
"""The axis-space numbers of rows on x and on y, widened."""

_STEP: Final = 1 << 18  # rows that are merged between two looks: a millisecond


@dataclass(frozen=True)
class Numbers:
    """Rows by ascending number: `rows` (int64), and their axis-space numbers, all of which are numbers on both axes."""

    rows: npt.NDArray[np.int64]
    x: Array
    y: Array

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class PartOrder(Order):
    """Rows in Morton order with their own numbers on both axes in the same order: nothing else of the table is kept.

    `numbered` counts from row number `first` on. `own` and `far_own` hold the numbers of x and y in the columns' types.
    """

    first: int
    own: tuple[Array, Array] = field(repr=False)
    far_own: tuple[Array, Array] = field(repr=False)
    lowest: npt.NDArray[np.uint32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lowest", lowest_of_blocks(self.rows))

    @property
    def nbytes(self) -> int:
        arrays = (self.keys, self.rows, self.lowest, self.far, *self.own, *self.far_own)
        return sum(array.nbytes for array in arrays) + self.guard.nbytes

    @property
    def roots(self) -> Roots:
        """The roots that its keys are of."""
        return self.survey.x, self.survey.y

    def numbers(self, which: int, positions: slice | Array) -> Array:
        return widen(self.own[which][positions])

    def far_numbers(self, which: int) -> Array:
        return widen(self.far_own[which])

    def row_numbers(self, positions: slice | Array) -> npt.NDArray[np.int64]:
        numbers = super().row_numbers(positions)
        numbers += self.first
        return numbers

    def rows_of_tile(self, key: TileKey) -> tuple[int, int]:
        """How many rows lie in a tile of its roots, and the lowest of their numbers; (0, -1) without any."""
        count, lowest = rows_of_tile(self.guard, self.rows, self.lowest, key)
        return count, lowest + self.first if count else -1


@dataclass(frozen=True, eq=False)
class RowPart:
    """The rows with numbers from `first` to `stop` (exclusive), as far as they are numbers on both axes.

    `whole` is the extent of all those, `inside` of those that its order holds. `layers` are the columns and planes of
    reductions over it, by what they are of; other threads may put in and take out some at any time, so a loop goes over
    a copy.
    """

    first: int
    stop: int
    order: PartOrder
    whole: Extent
    layers: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def inside(self) -> Extent:
        """How many rows are in its order, and their extremes."""
        survey = self.order.survey
        return Extent(survey.inside, survey.low, survey.high)

    def __len__(self) -> int:
        return self.whole.count

    def strays(self, roots: Roots) -> tuple[Array, Array, Array] | None:
        """The far rows that lie within larger roots, by their places among the far rows, and their codes on x and y
        (int64); None without any."""
        order = self.order
        if not len(order.far):
            return None
        codes, inside = [], np.ones(len(order.far), np.bool_)
        for which, root in enumerate(roots):
            held = np.empty(len(order.far), np.uint32)
            inside &= root.codes(np.ascontiguousarray(order.far_numbers(which)), None, held) == INSIDE
            codes.append(held.astype(np.int64))
        at = np.flatnonzero(inside)
        return (at, codes[0][at], codes[1][at]) if len(at) else None

    def numbers_where(self, pick: Callable[[Array], npt.NDArray[np.bool_]], crew: Crew) -> Iterator[Places]:
        """The axis-space numbers on x and y of the rows whose numbers are picked, in pieces."""
        order = self.order
        for start, stop in slices(len(order.rows)):
            crew.look()
            at = np.flatnonzero(pick(order.row_numbers(slice(start, stop)))) + start
            if len(at):
                yield order.numbers(0, at), order.numbers(1, at)
        far = pick(order.far)
        if far.any():
            yield order.far_numbers(0)[far], order.far_numbers(1)[far]

    def numbers_of(self, rows: Array) -> Places:
        """Those of the rows with some numbers (ascending), which are among this part's; in any order."""
        order = self.order
        at, far = positions_of_rows(order.rows, (rows - order.first).astype(np.uint32)), among(order.far, rows)
        x, y = (np.append(order.numbers(which, at), order.far_numbers(which)[far]) for which in (0, 1))
        return x, y

    def by_number(self) -> Numbers:
        """All of its rows by ascending number: of 10^7 rows in a tenth of a second."""
        order = self.order
        rows = np.append(order.row_numbers(slice(None)), order.far)
        place = np.empty(self.stop - self.first, np.int32 if len(rows) < 1 << 31 else np.int64)
        there = np.zeros(self.stop - self.first, np.bool_)
        place[rows - self.first] = np.arange(len(rows), dtype=place.dtype)
        there[rows - self.first] = True
        by_number = place[there]
        x, y = (np.append(order.own[which], order.far_own[which])[by_number] for which in (0, 1))
        return Numbers(rows[by_number], x, y)


def part_of(first: int, stop: int, numbers: Numbers, roots: Roots, crew: Crew) -> RowPart:
    """Rows, given by ascending number, in the order of these roots."""
    whole = Extent()
    whole.add(widen(numbers.x), widen(numbers.y))
    known = Survey(*roots, len(numbers), whole.count, 0, 0, whole.low, whole.high)
    axes = [Axis(Column(_INFO, values, None, None), LINEAR) for values in (numbers.x, numbers.y)]
    made = build_order(axes[0], axes[1], False, crew, known)
    places = made.rows
    rows = frozen((numbers.rows - first).astype(np.uint32))
    own = tuple(_taken(values, places, crew) for values in (numbers.x, numbers.y))
    far_own = (numbers.x[made.far], numbers.y[made.far])
    inside = whole
    if len(made.far):
        inside = Extent()
        inside.add(widen(own[0]), widen(own[1]))
    found = Survey(*roots, len(numbers), inside.count, 0, len(made.far), inside.low, inside.high)
    order = PartOrder(
        found,
        made.guard,
        VerifiedArray(_taken(rows, places, crew)),
        numbers.rows[made.far],
        first,
        (own[0], own[1]),
        far_own,
    )
    return RowPart(first, stop, order, whole)


_INFO: Final = ColumnInfo("", pa.float64(), "float", None)  # of numbers that have left their column


def _taken(values: Array, places: Array, crew: Crew) -> Array:
    out = np.empty(len(places), values.dtype)

    def take(piece: tuple[int, int]) -> int:
        part = slice(*piece)
        np.take(values, places[part], out=out[part], mode="clip")
        return piece[1] - piece[0]

    crew.run("ordering rows", take, slices(len(out)), len(out))
    return out


@dataclass(frozen=True)
class Interleaving:
    """How two sorted lists of keys become one: `places[k]` is where the k-th of them was, the second list counted on
    from the end of the first; None where there was only one list."""

    places: npt.NDArray[np.uint32]
    split: int

    def of(self, a: Array, b: Array, crew: Crew) -> Array:
        """What belongs to the keys, in their common order."""
        dtype = np.promote_types(a.dtype, b.dtype)
        a, b = a.astype(dtype, copy=False), b.astype(dtype, copy=False)
        out = np.empty(len(self.places), dtype)
        for start, stop in slices(len(out), _STEP):
            crew.look()
            _place(frozen(a), frozen(b), self.places[start:stop], self.split, out[start:stop])
        return out


def merged(a: RowPart, b: RowPart, crew: Crew) -> tuple[RowPart, Interleaving]:
    """Two parts of the same roots as one, and how their rows lie in it. `b` may hold rows between those of `a`.

    Memory: that of the new part, and 4 bytes a row.
    """
    first = min(a.first, b.first)
    keys = np.empty(len(a.order.keys) + len(b.order.keys), np.uint64)
    places = np.empty(len(keys), np.uint32)
    rows_a, rows_b = a.order.rows, b.order.rows
    at = np.zeros(2, np.int64)
    for start, stop in slices(len(keys), _STEP):
        crew.look()
        _merge(
            frozen(a.order.keys), frozen(b.order.keys), frozen(rows_a), frozen(rows_b), a.first - first,
            b.first - first, at, keys[start:stop], places[start:stop],
        )  # fmt: skip
    how = Interleaving(places, len(a.order.keys))
    rows = how.of(_shifted(rows_a, a.first - first), _shifted(rows_b, b.first - first), crew)
    own = tuple(how.of(*pair, crew) for pair in zip(a.order.own, b.order.own, strict=True))
    far = np.append(a.order.far, b.order.far)
    by_number = np.argsort(far, kind="stable")
    far_own = tuple(np.append(*pair)[by_number] for pair in zip(a.order.far_own, b.order.far_own, strict=True))
    whole, inside = Extent(), Extent()
    for part in (a, b):
        whole.merge(part.whole)
        inside.merge(part.inside)
    survey = Survey(*a.order.roots, whole.count, inside.count, 0, len(far), inside.low, inside.high)
    order = PartOrder(
        survey, SortedKeys(keys), VerifiedArray(rows), far[by_number], first, (own[0], own[1]), (far_own[0], far_own[1])
    )
    return RowPart(first, max(a.stop, b.stop), order, whole), how


def _shifted(rows: Array, by: int) -> Array:
    return rows if by == 0 else rows + np.uint32(by)


def kept_rows(
    part: RowPart, first: int, stop: int, but: Array | None, crew: Crew
) -> tuple[RowPart, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """The rows of a part from `first` to `stop`, without the numbers `but` (ascending): as a part of their own, and
    which of the rows and of the far rows of the old one they are.

    Memory: that of the new part, and a byte a row of the old one.
    """
    order = part.order
    kept = np.empty(len(order.rows), np.bool_)
    for start, end in slices(len(kept)):
        crew.look()
        kept[start:end] = _within(order.row_numbers(slice(start, end)), first, stop, but)
    far = _within(order.far, first, stop, but)
    rows = order.rows[kept]
    rows -= np.array(first - order.first).astype(np.uint32)  # modulo 2^32: only what is kept has to fit
    own = (order.own[0][kept], order.own[1][kept])
    far_own = (order.far_own[0][far], order.far_own[1][far])
    inside, whole = Extent(), Extent()
    inside.add(widen(own[0]), widen(own[1]))
    whole.add(widen(far_own[0]), widen(far_own[1]))
    whole.merge(inside)
    survey = Survey(*order.roots, whole.count, inside.count, 0, len(far_own[0]), inside.low, inside.high)
    made = PartOrder(
        survey, SortedKeys(order.keys[kept]), VerifiedArray(frozen(rows)), order.far[far], first, own, far_own
    )
    return RowPart(first, stop, made, whole), kept, far


def _within(rows: Array, first: int, stop: int, but: Array | None) -> npt.NDArray[np.bool_]:
    keep = (rows >= first) & (rows < stop)
    return np.asarray(keep if but is None else keep & ~among(rows, but))


def among(rows: Array, chosen: Array) -> npt.NDArray[np.bool_]:
    """Which of some rows are among others (ascending)."""
    if not len(chosen):
        return np.zeros(len(rows), np.bool_)
    at = np.minimum(np.searchsorted(chosen, rows), len(chosen) - 1)
    return np.asarray(chosen[at] == rows)


def keys_of(places: Iterable[Places], roots: Roots) -> Iterator[npt.NDArray[np.uint64]]:
    """The Morton keys of those rows that lie in the roots, in pieces and in no order."""
    for x, y in places:
        keys, rows = np.empty(len(x), np.uint64), np.empty(len(x), np.uint32)
        batch = Batch(0, (np.ascontiguousarray(x), None), (np.ascontiguousarray(y), None))
        count, _ = encode(batch, roots, keys, rows)
        yield keys[:count]


def joined(parts: Sequence[Numbers]) -> Numbers:
    """Rows of several parts, each by ascending number, all by ascending number."""
    rows = np.concatenate([part.rows for part in parts])
    x, y = (np.concatenate([getattr(part, axis) for part in parts]) for axis in ("x", "y"))
    if len(rows) > 1 and (np.diff(rows) < 0).any():
        order = np.argsort(rows, kind="stable")
        rows, x, y = rows[order], x[order], y[order]
    return Numbers(rows, x, y)


@jit
def _merge(
    a: Array, b: Array, rows_a: Array, rows_b: Array, more_a: int, more_b: int, at: Array, keys: Array, places: Array
) -> None:
    """Continue to merge sorted keys, ties by row number, from the positions `at` on, until `keys` is full."""
    i, j = at[0], at[1]
    for k in range(keys.size):
        first = j >= b.size
        if i < a.size and j < b.size:
            first = a[i] < b[j] or (a[i] == b[j] and np.int64(rows_a[i]) + more_a < np.int64(rows_b[j]) + more_b)
        if first:
            keys[k] = a[i]
            places[k] = i
            i += 1
        else:
            keys[k] = b[j]
            places[k] = a.size + j
            j += 1
    at[0] = i
    at[1] = j


@jit
def _place(a: Array, b: Array, places: Array, split: int, out: Array) -> None:
    for k in range(places.size):
        place = np.int64(places[k])
        out[k] = a[place] if place < split else b[place - split]
