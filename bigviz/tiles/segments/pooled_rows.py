"""The rows of a window from all parts, as if they were in one order: marks, and tables of rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Reduction, Rows
from bigviz.common.cancel import Cancel
from bigviz.common.workers import Crew, slices
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import microseconds
from bigviz.tiles.answers.marks import MOST_LOOKED, MOST_SORTED, Marks, find_marks, keys_tell, runs_within
from bigviz.tiles.answers.row_lookup import Found, find_rows, rows_table, true_rows
from bigviz.tiles.grid.batches import Batch
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.grid.window import Number, within
from bigviz.tiles.morton.keys import encode
from bigviz.tiles.morton.quadtree import positions_of
from bigviz.tiles.morton.radix_sort import sort_keys
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.segments.part_layer import PartLayer, Strays
from bigviz.tiles.segments.row_part import PartOrder, Roots

__all__ = ["Pool", "TakenRows", "mixed_order", "pooled_marks", "pooled_table"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

_ALL: Final = 1 << 62


@dataclass(frozen=True)
class Pool:
    """What rows are taken from: parts, their far rows within the roots of all, and what `Inputs` of all rows have."""

    parts: Sequence[PartLayer]
    strays: Sequence[Strays]
    roots: Roots
    axes: tuple[Axis, Axis]
    dtype: np.dtype[Any]
    own: np.dtype[Any]
    labels: tuple[str, ...] | None


@dataclass(frozen=True)
class _Mixed(PartOrder):
    """Rows of several parts, whose numbers (`originals`) are far from each other."""

    originals: Array = field(repr=False)

    def row_numbers(self, positions: slice | Array) -> npt.NDArray[np.int64]:
        return np.asarray(self.originals[positions], np.int64)


@dataclass(frozen=True)
class TakenRows:
    """Rows of one part: their numbers, their places on both axes, and what a reduction knows of them."""

    row: Array
    x: Array
    y: Array
    rows: Rows


def pooled_marks(pool: Pool, reduction: Reduction, x: Window, y: Window, most: int, cancel: Cancel) -> Marks | None:
    """The marks of rows of all parts in the half-open window `x` by `y`: as `find_marks` of all rows in one order."""
    begun = time.perf_counter()
    found: list[tuple[PartLayer, Array, Array]] = []
    for part in pool.parts:
        runs = runs_within(part.part.order, x, y, most, cancel)
        if runs is None:
            return None
        if len(runs[0]):
            found.append((part, *runs))
    stray = [(each, each.within(x, y)) for each in pool.strays]
    stray = [(each, at) for each, at in stray if len(at)]
    if len(found) == 1 and not stray and _suits(found[0][0], pool):
        part = found[0][0]
        return find_marks(part.part.order, part.inputs, x, y, most, cancel)
    total = sum(int((high - low).sum()) for _, low, high in found) + sum(len(at) for _, at in stray)
    columns = bool(reduction.columns)
    if total > (MOST_SORTED if columns else MOST_LOOKED):
        if columns or stray or not all(keys_tell(part.part.order) for part, *_ in found):
            return None
        marks = _piled(pool, reduction, found, x, y, most, cancel)
    else:
        taken = [_of_part(part, positions_of(low, high)) for part, low, high in found]
        taken += [_of_strays(each, at) for each, at in stray]
        order, inputs = mixed_order(pool, reduction, taken, cancel)
        marks = find_marks(order, inputs, x, y, most, cancel)
    if marks is not None:
        marks.cost.kernel_us = microseconds(time.perf_counter() - begun)
    return marks


def _suits(part: PartLayer, pool: Pool) -> bool:
    return part.part.order.roots == pool.roots and len(part.inputs.labels or ()) == len(pool.labels or ())


def _of_part(part: PartLayer, positions: Array) -> TakenRows:
    order = part.part.order
    x, y = (order.numbers(which, positions) for which in (0, 1))
    return TakenRows(order.row_numbers(positions), x, y, part.inputs.rows(positions))


def _of_strays(strays: Strays, at: Array) -> TakenRows:
    x, y = (strays.numbers(which)[at] for which in (0, 1))
    return TakenRows(strays.row_numbers(at), x, y, strays.rows(at))


def mixed_order(pool: Pool, reduction: Reduction, taken: Sequence[TakenRows], cancel: Cancel) -> tuple[_Mixed, Inputs]:
    """Rows in the order of the roots of all, ties by row number."""
    row = np.concatenate([np.empty(0, np.int64), *(each.row for each in taken)])
    empty = [axis.slice(0, 0)[0] for axis in pool.axes]
    x, y = (
        np.concatenate([none, *each])
        for none, each in zip(empty, ([t.x for t in taken], [t.y for t in taken]), strict=True)
    )
    by_row = np.argsort(row, kind="stable")
    row, x, y = row[by_row], x[by_row], y[by_row]
    keys, places = _sorted_keys(pool.roots, x, y, cancel)
    from_taken = by_row[places]
    own = x[places], y[places]
    survey = Survey(*pool.roots, len(row), len(row), 0, 0, None, None)
    none = np.empty(0, np.int64)
    order = _Mixed(
        survey,
        SortedKeys(keys),
        VerifiedArray(np.arange(len(row), dtype=np.uint32)),
        none,
        0,
        own,
        (x[:0], y[:0]),
        row[places],
    )
    values = valid = codes = None
    if reduction.column is not None:
        values = VerifiedArray(
            np.concatenate([np.empty(0, pool.own), *(_some(t.rows.values) for t in taken)])[from_taken]
        )
        if any(t.rows.valid is not None for t in taken):
            masks = [np.ones(len(t.row), np.bool_) if t.rows.valid is None else t.rows.valid for t in taken]
            valid = VerifiedArray(np.concatenate(masks)[from_taken])
    if reduction.category is not None:
        codes = VerifiedArray(
            np.concatenate([np.empty(0, np.int32), *(_some(t.rows.codes) for t in taken)])[from_taken]
        )
    numbers = order.row_numbers if reduction.ordered else None
    return order, Inputs(reduction, pool.dtype, pool.own, pool.labels, numbers, values, valid, codes)


def _some(values: Array | None) -> Array:
    assert values is not None
    return values


def _sorted_keys(roots: Roots, x: Array, y: Array, cancel: Cancel) -> tuple[Array, Array]:
    """The keys of rows that lie in the roots, sorted, and which row each is of; equal ones as they come."""
    keys, places = np.empty(len(x), np.uint64), np.empty(len(x), np.uint32)
    for start, stop in slices(len(x)):
        cancel.check()
        batch = Batch(start, (np.ascontiguousarray(x[start:stop]), None), (np.ascontiguousarray(y[start:stop]), None))
        encode(batch, roots, keys[start:stop], places[start:stop])
    return sort_keys(keys, places, slices(len(x)), Crew(1, cancel=cancel))


def _piled(
    pool: Pool,
    reduction: Reduction,
    found: Sequence[tuple[PartLayer, Array, Array]],
    x: Window,
    y: Window,
    most: int,
    cancel: Cancel,
) -> Marks | None:
    """The marks of runs whose rows are equal, by the first row of each: of counts alone."""
    row = np.concatenate([part.part.order.row_numbers(low) for part, low, _ in found])
    xs, ys = (np.concatenate([part.part.order.numbers(which, low) for part, low, _ in found]) for which in (0, 1))
    number = np.concatenate([high - low for _, low, high in found])
    keep = within(xs, *x) & within(ys, *y)
    row, xs, ys, number = row[keep], xs[keep], ys[keep], number[keep]
    keys, places = _sorted_keys(pool.roots, xs, ys, cancel)
    row, xs, ys, number = row[places], xs[places], ys[places], number[places]
    starts = np.flatnonzero(np.diff(keys, prepend=keys[:1] + np.uint64(1)) != 0)
    if len(starts) > most:
        return None
    many = np.add.reduceat(number, starts).astype(np.uint32) if len(starts) else np.empty(0, np.uint32)
    first = np.minimum.reduceat(row, starts) if len(starts) else row
    value = many if reduction.traits.counts else np.ones(len(many), np.uint8)
    return Marks(xs[starts], ys[starts], first, many, None, value, int(number.sum()))


def pooled_table(
    dataset: Dataset,
    layer: Layer,
    parts: Sequence[PartLayer],
    roots: Roots,
    x: Window,
    y: Window,
    limit: int,
    cancel: Cancel,
) -> tuple[pa.Table, int]:
    """True rows of a half-open window from all parts, at most `limit`: in Morton order, ties by row number, far rows
    last; and how many there are."""
    found: list[tuple[PartOrder, Found]] = []
    keys, rows, near, matched = [], [], [], 0
    for each in parts:
        order = each.part.order
        same = order.roots == roots  # else its rows may be in another order
        some = find_rows(order, x, y, limit if same else _ALL, cancel)
        matched += some.matched
        found.append((order, some))
        places = _keys_of(order, some.positions, roots), *_far_keys(order, some.far, roots)
        keys += [places[0], places[1]]
        near += [np.ones(len(places[0]), np.bool_), places[2]]
        rows += [order.row_numbers(some.positions), some.far]
    if not found:
        return rows_table(dataset, layer, np.empty(0, np.int64)), 0
    of_part = np.repeat(np.arange(len(found)), [len(some.positions) + len(some.far) for _, some in found])
    chosen = np.lexsort((np.concatenate(rows), np.concatenate(keys), ~np.concatenate(near)))[:limit]
    starts = np.searchsorted(of_part, np.arange(len(found)))
    tables, places_in = [], []
    for number, (order, some) in enumerate(found):
        at = np.flatnonzero(of_part[chosen] == number)
        mine, split = chosen[at] - starts[number], len(some.positions)
        is_near = mine < split
        picked = Found(some.positions[mine[is_near]], some.far[mine[~is_near] - split], 0)
        tables.append(true_rows(dataset, layer, order, picked))
        places_in.append(np.append(at[is_near], at[~is_near]))
    back = np.argsort(np.concatenate(places_in), kind="stable")
    return pa.concat_tables(tables).take(back), matched


def _keys_of(order: PartOrder, positions: Array, roots: Roots) -> Array:
    if order.roots == roots:
        return order.guard.keys.take(positions)
    return _keys(roots, *(order.numbers(which, positions) for which in (0, 1)))[0]


def _far_keys(order: PartOrder, far: Array, roots: Roots) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The keys of far rows, 0 for those that larger roots do not hold either, and where they do."""
    at = np.searchsorted(order.far, far)
    return _keys(roots, *(order.far_numbers(which)[at] for which in (0, 1)))


def _keys(roots: Roots, x: Array, y: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    keys, places = np.empty(len(x), np.uint64), np.empty(len(x), np.uint32)
    out, inside = np.zeros(len(x), np.uint64), np.zeros(len(x), np.bool_)
    batch = Batch(0, (np.ascontiguousarray(x), None), (np.ascontiguousarray(y), None))
    count, _ = encode(batch, roots, keys, places)
    out[places[:count]], inside[places[:count]] = keys[:count], True
    return out, inside
