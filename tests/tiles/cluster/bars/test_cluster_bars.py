"""Histograms and bars over two workers against those of one process over the same files."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput, Busy
from bigviz.data.dataset import Dataset
from bigviz.server.jobs.view_jobs import ViewJobs
from bigviz.server.jobs.wanted import ColumnsWant
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.cluster.bars.bar_passes import BarPasses
from bigviz.tiles.cluster.bars.cluster_histogram import ClusterHistogram
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.cluster.held_rows import HeldRows
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.selection.region import Strip
from bigviz.wire.frames import ESTIMATE

HISTOGRAMS = [
    Layer("histogram", x, "", agg, **more)
    for x, agg, more in (
        ("x", "count", {}),
        ("v", "count", {"bins": 7, "filter": "kind = 'a'"}),
        ("t", "sum(v)", {"xaxis": "datetime"}),
        ("f", "by(kind)", {"xaxis": "log", "yaxis": "log"}),
        ("y", "first(v)", {"root": "full"}),
        ("v", "mean(huge)", {}),
    )
]
BARS = [
    Layer("bar", x, "", agg, **more)
    for x, agg, more in (
        ("kind", "count", {}),
        ("n", "sum(v)", {"sort": "value", "filter": "x > 1"}),
        ("kind", "last(v)", {"sort": "value"}),
        ("n", "by(kind, sum(huge))", {"yaxis": "log"}),
    )
]


def compare(found: Bars, expected: Bars) -> None:
    for name in ("edges", "values", "filled", "rows"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert getattr(found, name).dtype == getattr(expected, name).dtype
    for name in ("first", "x", "closed", "zero", "categories", "names"):
        assert getattr(found, name) == getattr(expected, name)
    assert found.table().equals(expected.table())


@pytest.mark.parametrize("layer", HISTOGRAMS + BARS, ids=str)
def test_bars_equal_those_of_one_process(
    engine: DaskEngine, alone: Engine, dataset: Dataset, whole: Dataset, layer: Layer
) -> None:
    engine.ensure(dataset, layer)  # another test may have lost a worker
    info = engine.info(dataset, layer)
    assert info == alone.info(whole, layer) and info.range is not None
    x0, _, x1, _ = info.range
    step = (x1 - x0) // 4 if isinstance(x0, int) else (x1 - x0) / 4
    for low, high in ((x0, x1 + step), (x0 + step, x0 + 2 * step + 1), (x1 + 5, x1 + 9)):
        compare(engine.bars(dataset, layer, low, high), alone.bars(whole, layer, low, high))
        for limit in (7, 20_000):
            rows, expected = (each.rows(data, layer, low, high, 0, 1, limit) for each, data in
                              ((engine, dataset), (alone, whole)))  # fmt: skip
            assert rows.equals(expected) and rows.schema.metadata == expected.schema.metadata
        chosen, others = (
            engine.select(dataset, layer, Strip((low, high))),
            alone.select(whole, layer, Strip((low, high))),
        )
        assert chosen.count == others.count and chosen.expression == others.expression
        np.testing.assert_array_equal(chosen.rows(), others.rows())
    with pytest.raises(BadInput, match=r"ask for bars\.arrow"):
        engine.tile(dataset, layer, TileKey(0, 0, 0, 0))


def test_sums_of_floats_differ_in_their_last_bits_alone_and_by_name(
    engine: DaskEngine, alone: Engine, dataset: Dataset, whole: Dataset
) -> None:
    for layer in (Layer("histogram", "v", "", "sum(f)"), Layer("bar", "kind", "", "mean(f)")):
        engine.ensure(dataset, layer)
        found, expected = engine.bars(dataset, layer, 0, 100), alone.bars(whole, layer, 0, 100)
        np.testing.assert_allclose(found.values, expected.values, rtol=1e-13)
        assert engine.etag(dataset, layer) != alone.etag(whole, layer)


def test_bars_are_never_missing_rows(engine: DaskEngine, dataset: Dataset) -> None:
    engine.ensure(dataset, BARS[0])
    holders = engine.holders(dataset, BARS[0])
    assert holders is not None and holders.rows_held == dataset.num_rows
    assert engine.readiness(dataset, BARS[0]) == "complete" and engine.preview(dataset, BARS[0]) is None


@pytest.mark.parametrize("layer", HISTOGRAMS[:5], ids=str)
def test_a_histogram_is_estimated_from_the_rows_that_are_held(
    engine: DaskEngine, dataset: Dataset, layer: Layer
) -> None:
    """Each part alone has what it has of each bin; together these are the exact bars."""
    engine.ensure(dataset, layer)
    built, parts = engine._built(dataset, layer), engine.workers.parts_of(dataset)
    assert isinstance(built, ClusterHistogram) and built.parts == parts
    exact = engine.info(dataset, layer)
    assert exact.range is not None
    x0, _, x1, _ = exact.range
    numbers, of_parts = [], []
    for part in parts:
        some = built.over(parts)
        for other in parts:
            if other != part:
                del some.indexed[other]
        sampled = HeldRows(some, dataset, layer.bound(dataset))
        facts = sampled.facts
        assert facts.root_x == exact.root_x and facts.range is not None
        assert (facts.range[0], facts.range[2]) == (x0, x1) and not sampled.whole
        bars, estimate = sampled.bars(x0, x1)
        assert estimate.share == part.rows / dataset.num_rows
        np.testing.assert_array_equal(bars.edges, engine.bars(dataset, layer, x0, x1).edges)
        numbers.append(bars.rows.astype(np.int64).clip(0))
        of_parts.append(bars)
    whole = engine.bars(dataset, layer, x0, x1)
    np.testing.assert_array_equal(sum(numbers), whole.rows.astype(np.int64).clip(0))
    if whole.zero and whole.values.dtype.kind != "f":
        np.testing.assert_array_equal(sum(each.values.astype(np.int64) for each in of_parts), whole.values)
    nobody = built.over(parts)
    nobody.indexed.clear()
    assert HeldRows(nobody, dataset, layer.bound(dataset)).facts.root_x == exact.root_x
    with pytest.raises(Busy, match="try again"):
        nobody.bars_held(x0, x1)


def test_bars_are_estimated_from_the_parts_that_were_passed_over(
    engine: DaskEngine, alone: Engine, dataset: Dataset, whole: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = Layer("bar", "kind", "", "sum(huge)", sort="value").bound(dataset)
    parts, answers = engine.workers.parts_of(dataset), engine.workers.answers
    came, gate = [], asyncio.Event()

    async def slow(asked: Any, question: Any, ident: str, cancel: Cancel, answered: Any, expected: Any) -> Any:
        """The second part is passed over later."""
        if question["ask"] != "label_bars" or len(asked) == 1:
            return await answers(asked, question, ident, cancel, answered, expected)
        came.append(ident)
        first = await answers(asked[:1], question, ident, cancel, answered, expected)
        await gate.wait()
        return first + await answers(asked[1:], question, ident, cancel, answered, expected)

    monkeypatch.setattr(engine.workers, "answers", slow)
    passes = engine.preview(dataset, layer)
    assert isinstance(passes, BarPasses) and not passes.whole and len(came) == 1
    assert engine.preview(dataset, layer) is passes and len(came) == 1
    first = BarPasses(dataset, layer, parts[:1], passes.named, passes.dtype, 1, engine.workers).run(NEVER).found
    bars, estimate = passes.bars(0, 9)
    compare(bars, first)
    assert estimate.share == parts[0].rows / dataset.num_rows and passes.generation == 2
    assert passes.facts.x_categories == first.names
    engine.workers.loop.call_soon_threadsafe(gate.set)
    engine.ensure(dataset, layer)
    compare(engine.bars(dataset, layer, 0, 9), alone.bars(whole, layer, 0, 9))
    assert passes.whole and engine.preview(dataset, layer) is None


def test_a_page_is_sent_estimated_bars_that_name_their_share(engine: DaskEngine, dataset: Dataset) -> None:
    layer = Layer("histogram", "n", "", "by(kind)", bins=4)
    sampled = engine.preview(dataset, layer)
    assert isinstance(sampled, HeldRows) and not sampled.whole
    engine.ensure(dataset, layer)
    jobs = ViewJobs(engine)
    _, call = jobs.estimate(dataset, layer, ColumnsWant("-1", "5", 300), sampled)
    _, exact = jobs.exact(dataset, layer, ColumnsWant("-1", "5", 300))
    estimated, found = call(NEVER), exact(NEVER)
    assert estimated is not None and found is not None
    (told,) = estimated.parts
    assert json.loads(told.json)["share"] == 1.0 and told.flags & ESTIMATE and not found.parts[0].flags & ESTIMATE
    assert [part.body for part in estimated.parts] == [part.body for part in found.parts]
