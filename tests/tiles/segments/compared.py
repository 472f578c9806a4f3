"""An index of parts compared with one fresh index over the whole table: every answer, bit for bit where that is
promised."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

import bigviz as bv
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.layer import Layer
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import DEEPEST, TileKey
from bigviz.tiles.segments.segmented_points import SegmentedPoints
from bigviz.tiles.segments.streams import Streams
from bigviz.wire.codec import decode

__all__ = ["FILTERS", "REDUCTIONS", "assert_same", "built", "fresh", "indexes", "settle"]

REDUCTIONS = (
    "count", "any", "sum(v)", "mean(v)", "min(v)", "max(v)", "first(v)", "last(v)", "sum(n)", "first(n)", "mean(t)",
    "by(kind)", "by(kind, mean(v))", "by(kind, last(n))",
)  # fmt: skip


FILTERS = ("", "v > 0", "kind = 'a' or x < 1", "y is null or not v = 3", "v = 99")


def indexes() -> Streams:
    """Indexes that are merged only when `settle` is called."""
    return Streams(1, Turns(), merges=False)


def built(streams: Streams, dataset: Dataset, layer: Layer) -> SegmentedPoints:
    """The layer of a version."""
    layer.check(dataset)
    return streams.points(dataset, layer.bound(dataset), Crew(1), lambda _: None)


def settle(made: SegmentedPoints, merges: int = 100) -> int:
    """Merge what is to be merged, at most so many times; how often."""
    done = 0
    while done < merges and made.index.merge_once(Crew(1)):
        done += 1
    return done


def fresh(table: pa.Table, layer: Layer) -> tuple[Dataset, Any]:
    """The same rows as a table of their own, and their layer."""
    dataset = bv.open(table)
    return dataset, Engine(threads=1).layers.ready(dataset, layer, whole=True)


def assert_same(made: SegmentedPoints, dataset: Dataset, table: pa.Table, layer: Layer, seed: int = 0) -> None:
    """Every answer of a version is that of a fresh index over its rows. Roots are compared only if no row was rolled
    over: those that were count for them."""
    other, oracle = fresh(table, layer)
    first = dataset.first_row
    if not first:
        assert made.survey == oracle.survey, (made.survey, oracle.survey)
        facts, expected = made.facts(dataset, layer), oracle.facts(other, layer)
        assert (facts.extent, facts.range, facts.rows_far) == (expected.extent, expected.range, expected.rows_far)
        assert (facts.rows, facts.rows_outside) == (expected.rows, expected.rows_outside)
    assert made.facts(dataset, layer).rows_kept == oracle.facts(other, layer).rows_kept
    order = _order(made.labels, oracle.pyramid.inputs.labels)
    assert made.dtype == oracle.pyramid.inputs.dtype or first or dataset.corrections
    if made.version.roots == (oracle.survey.x, oracle.survey.y):
        for key in _keys(made, seed):
            _assert_planes(made.arrays(key), oracle.arrays(key), order)
            _assert_planes(_decoded(made.draw(key)), _decoded(oracle.draw(key)), order)
        _assert_dense(made.dense, oracle.dense)
        _assert_levels(made, oracle)
    for x, y in _windows(made, seed):
        _assert_marks(made.marks(x, y), oracle.marks(x, y), order, first)
        one, two = made.window_image(x, y, (7, 5)), oracle.window_image(x, y, (7, 5))
        assert (one is None, two is None) == 2 * (made.labels == (),)  # without labels there is no plane
        if one is not None and two is not None:
            _assert_blocks(one.planes, two.planes, order)
        for limit in (10_000, 3):
            got, matched = made.rows(dataset, layer, x, y, limit)
            want, expected = oracle.rows(other, layer, x, y, limit)
            assert matched == expected
            if made.version.roots == (oracle.survey.x, oracle.survey.y):
                assert (got["row"].to_numpy() - first).tolist() == want["row"].to_pylist()
                assert str(got.drop_columns("row").to_pylist()) == str(want.drop_columns("row").to_pylist())  # NaN too
        bins = Bins(*x, 6, name="x0"), Bins(*y, 4, name="y0")
        _assert_planes(made.image(dataset, *bins), oracle.image(other, *bins), order)


def _assert_levels(made: SegmentedPoints, oracle: Any) -> None:
    for level in (0, 3, 11, DEEPEST):
        (source, one), (_, two) = made.level_values((level, level)), oracle.level_values((level, level))
        assert source == made.level_source == oracle.level_source == "summary"
        assert one is not None and one.weights.sum() == two.weights.sum()
        if not made.layer.reduction.traits.float_order:
            assert np.array_equal(one.weights, two.weights)
        np.testing.assert_allclose(one.values[[0, -1][: len(one.values)]], two.values[[0, -1][: len(two.values)]])


def _order(mine: tuple[str, ...] | None, theirs: tuple[str, ...] | None) -> list[int] | None:
    """Where each of the fresh index's labels, which are sorted, is among those of the version."""
    if theirs is None:
        return None
    assert mine is not None and set(mine) >= set(theirs)
    return [mine.index(label) for label in theirs]


