"""Tiles of a line against drawing its whole level, segment by segment, in Python's integers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.glyphs.bresenham import mark_segment
from bigviz.common.workers import Crew
from bigviz.tiles.grid.survey import survey
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.series.line import OneSeries
from bigviz.tiles.series.line_tiles import draw_tile, mark_far
from bigviz.tiles.series.series import build_series

MakeAxis = Callable[..., Axis]
CREW = Crew(1)


def bresenham(x0: int, y0: int, x1: int, y1: int) -> list[tuple[int, int]]:
    """datashader's loop, as it stands."""
    dx, dy = abs(x1 - x0), abs(y1 - y0)
    ix, iy = (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)
    cells = [(x0, y0)]
    if dx >= dy:
        error = 2 * dy - dx
        while x0 != x1:
            if error >= 0 and (error or ix > 0):
                error -= 2 * dx
                y0 += iy
            error += 2 * dy
            x0 += ix
            cells.append((x0, y0))
    else:
        error = 2 * dx - dy
        while y0 != y1:
            if error >= 0 and (error or iy > 0):
                error -= 2 * dy
                x0 += ix
            error += 2 * dx
            y0 += iy
            cells.append((x0, y0))
    return cells


def whole_level(roots: tuple[Root, Root], x: list[Any], y: list[Any], zx: int, zy: int) -> set[tuple[int, int]]:
    """Every cell of a level that the line through the rows inks; None is a gap."""
    inked: set[tuple[int, int]] = set()
    for k in range(len(x) - 1):
        if None in (x[k], y[k], x[k + 1], y[k + 1]):
            continue
        ends = [(roots[0].cell(x[j], zx + 8), roots[1].cell(y[j], zy + 8)) for j in (k, k + 1)]
        inked.update(bresenham(*ends[0], *ends[1]))
    return inked


def columns(kind: str, size: int, rng: np.random.Generator) -> tuple[Any, Any]:
    steps = rng.choice([0, 1, 1, 7, 100], size).cumsum()
    heights = np.round(rng.normal(size=size).cumsum(), 2)
    missing = rng.random(size) < 0.15
    if kind == "stamp":
        return pa.array(1_700_000_000_000_000_000 + steps, pa.timestamp("ns")), np.where(missing, np.nan, heights)
    if kind == "integer":
        return steps.astype(np.int16), pa.array((heights * 10).astype(np.int64), mask=missing)
    if kind == "edge":
        x = np.sort(rng.choice(np.array([2**63 - 1, 2**63 - 2, -(2**63), 0], np.int64), size))
        return x, pa.array(rng.choice(np.array([2**64 - 1, 0, 2**63], np.uint64), size), mask=missing)
    if kind == "tiny":
        return np.sort(rng.normal(size=size)) * 1e-300, np.where(missing, np.nan, heights * 1e300)
    return (steps / 3).astype(np.float32), np.where(missing, np.inf, heights).astype(np.float32)


def as_lists(axis: Axis) -> list[Any]:
    values, valid = axis.slice(0, len(axis))
    keep = np.isfinite(values.astype(float)) if valid is None else valid & np.isfinite(values.astype(float))
    return [value if good else None for value, good in zip(values.tolist(), keep.tolist(), strict=True)]


@settings(max_examples=80, deadline=None)
@given(
    st.data(),
    st.integers(0, 2**32),
    st.sampled_from([2, 10, 60]),
    st.sampled_from(["stamp", "integer", "edge", "tiny", "float"]),
)
def test_tiles_join_to_the_whole_level(axis: MakeAxis, data: st.DataObject, seed: int, size: int, kind: str) -> None:
    x_values, y_values = columns(kind, size, np.random.default_rng(seed))
    x, y = axis(x_values), axis(y_values, side="y")
    found = survey(x, y, True, CREW)
    series = build_series(x, y, CREW)
    roots = (found.x, found.y)
    zx, zy = data.draw(st.sampled_from([0, 1, 2])), data.draw(st.sampled_from([0, 1, 2]))
    inked = whole_level(roots, as_lists(x), as_lists(y), zx, zy)
    for i in range(1 << zx):
        for j in range(1 << zy):
            tile = TileKey(zx, zy, i, j)
            plane, rows = draw_tile(OneSeries(series), roots, tile)
            expected = np.zeros((256, 256), np.uint8)
            for column, row in inked:
                if column >> 8 == i and row >> 8 == tile.row:
                    expected[255 - (row & 255), column & 255] = 1
            if crowded(series, x, roots[0], tile):
                continue  # a column of more than two runs: not claimed identical
            assert (plane == expected).all()
            assert rows <= size


