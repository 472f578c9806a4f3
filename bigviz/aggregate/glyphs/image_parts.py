"""How the rows of an image are shared among threads: in parts, each with planes of its own, or by bands of cells."""

from __future__ import annotations

import math
from typing import Final

from bigviz.aggregate.reductions.base import Reduction

__all__ = ["is_banded", "part_count"]

_MOST_PARTS: Final = 8  # of rows whose floats are added apart, however many threads there are
_ROWS: Final = 4  # a cell, that pay for a part of floats
_MOST_CELLS: Final = 1 << 27  # of the planes of all parts: half a gigabyte of counts
_BANDED: Final = 1 << 21  # rows that pay for being sorted by bands
_CACHED: Final = 1 << 24  # bytes of planes that the caches of a machine hold


def is_banded(rows: int, cells: int, reduction: Reduction, threads: int) -> bool:
    """Whether rows are sorted by bands of cells before they are added: where planes are larger than caches, or where
    there are too few rows a cell for planes of their own on every thread. For floats this, too, depends on rows and
    cells alone."""
    if rows < _BANDED:
        return False
    traits = reduction.traits
    size = 1 if traits.counts or traits.total == "any" else 8  # bytes of a cell while rows are added
    return cells * size > _CACHED or part_count(rows, cells, reduction, threads) < min(threads, 2)


def part_count(rows: int, cells: int, reduction: Reduction, threads: int) -> int:
    """At least one part: as many as there are threads, but no more than pay for planes of their own, which have `cells`
    cells, those of all categories together.

    Where the order of additions shows in the last bits of floats, the number depends on rows and cells alone.
    """
    if reduction.traits.float_order:
        count = min(_MOST_PARTS, 1 << int(math.log2(max(rows // (_ROWS * cells), 1))))
    else:
        count = min(threads, 2 * rows // cells)
    return max(1, min(count, _MOST_CELLS // cells))
