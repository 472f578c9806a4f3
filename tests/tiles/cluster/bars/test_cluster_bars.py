"""Histograms and bars over two workers against those of one process over the same files."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.errors import BadInput
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.selection.region import Strip

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
