"""Estimates: unbiased, with the error that they say, exact when all rows are read, and whatever the reduction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Rows
from bigviz.aggregate.reductions.jackknife import error_of, scaled
from bigviz.aggregate.reductions.parse import parse
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.sources import memory
from bigviz.tiles.answers import ordered_estimate
from bigviz.tiles.answers.ordered_estimate import rough_tile
from bigviz.tiles.engine import Engine
from bigviz.tiles.estimates.preview import Preview
from bigviz.tiles.estimates.sample import Sample
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.wire.codec import decode

MakeDataset = Callable[..., Dataset]
ROWS = 200_000
PIECE = 2_000
WHOLE = TileKey(0, 0, 0, 0)
INTEGERS = ["sum(n)", "max(n)"]
AGGS = ["count", "any", "sum(v)", "mean(v)", "min(v)", "max(v)", "first(v)", "last(v)", "by(k)", "by(k, mean(v))"]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_PIECE", PIECE)


def cloud(dataset: MakeDataset, rows: int = ROWS, seed: int = 1) -> Dataset:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(0, 0.3, (2, rows)).clip(-0.99, 0.99)
    kinds = pa.array(np.array(["a", "b", "c"])[rng.integers(0, 3, rows)], mask=rng.random(rows) < 0.1)
    v = pa.array(rng.normal(5, 2, rows), mask=rng.random(rows) < 0.1)
    return dataset(x=x, y=y, v=v, n=rng.integers(-50, 2**40, rows), k=kinds)


def values(planes: Any) -> np.ndarray:
    """Cells of all planes, NaN where empty."""
    out = []
    for plane in planes:
        cells, filled = decode(plane)
        out.append(np.where(filled, cells.astype(np.float64), np.nan))
    return np.stack(out)


def grown(preview: Preview) -> Preview:
    while not preview.whole:
        preview.grow(Crew(2))
    return preview


@pytest.mark.parametrize("agg", [*AGGS, *INTEGERS])
@pytest.mark.parametrize("key", [WHOLE, TileKey(3, 1, 4, 0)])
def test_all_rows_give_the_exact_tile(dataset: MakeDataset, agg: str, key: TileKey) -> None:
    table, layer = cloud(dataset, 60_000), Layer("points", "x", "y", agg)
    preview = grown(Preview(layer, Sample(table), Crew(1)))
    assert preview.share == 1
    drawn, estimate = preview.draw(key)
    assert (estimate.share, estimate.start) == (1, False) and not estimate.error
    engine = Engine(threads=1)
    assert engine.info(table, layer) == preview.facts
    np.testing.assert_allclose(values(drawn.planes), values(engine.tile(table, layer, key).planes), rtol=1e-6)


@pytest.mark.parametrize("agg", ["count", "sum(v)", "mean(v)", "by(k)"])
def test_the_error_is_what_it_says(dataset: MakeDataset, agg: str) -> None:
    """Over many tables of one kind the root mean square of the errors made is that of the errors reported."""
    made, told = [], []
    key = TileKey(0, 0, 0, 0)
    engine = Engine(threads=1)
    for seed in range(4):
        table, layer = cloud(dataset, 120_000, seed), Layer("points", "x", "y", agg)
        preview = Preview(layer, Sample(table), Crew(1))
        drawn, estimate = preview.draw(key)
        guessed, exact = values(drawn.planes), values(engine.tile(table, layer, key).planes)
        if agg == "mean(v)":
            both = ~np.isnan(guessed)
        else:
            guessed, exact = np.nan_to_num(guessed), np.nan_to_num(exact)
            both = guessed > 0
        assert estimate.error is not None
        made.append(float(np.mean((guessed - exact)[both] ** 2)))
        told.append(estimate.error**2)
        if agg != "mean(v)":
            assert guessed.sum() == pytest.approx(exact.sum(), rel=0.1)
    assert 0.5 < np.sqrt(np.mean(told) / np.mean(made)) < 2


def test_rows_that_lie_together_in_the_file_are_less_news(dataset: MakeDataset) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 1, ROWS)
    mixed, sorted_ = dataset(x=x, y=x), dataset(x=np.sort(x), y=np.sort(x))
    layer = Layer("points", "x", "y")
    errors = [Preview(layer, Sample(table), Crew(1)).draw(TileKey(2, 2, 1, 2))[1].error for table in (mixed, sorted_)]
    assert errors[0] is not None and (errors[1] is None or errors[1] > 2 * errors[0])


def brute_error(agg: str, parts: list[Any], sizes: list[int], rows: int) -> float | None:
    """The jackknife, one part left out at a time, with the reduction's own functions."""
    reduction = parse(agg)
    made = []
    for left in range(len(parts)):
        rest = [part for k, part in enumerate(parts) if k != left]
        total = tuple(plane.copy() for plane in rest[0])
        for part in rest[1:]:
            reduction.combine(total, part)
        grid = reduction.finalize(total)
        factor = rows / (sum(sizes) - sizes[left]) if agg in ("count", "sum(v)") else 1.0
        made.append((grid.values.astype(np.float64) * factor, grid.filled))
    filled = np.stack([each[1] for each in made])
    where = filled.any(0) if agg in ("count", "sum(v)", "any") else filled.all(0)
    if not where.any():
        return None
    spread = np.stack([each[0] for each in made])[:, where].var(0) * (len(parts) - 1)
    return float(np.sqrt((1 - sum(sizes) / rows) * spread.mean()))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["count", "any", "sum(v)", "mean(v)", "min(v)", "max(v)"]), st.integers(2, 6), st.integers(0, 10**6)
)
def test_the_error_is_the_jackknife(agg: str, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    reduction = parse(agg)
    parts, sizes = [], []
    for _ in range(count):
        size = int(rng.integers(1, 200))
        planes = reduction.create((5, 4), np.float64, 0)
        cells = rng.integers(-1, 20, size).astype(np.int32)
        drawn = rng.normal(3, 1, size) if reduction.columns else None
        reduction.append(planes, cells, Rows(drawn, None, None, None))
        parts.append(planes)
        sizes.append(size)
    rows = 3 * sum(sizes)
    some = [tuple(plane[::4] for plane in planes) for planes in parts]
    expected = brute_error(agg, some, sizes, rows)
    expected = brute_error(agg, parts, sizes, rows) if expected is None else expected
    found = error_of(reduction, parts, sizes, rows)
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-9, abs=1e-12))


