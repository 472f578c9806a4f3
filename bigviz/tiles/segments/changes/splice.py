"""An array in which a few items are taken out and others put in: the rest is copied as it lies."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit

__all__ = ["Splice", "places_among", "positions_of_rows"]

Array = npt.NDArray[Any]

_BUCKETS: Final = 1 << 16  # by the lower bits of a row number


@dataclass(frozen=True, eq=False)
class Splice:
    """The items at `removed` (positions, ascending) are taken out, and the k-th of others is put in before the item at
    `places[k]` (ascending)."""

    removed: npt.NDArray[np.int64] = field(repr=False)
    places: npt.NDArray[np.int64] = field(repr=False)

    @cached_property
    def is_in_place(self) -> bool:
        """Whether each item gives way to one at its own place."""
        return np.array_equal(self.removed, self.places)

    def of(self, old: Array, new: Array) -> Array:
        """What an array becomes, with the items of another one put in: itself where these are what was there."""
        if self.is_in_place and old.dtype == new.dtype:
            if old[self.removed].tobytes() == new.tobytes():
                return old
            made = old.copy()
            made[self.removed] = new
            return made
        pieces: list[Array] = []
        at, left = 0, self.removed.tolist()[::-1]
        for number, place in enumerate(self.places.tolist()):
            while left and left[-1] < place:
                pieces.append(old[at : left[-1]])
                at = left.pop() + 1
            pieces += [old[at:place], new[number : number + 1]]
            at = place
        for position in reversed(left):
            pieces.append(old[at:position])
            at = position + 1
        return np.concatenate([*pieces, old[at:]], dtype=np.promote_types(old.dtype, new.dtype))


def places_among(keys: Array, rows: Array, new_keys: Array, new_rows: Array) -> npt.NDArray[np.int64]:
    """Before which of some rows, by ascending key, ties by number, others go that are ordered so too."""
    places = np.searchsorted(keys, new_keys)
    ends = np.searchsorted(keys, new_keys, "right")
    for k in np.flatnonzero(ends > places).tolist():
        places[k] += np.searchsorted(rows[places[k] : ends[k]], new_rows[k])
    return places


def positions_of_rows(rows: Array, wanted: Array) -> npt.NDArray[np.int64]:
    """Where some row numbers (uint32, ascending) are among others, which are in any order; as far as they are there."""
    table = np.zeros(_BUCKETS, np.bool_)
    table[wanted & np.uint32(_BUCKETS - 1)] = True
    out = np.empty(len(wanted), np.int64)
    return out[: _find(frozen(rows), frozen(wanted), frozen(table), out)]


@jit
def _find(rows: Array, wanted: Array, table: Array, out: Array) -> int:
    found = 0
    for k in range(rows.size):
        if table[rows[k] & (_BUCKETS - 1)]:
            place = np.searchsorted(wanted, rows[k])
            if place < wanted.size and wanted[place] == rows[k]:
                out[found] = k
                found += 1
    return found
