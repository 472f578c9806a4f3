"""Replaces some cells of an ascending list by what they are now."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit

__all__ = ["distinct", "spliced"]

Array = npt.NDArray[Any]

_WHOLE: Final = np.uint64(0)


def distinct(keys: Array) -> Array:
    """Different keys, ascending. As `np.unique`, which takes three times as long for a thousand."""
    ordered = np.sort(keys)
    return ordered[np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))] if len(ordered) else ordered


def spliced(keys: Array, cells: Array, there: npt.NDArray[np.bool_], shift: np.uint64 = _WHOLE) -> Array:
    """Where each of the later keys is: among `keys` (ascending), or, counted on from their end, among `cells`
    (ascending, each once). Keys that lie in one of the cells, which are their bits from `shift` on, are left out, and
    of the cells those that are not `there`."""
    places = np.empty(len(keys) + len(cells), np.int64)
    return places[: _splice(frozen(keys), frozen(cells), frozen(there), shift, places)]


@jit
def _splice(keys: Array, cells: Array, there: Array, shift: np.uint64, places: Array) -> int:
    found, k = 0, 0
    for at in range(keys.size):
        cell = keys[at] >> shift
        while k < cells.size and cells[k] < cell:
            if there[k]:
                places[found] = keys.size + k
                found += 1
            k += 1
        if k == cells.size or cells[k] != cell:
            places[found] = at
            found += 1
    for rest in range(k, cells.size):
        if there[rest]:
            places[found] = keys.size + rest
            found += 1
    return found
