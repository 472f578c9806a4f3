"""Tiles of a line: the cells of a level that integer Bresenham inks, from the few rows that M4 picks for the tile.

Vertices snap to cells of the whole level, not of the tile, and every segment that crosses a tile is drawn by it from
its true ends, so tiles join without a seam. As in datashader, a row between two gaps inks nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import CODE_BITS, FAR, Root
from bigviz.aggregate.glyphs.bresenham import mark_path
from bigviz.data.columns.column import widen
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import float_from, integer_from
from bigviz.tiles.series.line import Line
from bigviz.tiles.series.m4 import Picks
from bigviz.tiles.series.sorted_numbers import Ascending
from bigviz.wire.codec import SIDE

__all__ = ["draw_picks", "draw_tile", "mark_far", "tile_bounds"]

Array = npt.NDArray[Any]

_NEAR = 1 << 32  # cells that differ by no more are within mark_path's reach: every code is


def draw_tile(line: Line, roots: tuple[Root, Root], tile: TileKey) -> tuple[Array, int]:
    """The uint8 plane (256 x 256, row 0 the highest y) of a tile of a line, 1 where it passes; and the rows picked."""
    return draw_picks(line.picks(lambda numbers: tile_bounds(numbers, roots[0], tile)), roots, tile)


def draw_picks(picks: Picks, roots: tuple[Root, Root], tile: TileKey) -> tuple[Array, int]:
    """The same of what was picked for the tile's columns."""
    plane = np.zeros((SIDE, SIDE), np.uint8)
    chosen = _drawn(picks)
    if len(chosen) == 0:
        return plane[::-1], 0
    joined = np.append(np.diff(picks.runs[chosen]) == 0, False)
    columns, far_columns = _cells(roots[0], tile.zx, widen(picks.x[chosen]))
    lines, far_lines = _cells(roots[1], tile.zy, widen(picks.y[chosen]))
    left, bottom = tile.i * SIDE, tile.row * SIDE
    near = np.ones(len(chosen), np.bool_)
    for k in {*far_columns, *far_lines}:
        near[k] = False
        for first, second in ((k - 1, k), (k, k + 1)):
            if first >= 0 and second < len(chosen) and joined[first]:
                ends = [(far_columns.get(v, int(columns[v])), far_lines.get(v, int(lines[v]))) for v in (first, second)]
                mark_far(*ends[0], *ends[1], left, bottom, plane)
    if not near.all():
        joined[:-1] &= near[:-1] & near[1:]
        alone = ~joined & ~np.append(False, joined[:-1])
        columns, lines, joined = columns[~alone], lines[~alone], joined[~alone]
    mark_path(columns, lines, joined, left, bottom, plane)
    return plane[::-1], len(chosen)


def mark_far(x0: int, y0: int, x1: int, y1: int, left: int, bottom: int, plane: Array) -> None:
    """What `aggregate.bresenham.mark_segment` does, for cells any distance apart: in Python's integers."""
    height, width = plane.shape
    steep = abs(x1 - x0) < abs(y1 - y0)
    if steep:
        x0, y0, x1, y1, left, bottom, width, height = y0, x0, y1, x1, bottom, left, height, width
    long, short = abs(x1 - x0), abs(y1 - y0)
    forward = x1 > x0
    tie = long if forward else long - 1
    first = max(0, left - x0 if forward else x0 - left - width + 1)
    last = min(long, left + width - 1 - x0 if forward else x0 - left)
    for k in range(first, last + 1):
        aside = (2 * short * k + tie) // (2 * long) if long else 0
        along = x0 + (k if forward else -k) - left
        across = y0 + (aside if y1 > y0 else -aside) - bottom
        if 0 <= across < height:
            plane[(along, across) if steep else (across, along)] = 1


def tile_bounds(x: Ascending, root: Root, tile: TileKey) -> npt.NDArray[np.int64]:
    """The 257 positions that separate the columns of a tile."""
    exponent = root.exponent - tile.zx - 8
    first = (root.multiple << tile.zx + 7) + tile.i * SIDE
    dtype = x.dtype
    if dtype.kind == "f":
        if max(abs(first), abs(first + SIDE)) <= 1 << 53 and exponent >= -1022:
            edges = np.ldexp(np.arange(first, first + SIDE + 1, dtype=np.float64), exponent)
        else:
            edges = np.array([float_from(root.edge(tile.zx + 8, tile.i * SIDE + k)) for k in range(SIDE + 1)])
        return x.first(edges)
    numbers = [n << exponent if exponent >= 0 else -(-n >> -exponent) for n in range(first, first + SIDE + 1)]
    least = [integer_from(number, dtype) for number in numbers]
    bounds = x.first(np.array([number for number, _ in least], dtype))
    bounds[[not some for _, some in least]] = len(x)
    return bounds


def _drawn(picks: Picks) -> Array:
    """The picks that belong to a run of more than one row."""
    same = np.diff(picks.runs) == 0
    return np.flatnonzero(np.append(same, False) | np.append(False, same))


def _cells(root: Root, level: int, values: Array) -> tuple[Array, dict[int, int]]:
    """The cells of a level that hold the values; those of values outside the root apart, as Python integers."""
    codes = np.empty(len(values), np.uint32)
    where = root.codes(np.ascontiguousarray(values), None, codes)
    cells = (codes >> np.uint32(CODE_BITS - 8 - level)).astype(np.int64)
    far = {k: root.cell(values[k].item(), level + 8) for k in np.flatnonzero(where == FAR).tolist()}
    for k, cell in far.items():
        if abs(cell) <= _NEAR:
            cells[k] = cell
    return cells, {k: cell for k, cell in far.items() if abs(cell) > _NEAR}
