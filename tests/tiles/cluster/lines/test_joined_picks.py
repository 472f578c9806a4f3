"""The picks of a line's parts, put together, against those of one series of all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest

from bigviz.aggregate.axis import Axis
from bigviz.common.workers import Crew
from bigviz.tiles.cluster.lines.joined_picks import Joined
from bigviz.tiles.cluster.lines.part_picks import PartPicks, part_picks
from bigviz.tiles.cluster.lines.torn_columns import added_runs, first_gaps, gaps_between, runs_between
from bigviz.tiles.series.m4 import column_bounds, pick_rows
from bigviz.tiles.series.part import Part
from bigviz.tiles.series.series import Series, build_series

MakeAxis = Callable[..., Axis]
CREW = Crew(1)


def rows_of(order: str, kind: str, gaps: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """x and y in file order, and where the parts begin and end."""
    size = int(rng.integers(2, 400))
    x = np.sort(rng.integers(0, size * 2, size) // int(rng.integers(1, 5)))
    edges = sorted({0, size, *rng.integers(0, size, rng.integers(1, 6)).tolist()})
    if order == "shuffled":
        x = rng.permutation(x)
    elif order == "reversed":
        parts = [x[start:stop] for start, stop in pairwise(edges)]
        x = np.concatenate(parts[::-1])
        edges = np.cumsum([0, *(len(part) for part in parts[::-1])]).tolist()
    y = rng.integers(0, 30, size).astype(np.float32)
    missing = rng.random(size) < gaps
    if rng.random() < 0.5:
        missing = np.repeat(missing[: size // 7 + 1], 7)[:size]
    y[missing] = np.nan
    x = x.astype(kind)
    if kind == "f8":
        x[rng.random(size) < 0.05] = np.nan
    return x, y, edges


def joined(parts: Sequence[Part], window: tuple[float, float, int]) -> tuple[Joined, bool]:
    """The picks of parts, as a server puts them together; and whether columns were torn."""
    bounds = [column_bounds(part.series.x, *window) for part in parts]
    told = [part_picks(part, each).told() for part, each in zip(parts, bounds, strict=True)]
    found = Joined([PartPicks.of(*each) for each in told], window[2])
    columns = found.torn
    if len(columns):
        first, last = found.ends(columns)
        where = [(part, each[columns], each[columns + 1]) for part, each in zip(parts, bounds, strict=True)]
        opening, closing, apart = first_gaps([gaps_between(*each, first, last) for each in where], last)
        columns = columns[apart]
        opening, closing = (type(each)(each.x[apart], each.rows[apart]) for each in (opening, closing))
        runs = [runs_between(part, low[apart], high[apart], opening, closing) for part, low, high in where]
        found.tear(columns, added_runs(runs))
    return found, bool(len(columns))


def part_of(axis: MakeAxis, x: np.ndarray, y: np.ndarray, first: int) -> Part:
    series = build_series(axis(x), axis(y, side="y"), CREW)
    return Part(series, first, 0, series, 0)


def compare(axis: MakeAxis, order: str, kind: str, gaps: float, seed: int) -> bool:
    rng = np.random.default_rng(seed)
    x, y, edges = rows_of(order, kind, gaps, rng)
    whole: Series = build_series(axis(x), axis(y, side="y"), CREW)
    parts = [part_of(axis, x[start:stop], y[start:stop], start) for start, stop in pairwise(edges)]
    torn = False
    for _ in range(3):
        low, high = np.sort(rng.uniform(-5, np.nanmax(x) + 5, 2)).tolist()
        window = low, high + 1, int(rng.choice([1, 3, 20, 150]))
        expected = pick_rows(whole, column_bounds(whole.x, *window))
        found, some = joined(parts, window)
        torn |= some
        picks = found.picks()
        for name in ("columns", "runs", "x", "y", "flagged"):
            np.testing.assert_array_equal(getattr(picks, name), getattr(expected, name), str((seed, window, name)))
            assert getattr(picks, name).dtype == getattr(expected, name).dtype
        np.testing.assert_array_equal(picks.positions, whole.numbers(expected.positions))
        assert picks.rows == expected.rows
    return torn


@pytest.mark.parametrize("order", ("ascending", "reversed", "shuffled"))
@pytest.mark.parametrize("kind", ("f8", "i4", "u8"))
def test_the_joined_picks_are_those_of_one_series(axis: MakeAxis, order: str, kind: str) -> None:
    torn = [compare(axis, order, kind, gaps, seed) for gaps in (0, 0.05, 0.5, 1) for seed in range(4)]
    assert order == "reversed" or any(torn) == (order == "shuffled")