def test_scaling_touches_counts_and_sums_only() -> None:
    counts = (np.array([[0, 3]], np.uint32),)
    assert scaled(parse("count"), counts, 2.5)[0].tolist() == [[0, 8]]
    assert scaled(parse("count"), counts, 1e10)[0].tolist() == [[0, 2**32 - 1]]
    sums = (np.array([[1.5]]), np.array([[1]], np.uint32))
    assert scaled(parse("sum(v)"), sums, 4)[0].tolist() == [[6.0]]
    assert scaled(parse("mean(v)"), sums, 4)[0].tolist() == [[1.5]]
    assert scaled(parse("max(v)"), sums, 4)[0].tolist() == [[1.5]]


def test_a_label_that_the_first_units_lack_is_not_drawn_before_it_is_known(dataset: MakeDataset) -> None:
    labels = np.array(["a", "b"])[np.arange(ROWS) % 2].astype(object)
    labels[PIECE + 5] = "rare"
    table = dataset(x=np.arange(ROWS) / ROWS, y=np.zeros(ROWS), k=pa.array(labels))
    preview = Preview(Layer("points", "x", "y", "by(k)"), Sample(table), Crew(1))
    assert preview.labels == ("a", "b")
    drawn, _ = grown(preview).draw(WHOLE)
    assert len(drawn.planes) == 2
    assert Engine(threads=1).info(table, preview.layer).planes == ("a", "b", "rare")


