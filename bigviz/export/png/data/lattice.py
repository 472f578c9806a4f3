"""Rows on a lattice: whole numbers or labels on both axes are drawn as cells, many rows on few numbers or labels of one
axis as dashes. As in static/layers/tiles/lattice.js."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["Lattice", "lattice_of"]

Array = npt.NDArray[Any]
Lattice = tuple[float, float]
"""Steps on x and on y in axis space; 0 on an axis without one."""

_FILLED: Final = 0.25  # from this share of the pairs of values on, rows look like a table
_LEAST_PAIRS: Final = 4
_CROWDED: Final = 50  # so many rows on each number of an axis, and so few numbers, are bands of dashes
_FEW: Final = 64


def lattice_of(x: Array, y: Array, coded: bool, whole: tuple[bool, bool]) -> Lattice | None:
    """The lattice of rows; `whole` says which axes are of whole numbers that are no times, `coded` that a coordinate
    comes once a category. None where they lie on none."""
    rows = len(x)
    if rows < _LEAST_PAIRS or not any(whole):
        return None
    across, up = (_distinct(values) if is_whole else None for values, is_whole in zip((x, y), whole, strict=True))
    if across and up:
        pairs = len(np.unique(np.stack([x, y], 1), axis=0)) if coded else rows
        if pairs >= _FILLED * across[0] * up[0]:
            return across[1], up[1]
    if across and _is_band(across[0], rows):
        return across[1], 0.0
    return (0.0, up[1]) if up and _is_band(up[0], rows) else None


def _is_band(count: int, rows: int) -> bool:
    return count <= _FEW and rows >= _CROWDED * count


def _distinct(values: Array) -> tuple[int, float]:
    """How many values there are, and the shortest distance between two (1 where there is one)."""
    found = np.unique(values)
    return len(found), float(np.diff(found).min()) if len(found) > 1 else 1.0