def _keys(made: SegmentedPoints, seed: int) -> list[TileKey]:
    rng = np.random.default_rng(seed)
    low, high, roots = made.survey.low, made.survey.high, made.version.roots
    keys = [TileKey(0, 0, 0, 0), TileKey(1, 0, 1, 0), TileKey(2, 5, 1, 9)]
    for zx, zy in ((1, 1), (3, 3), (9, 9), (DEEPEST, DEEPEST), (2, 6)):
        for end in (low, high):
            if end is not None:
                i, row = min(roots[0].cell(end[0], zx), (1 << zx) - 1), min(roots[1].cell(end[1], zy), (1 << zy) - 1)
                keys.append(TileKey(zx, zy, i, (1 << zy) - 1 - row))
        keys.append(TileKey(zx, zy, int(rng.integers(1 << zx)), int(rng.integers(1 << zy))))
    return keys


def _windows(made: SegmentedPoints, seed: int) -> list[Any]:
    low, high = made.survey.low, made.survey.high
    if low is None or high is None:
        return [((0, 1), (0, 1))]
    rng = np.random.default_rng(seed)
    found = []
    for share in (2.0, 0.5, 0.1):
        window = []
        for which in (0, 1):
            span = high[which] - low[which]
            whole = isinstance(low[which], int)
            size = max(span * share, 1 if whole else 1e-6 * max(abs(low[which]), 1.0))
            start = low[which] + span * float(rng.uniform(-0.2, 0.9))
            ends = (start, start + size)
            window.append(tuple(int(each) for each in (ends[0], ends[1] + 1)) if whole else ends)
        found.append(tuple(window))
    return found


def _decoded(drawn: Any) -> list[Any]:
    planes = []
    for plane in drawn.planes:
        values, filled = decode(plane)
        planes.append(np.ma.MaskedArray(values, ~filled))
    return planes


def _assert_planes(mine: list[Any], theirs: list[Any], order: list[int] | None) -> None:
    if order is not None:
        rest = [plane for at, plane in enumerate(mine) if at not in order]
        assert all(not np.ma.filled(np.nan_to_num(np.ma.filled(plane, 0)), 0).any() for plane in rest)
        mine = [mine[at] for at in order]
    assert len(mine) == len(theirs)
    for one, two in zip(mine, theirs, strict=True):
        assert np.array_equal(np.ma.getmaskarray(one), np.ma.getmaskarray(two))
        assert one.dtype.kind == two.dtype.kind
        left, right = np.ma.filled(one, 0), np.ma.filled(two, 0)
        if left.dtype.kind == "f":
            np.testing.assert_allclose(left, right, rtol=1e-9, atol=0, equal_nan=True)
        else:
            assert np.array_equal(left, right)


def _assert_blocks(mine: Any, theirs: Any, order: list[int] | None) -> None:
    class Planes:
        def __init__(self, planes: Any) -> None:
            self.planes = planes

    _assert_planes(_decoded(Planes(mine)), _decoded(Planes(theirs)), order)


def _assert_dense(mine: Any, theirs: Any) -> None:
    assert (mine is None) == (theirs is None)
    assert mine is None or (mine.box, mine.rows) == (theirs.box, theirs.rows)


def _assert_marks(mine: Any, theirs: Any, order: list[int] | None, first: int) -> None:
    assert mine is not None and theirs is not None
    assert mine.matched == theirs.matched and len(mine) == len(theirs)
    codes = None if order is None else np.array([*order, 0])[theirs.code]
    keys = [_by_place(mine, mine.code), _by_place(theirs, codes)]
    for name in ("x", "y", "row", "number", "value"):
        one, two = getattr(mine, name)[keys[0]], getattr(theirs, name)[keys[1]]
        assert one.dtype == two.dtype, name
        if name == "row":
            one = one - first
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, two, rtol=1e-9, atol=0, equal_nan=True)
        else:
            assert np.array_equal(one, two), name
    if order is None:
        assert np.array_equal(mine.x, theirs.x) and np.array_equal(mine.y, theirs.y)  # in Morton order


def _by_place(marks: Any, codes: Any) -> Any:
    return np.lexsort(([0] * len(marks) if codes is None else codes, marks.y, marks.x))
