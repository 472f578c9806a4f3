"""True rows of a window of a layer without an index: found in one pass, in the order that an index would have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root
from bigviz.tiles.grid.batches import Batch
from bigviz.tiles.grid.survey import both_numbers
from bigviz.tiles.grid.window import Number, within
from bigviz.tiles.morton.keys import encode

__all__ = ["scan_rows"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

_SPARE: Final = 1 << 16  # rows beyond the limit that are held before the last ones are dropped


def scan_rows(
    batches: Iterable[Batch], roots: tuple[Root, Root], x: Window, y: Window, limit: int
) -> tuple[npt.NDArray[np.int64], int]:
    """The numbers of the first `limit` rows of the half-open window `x` by `y`, and how many rows it has.

    `batches` hold all of its rows, in file order. In Morton order, ties in file order; far rows last.
    """
    keys, numbers = np.empty(0, np.uint64), np.empty(0, np.int64)
    far = np.empty(0, np.int64)
    matched = 0
    for batch in batches:
        own_keys, own, own_far = _matching(roots, batch, x, y)
        matched += len(own) + len(own_far)
        keys, numbers = np.append(keys, own_keys), np.append(numbers, own)
        far = np.append(far, own_far)[:limit]
        if len(keys) > limit + _SPARE:
            keys, numbers = _first(keys, numbers, limit)
    keys, numbers = _first(keys, numbers, limit)
    return np.append(numbers, far[: limit - len(numbers)]), matched


def _matching(roots: tuple[Root, Root], batch: Batch, x: Window, y: Window) -> tuple[Array, Array, Array]:
    """Keys and numbers of the rows of a batch in the window, and numbers of those that are far."""
    xs, ys, mask = both_numbers(batch)
    keep = within(xs, *x) & within(ys, *y)
    places = np.flatnonzero(keep if mask is None else keep & mask)
    keys, at = np.empty(len(places), np.uint64), np.empty(len(places), np.uint32)
    picked = Batch(0, (np.ascontiguousarray(xs[places]), None), (np.ascontiguousarray(ys[places]), None))
    found, far = encode(picked, roots, keys, at)
    numbers = places + batch.first
    return keys[:found], numbers[at[:found]], numbers[far]


def _first(keys: Array, numbers: Array, limit: int) -> tuple[Array, Array]:
    """The first rows by key; rows of equal keys stay in the order they are in."""
    order = np.argsort(keys, kind="stable")[:limit]
    return keys[order], numbers[order]