def crowded(series: Any, x: Axis, root: Root, tile: TileKey) -> bool:
    """Whether a column of the tile holds more than two runs."""
    cells = [root.cell(value, tile.zx + 8) for value in series.x.slice(0, len(series)).tolist()]
    gap = np.zeros(len(cells), np.bool_)
    edges = series.gaps.slice(0, len(series.gaps)).tolist()
    for start, stop in zip(edges[0::2], edges[1::2], strict=True):
        gap[start:stop] = True
    runs: dict[int, set[int]] = {}
    for cell, run, missing in zip(cells, np.cumsum(gap).tolist(), gap.tolist(), strict=True):
        if cell >> 8 == tile.i and not missing:
            runs.setdefault(cell, set()).add(run)
    return any(len(found) > 2 for found in runs.values())


def test_deep_tiles_are_drawn_from_the_rows_around_them(axis: MakeAxis) -> None:
    x, y = axis(np.array([0.0, 1.0])), axis(np.array([0.0, 1.0]), side="y")
    found = survey(x, y, True, CREW)
    series = build_series(x, y, CREW)
    middle = (1 << 23) // 2
    tile = TileKey(24, 24, middle, (1 << 24) - 1 - middle)
    plane, rows = draw_tile(OneSeries(series), (found.x, found.y), tile)
    assert rows == 2 and (plane == np.eye(256, dtype=np.uint8)[::-1]).all()


def test_a_row_between_gaps_inks_nothing_and_a_far_row_is_drawn_to(axis: MakeAxis) -> None:
    nan = float("nan")
    heights = np.array([1.0, nan, 2.0, nan, 3.0, 4.0, *np.ones(2000)])
    heights[1000] = 9.96e36
    x, y = axis(np.arange(2006.0)), axis(heights, side="y")
    found = survey(x, y, True, CREW)
    assert found.far == 1
    series = build_series(x, y, CREW)
    plane, _ = draw_tile(OneSeries(series), (found.x, found.y), TileKey(3, 0, 0, 0))
    column = found.x.cell(2.0, 11)
    assert plane[:, : found.x.cell(3.5, 11)].sum() == 0 and plane[:, column].sum() == 0
    spike = found.x.cell(1000.0, 11)
    tall, _ = draw_tile(OneSeries(series), (found.x, found.y), TileKey(3, 0, spike >> 8, 0))
    above = np.flatnonzero(tall[:200].any(axis=0)).tolist()
    assert tall[0].sum() in (1, 2) and all(abs(column - (spike & 255)) <= 1 for column in above)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-300, 600), min_size=4, max_size=4), st.integers(-50, 50), st.integers(-50, 50))
def test_far_segments_are_drawn_as_near_ones(ends: list[int], left: int, bottom: int) -> None:
    expected, ours = np.zeros((90, 70), np.uint8), np.zeros((90, 70), np.uint8)
    x0, y0, x1, y1 = ends
    mark_segment(x0, y0, x1, y1, left, bottom, expected)
    mark_far(x0, y0, x1, y1, left, bottom, ours)
    assert (ours == expected).all()
    inked = {(x - left, y - bottom) for x, y in bresenham(x0, y0, x1, y1)}
    assert {(int(x), int(y)) for y, x in np.argwhere(ours)} == {(x, y) for x, y in inked if 0 <= x < 70 and 0 <= y < 90}


@pytest.mark.parametrize("distance", [2**40, 2**100, -(2**70)])
def test_cells_beyond_any_word_are_drawn_to(distance: int) -> None:
    plane = np.zeros((256, 256), np.uint8)
    mark_far(10, 128, 12, distance, 0, 0, plane)
    assert plane[:, 10].sum() == (128 if distance > 0 else 129) and plane.sum() == plane[:, 10].sum()
    level = np.zeros((256, 256), np.uint8)
    mark_far(-distance, 7, distance, 7, 0, 0, level)
    assert level[7].all() and level.sum() == 256
