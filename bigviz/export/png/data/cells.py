"""Cells of tiles to device pixels, from the values themselves. As in static/render/resample.js.

A pixel takes the cells whose centres lie in it; where none does (cells larger than pixels) the cell that holds its own
centre. Cells that share a pixel combine by the reduction's rule, in the order of the tiles that hold them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit

__all__ = ["MANY", "RULES", "AxisMap", "combined", "levelled", "map_axis", "mixed"]

Array = npt.NDArray[Any]
RULES: Final = {name: number for number, name in enumerate(("count", "sum", "mean", "min", "max", "first", "last"))}
MANY: Final = 16  # beyond so many cells a pixel, their numbers hardly differ from pixel to pixel
_TILE: Final = 256
_COUNT, _SUM, _MEAN, _MIN, _MAX, _FIRST, _LAST = range(7)


@dataclass(frozen=True)
class AxisMap:
    """The first cell of each pixel of an axis, counted from the first tile, and how many it takes; 0 outside."""

    first: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]

    @property
    def several(self) -> bool:
        """Some pixel takes several cells."""
        return bool((self.counts > 1).any())


def map_axis(edge: float, size: float, tiles: int, pixels: int) -> AxisMap:
    """The cells of each of `pixels` pixels; the first of `tiles` tiles of `size` pixels begins at `edge`."""
    cell, total = size / _TILE, tiles * _TILE
    start = max(0, math.floor(-edge / cell) - 1)
    stop = min(total - 1, math.ceil((pixels - edge) / cell) + 1)
    cells = np.arange(start, stop + 1, dtype=np.int64)
    places = np.floor(edge + (cells + 0.5) * cell).astype(np.int64)
    kept = (places >= 0) & (places < pixels)
    counts = np.bincount(places[kept], minlength=pixels).astype(np.int64)
    first = np.zeros(pixels, np.int64)
    first[places[kept][::-1]] = cells[kept][::-1]  # of those of a pixel the lowest is written last
    empty = np.flatnonzero(counts == 0)
    nearest = np.floor((empty + 0.5 - edge) / cell).astype(np.int64)
    inside = (nearest >= 0) & (nearest < total)
    first[empty[inside]] = nearest[inside]
    counts[empty[inside]] = 1
    return AxisMap(first, counts)


def combined(cells: Array, x: AxisMap, y: AxisMap, rule: str) -> npt.NDArray[np.float64]:
    """The value of each pixel, (y, x) float64; empty ones are 0 for counts, else NaN, as are the cells, (rows,
    columns) float64 from the top left."""
    out = np.empty((len(y.counts), len(x.counts)))
    _combine(frozen(cells), frozen(x.first), frozen(x.counts), frozen(y.first), frozen(y.counts), RULES[rule], out)
    return out


def mixed(
    totals: Array, colours: Array, x: AxisMap, y: AxisMap, counts: bool, additive: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    """Totals (y, x) and mixed colours (y, x, 3) of pixels, from the totals and mixed colours of cells.

    Counts add up and weigh colours; other totals add up if they are `additive`, else they are averaged, and their cells
    weigh alike.
    """
    shape = len(y.counts), len(x.counts)
    out, found = np.empty(shape), np.zeros((*shape, 3), np.uint8)
    axes = frozen(x.first), frozen(x.counts), frozen(y.first), frozen(y.counts)
    _mix(frozen(totals), frozen(colours), *axes, counts, additive, out, found)
    return out, found


def levelled(sums: Array, x: AxisMap, y: AxisMap, nominal: tuple[int, int], counts: bool) -> Array:
    """Sums of unlike numbers of cells brought to one scale: a pixel over n cells where a pixel nominally covers N shows
    sum * N / n. Counts are rounded up, so that no row disappears and a lone one stays 1."""
    if not x.several and not y.several:
        return sums
    shares = [
        each.counts / size if size < MANY else np.ones(len(each.counts))
        for each, size in zip((x, y), nominal, strict=True)
    ]
    cells = shares[1][:, None] * shares[0][None, :]
    with np.errstate(invalid="ignore", divide="ignore"):
        level = np.ceil(sums / cells) if counts else sums / cells
    return np.where((cells == 1) | (cells == 0) | (sums == 0), sums, level)


@jit
def _combine(cells: Array, fx: Array, nx: Array, fy: Array, ny: Array, rule: int, out: Array) -> None:
    for row in range(ny.size):
        for column in range(nx.size):
            value = 0.0 if rule == _COUNT else np.nan
            held = 0
            y, y_end = fy[row], fy[row] + ny[row]
            while y < y_end:
                y_next = min(y_end, (y // _TILE + 1) * _TILE)
                x, x_end = fx[column], fx[column] + nx[column]
                while x < x_end:
                    x_next = min(x_end, (x // _TILE + 1) * _TILE)
                    for j in range(y, y_next):
                        for i in range(x, x_next):
                            cell = cells[j, i]
                            if rule == _COUNT:
                                value += cell
                            elif np.isnan(cell):
                                continue
                            elif held == 0 or rule == _LAST:
                                value = cell
                            elif rule in (_SUM, _MEAN):
                                value += cell
                            elif rule == _MIN:
                                value = min(value, cell)
                            elif rule == _MAX:
                                value = max(value, cell)
                            held += 1
                    x = x_next
                y = y_next
            out[row, column] = value / held if rule == _MEAN and held > 1 else value


@jit
def _mix(
    totals: Array, colours: Array, fx: Array, nx: Array, fy: Array, ny: Array,
    counts: bool, additive: bool, out: Array, found: Array,
) -> None:  # fmt: skip
    for row in range(ny.size):
        for column in range(nx.size):
            total = 0.0 if counts else np.nan
            held = 0
            y, y_end = fy[row], fy[row] + ny[row]
            while y < y_end:
                y_next = min(y_end, (y // _TILE + 1) * _TILE)
                x, x_end = fx[column], fx[column] + nx[column]
                while x < x_end:
                    x_next = min(x_end, (x // _TILE + 1) * _TILE)
                    for j in range(y, y_next):
                        for i in range(x, x_next):
                            cell = totals[j, i]
                            if np.isnan(cell) or (counts and cell == 0):
                                continue
                            before = total if counts else float(held)
                            weight = cell if counts else 1.0
                            for k in range(3):
                                if held == 0:
                                    found[row, column, k] = colours[j, i, k]
                                else:
                                    both = found[row, column, k] * before + colours[j, i, k] * weight
                                    found[row, column, k] = np.uint8(int(both / (before + weight) + 0.5))
                            total = cell if held == 0 else total + cell
                            held += 1
                    x = x_next
                y = y_next
            out[row, column] = total / held if held > 1 and not counts and not additive else total
