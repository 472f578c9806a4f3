"""The rows of a window as marks, against a dictionary of coordinates."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, Cancelled
from bigviz.common.jit import frozen
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers import marks as marks_module
from bigviz.tiles.answers.marks import Marks
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.store.order.build import build_stored_order
from bigviz.tiles.store.order.stored_order import open_stored_order

MakeDataset = Callable[..., Dataset]
SIZE = 3000


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(threads=2)


@pytest.fixture(scope="module")
def table(dataset: MakeDataset) -> Dataset:
    """Floats with piles, gaps and far rows; few whole numbers; stamps; values; labels."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=SIZE), np.round(rng.normal(size=SIZE), 1)
    x[:500], y[:500] = 0.5, 0.5
    x[[7, 8]] = 1e30
    x[20:30] = np.nan
    return dataset(
        x=x,
        y=y.astype(np.float32),
        n=pa.array(rng.integers(-5, 5, SIZE), pa.int8(), mask=rng.random(SIZE) < 0.1),
        m=pa.array(rng.integers(0, 7, SIZE), pa.int32()),
        t=pa.array(1_700_000_000_000_000_000 + rng.integers(0, 1000, SIZE), pa.timestamp("ns")),
        v=np.where(rng.random(SIZE) < 0.1, np.nan, rng.normal(size=SIZE)),
        k=pa.array([["b", "a", None][k] for k in rng.integers(0, 3, SIZE)]),
    )


def expected(table: Dataset, layer: Layer, x: Any, y: Any) -> tuple[dict[Any, tuple[Any, ...]], int]:
    """(x, y[, label]) -> (first row, number, value), and the rows in the window, one row after the other."""
    reduction = layer.reduction
    xs, ys = table.column(layer.x), table.column(layer.y)
    values = None if reduction.column is None else table.column(reduction.column)
    codes = None if reduction.category is None else table.column(reduction.category)
    name = str(getattr(reduction, "inner", reduction).name)
    rows: dict[Any, list[int]] = {}
    matched = 0
    for row in range(len(xs)):
        if any(each.valid is not None and not each.valid[row] for each in (xs, ys)):
            continue
        a, b = xs.values[row].item(), ys.values[row].item()
        if not (x[0] <= a < x[1] and y[0] <= b < y[1]) or abs(a) > 1e29:
            continue
        matched += 1
        if codes is None:
            rows.setdefault((a, b), []).append(row)
        elif codes.valid is None or codes.valid[row]:
            rows.setdefault((a, b, codes.values[row].item()), []).append(row)
    out = {}
    for key, members in rows.items():
        held = members
        if values is not None:
            held = [
                r for r in members if (values.valid is None or values.valid[r]) and values.values[r] == values.values[r]
            ]
            if not held:
                continue
        own = [] if values is None else [float(values.values[r]) for r in held]
        value = {
            "count": len(held),
            "any": 1,
            "sum": math.fsum(own),
            "mean": math.fsum(own) / max(len(own), 1),
            "min": min(own, default=0),
            "max": max(own, default=0),
            "first": own[0] if own else 0,
            "last": own[-1] if own else 0,
        }[name]
        out[key] = (members[0], len(members), value)
    return out, matched


def as_dictionary(found: Marks) -> dict[Any, tuple[Any, ...]]:
    keys = [found.x.tolist(), found.y.tolist(), *([] if found.code is None else [found.code.tolist()])]
    facts = zip(found.row.tolist(), found.number.tolist(), found.value.tolist(), strict=True)
    out = dict(zip(zip(*keys, strict=True), facts, strict=True))
    assert len(out) == len(found), "each coordinate once"
    return out


def check(engine: Engine, table: Dataset, layer: Layer, x: Any, y: Any) -> None:
    found = engine.marks(table, layer, x, y)
    assert found is not None
    wanted, matched = expected(table, layer, x, y)
    ours = as_dictionary(found)
    assert found.matched == matched and ours.keys() == wanted.keys()
    for key, (row, number, value) in wanted.items():
        assert ours[key][:2] == (row, number)
        assert ours[key][2] == pytest.approx(value, rel=1e-12, abs=1e-12)


AGGS = [
    "count",
    "any",
    "count(v)",
    "mean(v)",
    "sum(v)",
    "max(v)",
    "min(n)",
    "first(v)",
    "last(v)",
    "by(k)",
    "by(k, mean(v))",
]


@settings(max_examples=120, deadline=None)
@given(st.data(), st.sampled_from(["x", "n", "t"]), st.sampled_from(["y", "m"]), st.sampled_from(AGGS))
def test_marks_are_the_coordinates_of_the_window(
    engine: Engine, table: Dataset, data: st.DataObject, x: str, y: str, agg: str
) -> None:
    windows = []
    for name in (x, y):
        values = table.column(name).values
        values = values[np.abs(values.astype(float)) < 1e29] if values.dtype.kind == "f" else values
        ends = st.integers(0, len(values) - 1).map(lambda k, values=values: values[k].item())
        low, high = sorted((data.draw(ends), data.draw(ends)))
        windows.append((low, high) if low < high else (low, high + 1))
    check(engine, table, Layer("points", x, y, agg), *windows)


def test_no_more_than_fit(engine: Engine, table: Dataset) -> None:
    layer = Layer("points", "x", "y")
    built = engine.layers.ready(table, layer)
    wide = (-10.0, 10.0), (-10.0, 10.0)
    whole = built.marks(*wide)
    assert whole is not None
    assert built.marks(*wide, most=len(whole)) is not None
    assert built.marks(*wide, most=len(whole) - 1) is None
    assert built.marks((50.0, 60.0), (50.0, 60.0), most=0) is not None, "an empty window has no marks"


