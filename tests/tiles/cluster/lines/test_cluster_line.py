"""Lines over two workers against those of one process over the same files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.errors import BadInput, TooLarge
from bigviz.data.dataset import Dataset
from bigviz.tiles.cluster.cluster_layer import ClusterLayer
from bigviz.tiles.cluster.dask_engine import DaskEngine
from bigviz.tiles.cluster.held_rows import HeldRows
from bigviz.tiles.cluster.lines import cluster_line
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey

KEYS = (TileKey(0, 0, 0, 0), TileKey(1, 1, 0, 1), TileKey(3, 2, 4, 1))
LAYERS = [
    Layer("line", *names, "any", **more)
    for *names, more in (
        ("ascending", "y", {}),
        ("ascending", "rare", {}),
        ("stamp", "whole", {"xaxis": "datetime"}),
        ("descending", "rare", {}),
        ("shuffled", "y", {}),
        ("shuffled", "full", {}),
        ("shuffled", "whole", {"root": "full"}),
        ("positive", "y", {"xaxis": "log", "filter": "kind != 'b'"}),
        ("ascending", "kind", {"filter": "full > 0 and ascending > 600"}),
    )
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_lines_equal_those_of_one_process(
    engine: DaskEngine, alone: Engine, lines: Dataset, same_lines: Dataset, layer: Layer
) -> None:
    engine.ensure(lines, layer)  # another test may have lost a worker
    info = engine.info(lines, layer)
    assert info == alone.info(same_lines, layer) and info.range is not None
    x0, y0, x1, y1 = info.range
    for key in KEYS:
        found, expected = engine.tile(lines, layer, key), alone.tile(same_lines, layer, key)
        assert found.planes == expected.planes and (found.planes[0].filled or key != KEYS[0])
        np.testing.assert_array_equal(found.arrays()[0], expected.arrays()[0])
    step = (x1 - x0) // 5 if isinstance(x0, int) else (x1 - x0) / 5
    for low, high, width in ((x0, x1, 60), (x0 + step, x1 - step, 700), (x0 + 2 * step, x0 + 2 * step + step / 50, 9)):
        window = low, high, width
        some, others = engine.columns(lines, layer, *window), alone.columns(same_lines, layer, *window)
        for name in ("column", "run", "row", "x", "y"):
            np.testing.assert_array_equal(getattr(some, name), getattr(others, name))
            assert getattr(some, name).dtype == getattr(others, name).dtype
        assert some.flagged == others.flagged and some.table(lines).equals(others.table(same_lines))
        image = engine.image(lines, layer, low, high, y0, y1, width, 80)
        other = alone.image(same_lines, layer, low, high, y0, y1, width, 80)
        np.testing.assert_array_equal(image[0], other[0])
        assert image[0].dtype == other[0].dtype
    for box, limit in (((x0, x1, y0, y1), 500), ((x0 + step, x1 - step, y0, y1), 50_000)):
        rows, expected_rows = engine.rows(lines, layer, *box, limit), alone.rows(same_lines, layer, *box, limit)
        assert rows.equals(expected_rows) and rows.schema.metadata == expected_rows.schema.metadata


def test_the_edge_between_parts_is_drawn_once(engine: DaskEngine, lines: Dataset) -> None:
    layer = Layer("line", "ascending", "full", "any")
    engine.ensure(lines, layer)
    last = engine.workers.parts_of(lines)[0].rows - 1
    ends = lines.take(np.array([last, last + 1]), ["ascending"]).column(0).to_pylist()
    found = engine.columns(lines, layer, ends[0] - 40, ends[1] + 40, 300)
    assert len(set(found.row.tolist())) == len(found.row) and len(set(found.run.tolist())) == 1


def test_an_image_that_takes_too_many_rows_is_refused_in_words(
    engine: DaskEngine, lines: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_line, "_MOST_SENT", 100)
    layer = Layer("line", "shuffled", "y", "any")
    engine.ensure(lines, layer)
    with pytest.raises(TooLarge, match="not in the order of the file and there are gaps"):
        engine.image(lines, layer, 0.0, 3000.0, -50.0, 50.0, 20, 20)
    monkeypatch.setattr(cluster_line, "_MOST_SENT", 1 << 20)
    monkeypatch.setattr(cluster_line, "_MOST_AT_ONCE", 100)
    with pytest.raises(TooLarge, match="of them in one pixel column"):
        engine.image(lines, layer, 0.0, 3000.0, -50.0, 50.0, 20, 20)


@pytest.mark.parametrize("y", ["y", "half"])
def test_rows_of_columns_with_gaps_are_brought_together_some_at_a_time(
    engine: DaskEngine, alone: Engine, lines: Dataset, same_lines: Dataset, y: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_line, "_MOST_AT_ONCE", 60)
    layer, sent = Layer("line", "shuffled", y, "any"), list[int]()
    engine.ensure(lines, layer)
    brought = cluster_line.ClusterLine._all_rows

    def counted(self: cluster_line.ClusterLine, *args: Any) -> Any:
        found = brought(self, *args)
        sent.append(len(found[0].values))
        return found

    monkeypatch.setattr(cluster_line.ClusterLine, "_all_rows", counted)
    window = 0.0, 3000.0, -60.0, 90.0
    image, expected = engine.image(lines, layer, *window, 400, 300), alone.image(same_lines, layer, *window, 400, 300)
    np.testing.assert_array_equal(image[0], expected[0])
    assert len(sent) > 50 and max(sent) <= 60 + 30


def test_a_window_that_cannot_be_divided_is_refused(engine: DaskEngine, lines: Dataset) -> None:
    engine.ensure(lines, LAYERS[0])
    with pytest.raises(BadInput):
        engine.columns(lines, LAYERS[0], 5, 5, 100)


@pytest.mark.parametrize("layer", LAYERS[:6], ids=str)
def test_several_parts_a_worker_are_joined_and_no_line_crosses_missing_rows(
    engine: DaskEngine,
    alone: Engine,
    lines: Dataset,
    same_lines: Dataset,
    layer: Layer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine.ensure(lines, layer)
    built = engine._built(lines, layer)
    assert built is not None
    parts = tuple(
        Part(lines.fingerprint, *pair, 1500 * (pair[1] - pair[0])) for pair in ((0, 1), (1, 2), (2, 5), (5, 6))
    )
    over = built.over(parts)
    over.restore(False)
    info = alone.info(same_lines, layer)
    assert info.range is not None
    x0, _, x1, _ = info.range
    found, expected = over.columns(x0, x1, 150), alone.columns(same_lines, layer, x0, x1, 150)
    for name in ("column", "run", "row", "x", "y"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    monkeypatch.setattr(ClusterLayer, "held_parts", lambda self: [parts[0], *parts[2:]])
    held = HeldRows(over, lines, layer.bound(lines))
    some, estimate = held.columns(x0, x1, 150)
    assert estimate.share == 1 - parts[1].rows / lines.num_rows and not held.whole
    stops = np.cumsum([part.rows for part in parts])
    where = np.searchsorted(stops, some.row, "right")
    assert set(where.tolist()) == {0, 2, 3}
    bridges = (where[1:] == 2) & (where[:-1] == 0) & (np.diff(some.run) == 0)
    assert not bridges.any() or not info.sorted
    drawn, estimate = held.tile(KEYS[0])
    assert drawn.planes[0].filled and estimate.share < 1
