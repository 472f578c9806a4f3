"""The values of each level over parts: their rows put into one order, as those of one index are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import CELLS_ONLY, Rows
from bigviz.common.cancel import Cancel
from bigviz.common.workers import Crew
from bigviz.render.level_values import LevelValues
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.levels.summary import level_values
from bigviz.tiles.pyramid.levels.values import ValueTally
from bigviz.tiles.segments.part_layer import PartLayer, Strays
from bigviz.tiles.segments.row_part import Roots, keys_of

__all__ = ["MOST_JOINED", "joined_levels"]

Array = npt.NDArray[Any]

MOST_JOINED: Final = 1 << 24  # rows: some seconds, and half a gigabyte


def joined_levels(
    parts: Sequence[PartLayer], roots: Roots, inputs: Inputs, tally: ValueTally, cancel: Cancel
) -> tuple[LevelValues, ...]:
    """The values of all filled cells of each level of these roots; those that are not counts are told to the `tally`.
    `inputs` has no columns; those of the parts may have fewer labels."""
    strays = [each for each in (part.strays(roots) for part in parts) if each is not None]
    found = [*_ordered(parts, roots), *_astray(strays, roots)]
    keys = np.concatenate([np.empty(0, np.uint64), *(keys for keys, _ in found)])
    order = np.argsort(keys, kind="stable")
    values, valid, numbers, codes = (_joined([rows[at] for _, rows in found], order) for at in range(len(CELLS_ONLY)))
    whole = Inputs(
        inputs.reduction,
        inputs.dtype,
        inputs.own,
        inputs.labels,
        None if numbers is None else numbers.__getitem__,
        *(None if each is None else VerifiedArray(each) for each in (values, valid, codes)),
    )
    return level_values(SortedKeys(keys[order]), whole, Crew(1, cancel=cancel), tally)


def _ordered(parts: Sequence[PartLayer], roots: Roots) -> Iterator[tuple[Array, Rows]]:
    """The keys under these roots and the rows of each part's order."""
    for each in parts:
        order = each.part.order
        if not len(order.keys):
            continue
        keys = order.keys
        if order.roots != roots:
            keys = np.concatenate(
                list(keys_of([(order.numbers(0, slice(None)), order.numbers(1, slice(None)))], roots))
            )
        yield keys, _told(each.inputs.rows(slice(0, len(keys))))


def _astray(strays: Sequence[Strays], roots: Roots) -> Iterator[tuple[Array, Rows]]:
    """The same of rows that a part keeps beside its order."""
    for each in strays:
        keys = np.concatenate(list(keys_of([(each.numbers(0), each.numbers(1))], roots)))
        yield keys, _told(each.rows(np.arange(len(each.at))))


def _told(rows: Rows) -> Rows:
    """The same with a mark for each value, as columns have them, also where all are valid."""
    if rows.values is None:
        return rows
    valid = np.ones(len(rows.values), np.bool_) if rows.valid is None else rows.valid
    return rows._replace(valid=np.asarray(valid, np.bool_).view(np.uint8))


def _joined(parts: Sequence[Array | None], order: Array) -> Array | None:
    """What belongs to rows, in their common order."""
    some = [part for part in parts if part is not None]
    return np.concatenate(some)[order] if some else None