@pytest.mark.parametrize("x", ["k", "v"])
def test_axes_of_labels_and_of_nulls(dataset: MakeDataset, x: str) -> None:
    table = cloud(dataset, 60_000)
    layer = Layer("points", x, "y")
    preview = grown(Preview(layer, Sample(table), Crew(1)))
    engine = Engine(threads=1)
    told, found = preview.facts, engine.info(table, layer)
    assert told.rows_outside == pytest.approx(found.rows_outside, rel=0.1)
    assert replace(told, rows_outside=found.rows_outside, range=found.range) == found
    assert preview.draw(WHOLE)[0].planes == tuple(engine.tile(table, layer, WHOLE).planes)


def test_growing_stops_when_it_is_cancelled_and_leaves_what_was(dataset: MakeDataset) -> None:
    preview = Preview(Layer("points", "x", "y"), Sample(cloud(dataset)), Crew(1))
    before = preview.draw(WHOLE)
    stopped = Cancel()
    stopped.cancel()
    with pytest.raises(Cancelled):
        preview.grow(Crew(1, cancel=stopped))
    after = preview.draw(WHOLE)
    assert preview.generation == 1 and (after[0].planes, after[1]) == (before[0].planes, before[1])
    with pytest.raises(Cancelled):
        preview.draw(WHOLE, stopped)


def test_a_table_of_one_large_piece_is_sampled_from_its_start(
    dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Long(Dataset):
        """Whose only piece is read in batches."""

        def chunks(self) -> list[tuple[int, int]]:
            return [(0, self.num_rows)]

        def read(self, number: int, *args: Any, **kwargs: Any) -> Any:
            for each in range(len(super().chunks())):
                yield from super().read(each, *args, **kwargs)

    monkeypatch.setattr("bigviz.tiles.estimates.sample._UNIT", PIECE)
    source = cloud(dataset)
    table = Long("long", source._source)
    layer = Layer("points", "x", "y", "sum(v)")
    sample = Sample(table)
    assert sample.start
    preview = Preview(layer, sample, Crew(2))
    assert preview.read == 8 * PIECE
    rows = [sample.unit(number, ("x",), Cancel()) for number in range(8)]
    assert [int(unit.rows[0]) for unit in rows if unit] == [PIECE * k for k in range(8)]
    drawn, estimate = grown(preview).draw(WHOLE)
    assert estimate.start and estimate.share == 64 * PIECE / ROWS
    exact = Engine(threads=1).tile(source, layer, WHOLE)
    assert np.nansum(values(drawn.planes)) == pytest.approx(np.nansum(values(exact.planes)), rel=0.05)


@pytest.mark.parametrize("agg", AGGS)
@pytest.mark.parametrize("key", [WHOLE, TileKey(1, 3, 0, 4)])
def test_ordered_rows_are_estimated_where_the_exact_tile_takes_longer(
    dataset: MakeDataset, monkeypatch: pytest.MonkeyPatch, agg: str, key: TileKey
) -> None:
    monkeypatch.setattr(ordered_estimate, "_SOON", 1_000)
    monkeypatch.setattr(ordered_estimate, "_LOOKED", 5_000)
    engine, layer, table = Engine(threads=1), Layer("points", "x", "y", agg), cloud(dataset)
    built = engine.layers.ready(table, layer)
    if built.pyramid.kept(WHOLE) is not None:  # type: ignore[union-attr]
        assert rough_tile(built.pyramid, WHOLE) is None  # type: ignore[arg-type]
    bare = type(built.pyramid)(built.pyramid.guard, built.pyramid.inputs)  # type: ignore[union-attr]
    found = rough_tile(bare, key)
    assert found is not None
    drawn, estimate = found
    exact = values(engine.tile(table, layer, key).planes)
    guessed = values(drawn.planes)
    assert 0 < estimate.share <= 0.25
    if agg in ("count", "sum(v)", "by(k)"):
        assert np.nansum(guessed) == pytest.approx(np.nansum(exact), rel=0.1)
        assert estimate.error is not None and estimate.error > 0
    assert not (np.isnan(exact) & ~np.isnan(guessed)).any(), "a cell without rows is filled"
