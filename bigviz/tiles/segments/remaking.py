"""Parts that take the place of others: merged, of other roots, or without some of their rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.common.workers import Crew
from bigviz.data.columns.column import widen
from bigviz.tiles.grid.survey import Extent, Survey
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.pyramid.plane_store import MemoryShelf
from bigviz.tiles.segments.changes.splice import Splice, places_among, positions_of_rows
from bigviz.tiles.segments.changes.touched_cells import TouchedCells
from bigviz.tiles.segments.filtered_part import KeptOrder, column_above, column_below, kept_part
from bigviz.tiles.segments.part_layer import PartColumn, PartLayer, layer_of
from bigviz.tiles.segments.row_part import PartOrder, Roots, RowPart, among, joined, kept_rows, merged, part_of

__all__ = ["carried", "merge", "remake", "spliced", "without"]

Array = npt.NDArray[Any]
Join = Callable[[Array, Array], Array]


def merge(parts: Sequence[RowPart], roots: Roots, crew: Crew) -> RowPart:
    """Neighbouring parts as one, with the columns and layers that all of them have.

    Those of one root are merged as they are sorted, the newest first: they are the smallest. Else all are sorted anew.
    """
    if any(part.order.roots != roots for part in parts):
        return remake(parts, roots, crew)
    whole = parts[-1]
    for part in reversed(parts[:-1]):
        whole = _merge_two(part, whole, crew)
    return whole


def _merge_two(a: RowPart, b: RowPart, crew: Crew) -> RowPart:
    made, how = merged(a, b, crew)
    far = np.argsort(np.append(a.order.far, b.order.far), kind="stable")
    carried((a, b), made, _both(lambda one, two: how.of(one, two, crew), lambda one, two: np.append(one, two)[far]))
    return made


def _both(near: Join, far: Join) -> Callable[[list[PartColumn]], PartColumn]:
    """How the columns of two parts become one, given how their values do, and those of their far rows."""

    def carry(columns: list[PartColumn]) -> PartColumn:
        one, two = columns
        valid = far_valid = None
        if one.valid is not None or two.valid is not None:
            valid = VerifiedArray(near(*(_mask(each.valid, len(each.values)) for each in columns)))
        if one.far_valid is not None or two.far_valid is not None:
            far_valid = far(_far_mask(one), _far_mask(two))
        values = VerifiedArray(near(one.values.array, two.values.array))
        ends = min(one.low, two.low), max(one.high, two.high)
        return PartColumn(values, valid, far(one.far, two.far), far_valid, *ends)

    return carry


def spliced(part: RowPart, rows: Array, new: RowPart) -> RowPart:
    """A part whose rows of some numbers (ascending) give way to those of another one, of the same root. Planes of tiles
    in which none of them is are kept: making those takes most of the time. Rows that stay where they are keep all but
    the columns with other values."""
    order, other = part.order, new.order
    wanted = (rows - order.first).astype(np.uint32)
    removed = positions_of_rows(order.rows, wanted)
    near = Splice(removed, places_among(order.keys, order.rows, other.keys, other.rows))
    far = Splice(np.flatnonzero(among(order.far, rows)), np.searchsorted(order.far, other.far))
    own, far_own = (
        tuple(how.of(*pair) for pair in zip(*pairs, strict=True))
        for how, pairs in ((near, (order.own, other.own)), (far, (order.far_own, other.far_own)))
    )
    inside, whole = part.inside, part.whole
    if any(a is not b for a, b in zip((*own, *far_own), (*order.own, *order.far_own), strict=True)):
        inside, whole = Extent(), Extent()
        inside.add(widen(own[0]), widen(own[1]))
        whole.add(widen(far_own[0]), widen(far_own[1]))
        whole.merge(inside)
    numbers = far.of(order.far, other.far)
    survey = Survey(*order.roots, whole.count, inside.count, 0, len(numbers), inside.low, inside.high)
    keys, numbered = near.of(order.keys, other.keys), near.of(order.rows, other.rows)
    guard = order.guard if keys is order.keys else SortedKeys(keys)
    made = PartOrder(
        survey, guard, VerifiedArray(numbered), numbers, order.first, (own[0], own[1]), (far_own[0], far_own[1])
    )
    out = RowPart(part.first, part.stop, made, whole)
    carried((part, new), out, _both(near.of, far.of))
    _keep_planes(part, out, TouchedCells.of((order.keys[removed], other.keys), 1))
    return out


def _keep_planes(old: RowPart, new: RowPart, touched: TouchedCells) -> None:
    for name, layer in new.layers.items():
        before = old.layers.get(name)
        if not isinstance(layer, PartLayer) or not isinstance(before, PartLayer):
            continue
        shelf = before.pyramid.shelf
        if isinstance(shelf, MemoryShelf) and before.inputs.labels == layer.inputs.labels:
            for tile, kept in shelf.items():
                if not touched.last(tile):
                    layer.pyramid.shelf.put(tile, kept)


def remake(parts: Sequence[RowPart], roots: Roots, crew: Crew) -> RowPart:
    """The rows of neighbouring parts sorted anew, in the order of other roots."""
    first, stop = parts[0].first, parts[-1].stop
    made = part_of(first, stop, joined([part.by_number() for part in parts]), roots, crew)
    places, far = made.order.rows, made.order.far - first

    def carry(columns: list[PartColumn]) -> PartColumn:
        dtype = np.result_type(*(column.values.array for column in columns))
        values = np.zeros(stop - first, dtype)
        masked = any(column.valid is not None or column.far_valid is not None for column in columns)
        mask = np.zeros(stop - first, np.bool_) if masked else None
        for part, column in zip(parts, columns, strict=True):
            rows, lost = part.order.rows + np.uint32(part.first - first), part.order.far - first
            values[rows], values[lost] = column.values.array, column.far
            if mask is not None:
                mask[rows], mask[lost] = _mask(column.valid, len(rows)), _far_mask(column)
        return PartColumn(
            VerifiedArray(values[places]),
            None if mask is None else VerifiedArray(mask[places]),
            values[far],
            None if mask is None else mask[far],
            min(column.low for column in columns),
            max(column.high for column in columns),
        )

    carried(parts, made, carry)
    return made


def without(part: RowPart, first: int, stop: int, but: Array | None, crew: Crew) -> RowPart:
    """The rows of a part from `first` to `stop`, without the numbers `but` (ascending)."""
    made, kept, far = kept_rows(part, first, stop, but, crew)

    def carry(columns: list[PartColumn]) -> PartColumn:
        [column] = columns
        return PartColumn(
            VerifiedArray(column.values.array[kept]),
            None if column.valid is None else VerifiedArray(column.valid.array[kept]),
            column.far[far],
            None if column.far_valid is None else column.far_valid[far],
            column.low,
            column.high,
        )

    carried((part,), made, carry)
    return made


def carried(old: Sequence[RowPart], new: RowPart, carry: Callable[[list[PartColumn]], PartColumn]) -> None:
    """Bring the columns and layers of parts into the part that takes their place, those that all of them have, and
    what filters keep of them."""
    held = [dict(part.layers) for part in old]
    common = set(held[0]).intersection(*held)
    for name in common:
        if isinstance(name, str):
            new.layers[name] = carry([each[name] for each in held])
    _carry_layers(held, new)
    for key in common:
        if isinstance(held[0][key], RowPart):
            new.layers[key] = _kept([each[key] for each in held], new, carry)


def _kept(old: Sequence[RowPart], new: RowPart, carry: Callable[[list[PartColumn]], PartColumn]) -> RowPart:
    """What a filter keeps of the part that takes the place of others, given what it keeps of those."""
    marked = carry([_marks(each.order) for each in old])
    made = kept_part(new, marked.values.array, marked.far)
    held = [dict(part.layers) for part in old]
    for name in set(held[0]).intersection(*held):
        if isinstance(name, str):
            whole: PartColumn | None = new.layers.get(name)
            if whole is None:
                columns = [column_above(each[name], part) for each, part in zip(held, old, strict=True)]
                made.layers[name] = _alone(column_below(carry(columns), made))
            else:
                made.layers[name] = column_below(whole, made)
    _carry_layers(held, made)
    return made


def _carry_layers(held: Sequence[dict[Any, Any]], new: RowPart) -> None:
    """Make the layers that parts had in common over the part that takes their place."""
    common = set(held[0]).intersection(*held)
    for key in common:
        if isinstance(key, str) or isinstance(held[0][key], RowPart):
            continue
        layers: list[PartLayer] = [each[key] for each in held]
        like = max(layers, key=lambda each: len(each.inputs.labels or ()))
        if not common.issuperset(like.layer.reduction.columns):  # they were being let go of
            continue
        inputs = like.inputs
        axes = (like.points.x, like.points.y)
        layer_of(new, like.layer, inputs.dtype, inputs.own, inputs.labels, axes)


def _marks(order: PartOrder) -> PartColumn:
    assert isinstance(order, KeptOrder)
    near, far = order.masks()
    return PartColumn(VerifiedArray(near), None, far, None)


def _alone(column: PartColumn) -> PartColumn:
    """The same with values of its own: the part below has no such column."""
    values, valid = column.values.take(slice(None)), None if column.valid is None else column.valid.take(slice(None))
    return replace(column, values=VerifiedArray(values), valid=None if valid is None else VerifiedArray(valid))


def _mask(valid: VerifiedArray | None, rows: int) -> Array:
    return np.ones(rows, np.bool_) if valid is None else valid.array


def _far_mask(column: PartColumn) -> Array:
    return np.ones(len(column.far), np.bool_) if column.far_valid is None else column.far_valid