def test_a_pile_is_one_mark(engine: Engine, dataset: MakeDataset) -> None:
    """2,000,000 rows on 12 whole coordinates: nothing but keys is read; on floats there are too many to look at."""
    n = np.tile(np.arange(4, dtype=np.int32), 500_000)
    m = np.repeat(np.arange(3, dtype=np.int16), [1_000_000, 999_999, 1])
    whole = dataset(n=n, m=m, f=n.astype(np.float64), v=n)
    found = engine.marks(whole, Layer("points", "n", "m"), (-10, 10), (-10, 10))
    assert found is not None and found.matched == 2_000_000 and len(found) == 9
    assert found.value.tolist() == found.number.tolist() and found.number.sum() == 2_000_000
    assert found.cost.rows <= 12
    assert engine.marks(whole, Layer("points", "f", "m"), (-10.0, 10.0), (-10, 10)) is None
    assert engine.marks(whole, Layer("points", "n", "m", "mean(v)"), (-10, 10), (-10, 10)) is None
    few = engine.marks(whole, Layer("points", "f", "m", "mean(v)"), (-10.0, 10.0), (2, 3))
    assert few is not None and few.matched == 1 and few.value.tolist() == [3.0]


def test_equal_keys_of_different_numbers_are_told_apart(engine: Engine, dataset: MakeDataset) -> None:
    """All but one of the rows lie within one cell of the deepest level."""
    rng = np.random.default_rng(5)
    x = np.append(0.1 + rng.integers(0, 40, 5000) * 2.0**-50, 1e6)
    y = np.append(0.1 + rng.integers(0, 3, 5000) * 2.0**-50, 1e6)
    table = dataset(x=x, y=y, v=np.arange(5001.0))
    for agg in ("count", "sum(v)"):
        layer = Layer("points", "x", "y", agg, root="full")
        check(engine, table, layer, (0.0, 1.0), (0.0, 1.0))
        check(
            engine, table, Layer("points", "x", "y", agg, root="full"), (0.1, 0.1 + 7 * 2.0**-50), (0.1, 0.1 + 2.0**-50)
        )
    found = engine.marks(table, Layer("points", "x", "y", root="full"), (0.0, 1.0), (0.0, 1.0))
    assert found is not None and len(found) == 120


def test_a_line_has_none_and_windows_are_checked(engine: Engine, table: Dataset) -> None:
    assert engine.marks(table, Layer("line", "t", "m", "any"), (0, 2**62), (0, 9)) is None
    with pytest.raises(BadInput, match="x0"):
        engine.marks(table, Layer("points", "x", "y"), (1.0, 1.0), (0.0, 1.0))


def test_the_walk_can_be_stopped_and_goes_on_where_a_batch_ended(
    engine: Engine, table: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = Layer("points", "x", "y")
    built = engine.layers.ready(table, layer)
    whole = built.marks((-10.0, 10.0), (-10.0, 10.0))
    monkeypatch.setattr(marks_module, "_BATCH", 7)
    for rows_a_run in (4, 0):  # all ranges are listed at the end, or each batch at once
        monkeypatch.setattr(marks_module, "_ROWS_A_RUN", rows_a_run)
        pieces = built.marks((-10.0, 10.0), (-10.0, 10.0))
        assert whole is not None and pieces is not None
        assert as_dictionary(whole) == as_dictionary(pieces)
        assert built.marks((-10.0, 10.0), (-10.0, 10.0), len(whole) - 1) is None
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        built.marks((-10.0, 10.0), (-10.0, 10.0), cancel=cancel)


@pytest.mark.parametrize("agg", ["count", "mean(v)", "by(k)"])
def test_marks_of_a_stored_order_are_those_of_one_in_memory(
    engine: Engine, table: Dataset, tmp_path: Path, agg: str
) -> None:
    for x, y in (("x", "y"), ("n", "m"), ("t", "m")):
        layer = Layer("points", x, y, agg)
        built = engine.layers.ready(table, layer)
        assert isinstance(built, PointsLayer)
        path = tmp_path / f"{x}{y}"
        path.mkdir()
        build_stored_order(path, table, OrderSpec.of(layer), list(layer.reduction.columns), Crew(threads=1))
        stored = replace(built, order=open_stored_order(path))
        for most in (50_000, 5):
            ours, theirs = (each.marks((-(2.0**70), 2.0**70), (-5.0, 3.0), most) for each in (stored, built))
            assert (ours is None) == (theirs is None)
            assert ours is None or theirs is None or as_dictionary(ours) == as_dictionary(theirs)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=120), st.data())
@settings(max_examples=60, deadline=None)
def test_too_many_runs_are_told_without_listing_them(numbers: list[int], data: st.DataObject):
    """Sure of no more runs than there are, and of too many where each row is a run of its own."""
    keys = np.sort(np.array(numbers, np.uint64))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(keys)), max_size=8)) | {0, len(keys)})
    edges = [cut for cut in cuts if cut in (0, len(keys)) or keys[cut] != keys[cut - 1]]  # equal keys lie together
    lows, highs = np.array(edges[:-1], np.int64), np.array(edges[1:], np.int64)
    whole = np.array([data.draw(st.booleans()) for _ in lows], np.bool_)
    inside = np.concatenate([keys[:0], *(keys[a:b] for a, b, sure in zip(lows, highs, whole, strict=True) if sure)])
    runs = len(np.unique(inside))
    for most in (0, 1, runs - 1, runs, runs + 1):
        if most < 0:
            continue
        arrays = (frozen(each) for each in (lows, highs, whole))
        found = marks_module._count_runs(SortedKeys(keys).fenced, *arrays, 0, 4 * most, most)[0] > most
        assert found <= (runs > most)
        if len(inside) <= 4 * most or len(inside) == runs:
            assert found == (runs > most) or most == 0
