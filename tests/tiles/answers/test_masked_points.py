"""Answers by a bit a row are those of the rows that are copied."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.aggregate.axis import Axis
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.spaces import LINEAR
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled
from bigviz.common.workers import Crew, slices
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.masked_points import MaskedPoints
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.morton import filtered_order, masked_cells
from bigviz.tiles.morton import packed_mask as masks
from bigviz.tiles.morton.filtered_order import KeptCopy
from bigviz.tiles.morton.masked_rows import MaskedRows
from bigviz.tiles.morton.order import MemoryOrder, build_order
from bigviz.tiles.morton.packed_mask import packed_mask
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.pyramid import Pyramid
from bigviz.tiles.selection.region import Rectangle

ROWS = 70_000
KEYS = [TileKey(0, 0, 0, 0), TileKey(1, 1, 0, 1), TileKey(3, 3, 4, 3), TileKey(3, 1, 4, 0), TileKey(0, 4, 0, 9),
        TileKey(9, 9, 200, 300), TileKey(24, 24, 0, 0)]  # fmt: skip
SHARES = (0.0, 0.001, 0.5, 0.98, 1.0)
U4 = np.dtype(np.uint32)


def table(kind: str) -> Dataset:
    """Points here and there, or many on each of a few places; and far ones, and some without a place."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(0, 1, (2, ROWS)) if kind == "spread" else rng.integers(0, 7, (2, ROWS)).astype(np.float64)
    x[::997], y[5::1501], x[7::9001] = np.nan, np.inf, 1e300
    return bv.open(pa.table({"x": x, "y": y, "v": rng.random(ROWS)}))


def pair(kind: str, share: float) -> tuple[Dataset, MaskedPoints, PointsLayer]:
    """A layer of some rows by bits, and of the same rows copied."""
    dataset = table(kind)
    x, y = (Axis(dataset.column(name), LINEAR) for name in ("x", "y"))
    keep = dataset.column("v").values < share
    order = build_order(x, y, True, Crew(2))
    assert isinstance(order, MemoryOrder)
    mask = packed_mask(len(order.guard), lambda start, stop: keep[order.row_numbers(slice(start, stop))], Crew(2))
    rows = MaskedRows(order, mask, keep[order.far], int(keep.sum()))
    reduction = Layer("points", "x", "y").reduction
    copied = MaskedRows(order, mask, keep[order.far], int(keep.sum())).copied(Crew(1))
    assert np.array_equal(copied.row_numbers(slice(None)), [row for row in order.row_numbers(slice(None)) if keep[row]])
    whole = PointsLayer(x, y, copied, Pyramid(copied.guard, Inputs(reduction, U4, U4)), {})
    return dataset, MaskedPoints(x, y, rows, reduction, None, 2), whole


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("kind", ["spread", "piles"])
def test_answers_are_those_of_the_copied_rows(kind: str, share: float) -> None:
    dataset, masked, whole = pair(kind, share)
    layer = Layer("points", "x", "y", filter="v < 0.5")
    assert masked.facts(dataset, layer) == whole.facts(dataset, layer)
    for key in KEYS:
        assert masked.draw(key).planes == whole.draw(key).planes
        np.testing.assert_array_equal(masked.arrays(key)[0], whole.arrays(key)[0])
    for x, y in (
        ((-0.3, 0.2), (0.1, 0.4)),
        ((2.0, 3.0), (2.0, 5.0)),
        ((1e3, 1e4), (0.0, 1.0)),
        ((-9.0, 1e301), (-9.0, 9.0)),
    ):
        mine, theirs = masked.marks(x, y), whole.marks(x, y)
        assert (mine is None) == (theirs is None)
        for name in () if mine is None else ("x", "y", "row", "number", "value"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
        images = [each.window_image(x, y, (40, 30)) for each in (masked, whole)]
        assert images[0] is not None and images[1] is not None and images[0].planes == images[1].planes
        rows = [each.rows(dataset, layer, x, y, 500) for each in (masked, whole)]
        assert rows[0][1] == rows[1][1] and rows[0][0].equals(rows[1][0])
        chosen = [each.select(dataset, layer, Rectangle(x, y), Crew(2))[0] for each in (masked, whole)]
        assert chosen[0].count == chosen[1].count


def test_windows_of_many_rows_are_answered_of_copied_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset, masked, whole = pair("spread", 0.5)
    monkeypatch.setattr("bigviz.tiles.answers.masked_points.MOST_LOOKED", 100)
    window = (-1.0, 1.0), (-1.0, 1.0)
    assert masked.marks(*window) is None
    layer = Layer("points", "x", "y", filter="v < 0.5")
    mine, theirs = (each.rows(dataset, layer, *window, 500) for each in (masked, whole))
    assert mine[1] == theirs[1] and mine[0].equals(theirs[0])
    one, other = (each.window_image(*window, (40, 30)) for each in (masked, whole))
    assert one is not None and other is not None and one.planes == other.planes


def test_bits_are_counted_from_any_row_to_any_other() -> None:
    rng = np.random.default_rng(5)
    keep = rng.random(1_000) < 0.4
    words = packed_mask(1_000, lambda start, stop: keep[start:stop], Crew(1)).words
    for low, high in [*rng.integers(0, 1_001, (300, 2)).tolist(), [0, 1_000], [64, 128], [1_000, 1_000]]:
        part = masked_cells.Ranges.one(min(low, high), max(low, high))
        expected = np.flatnonzero(keep[min(low, high) : max(low, high)]) + min(low, high)
        assert masked_cells.count_kept(part, words) == len(expected)
        assert masked_cells.list_kept(part, words).tolist() == expected.tolist()


def test_a_layer_answers_before_its_rows_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """The build waits where rows would be copied: by then tiles are there, and are those of the complete layer."""
    dataset = table("spread")
    engine = Engine(threads=2, cache_bytes=0, preview_rows=1_000)
    layer = Layer("points", "x", "y", filter="v < 0.3")
    engine.ensure(dataset, Layer("points", "x", "y"))
    reached, go, get = threading.Event(), threading.Event(), KeptCopy.get

    def late(self: KeptCopy, crew: Crew) -> Any:
        reached.set()
        assert go.wait(60)
        return get(self, crew)

    monkeypatch.setattr(KeptCopy, "get", late)
    build = threading.Thread(target=engine.ensure, args=(dataset, layer))
    build.start()
    try:
        assert reached.wait(60)
        assert engine.readiness(dataset, layer) == "answering"
        assert isinstance(engine.layers.find(dataset, layer), MaskedPoints)
        first = [engine.tile(dataset, layer, key).planes for key in KEYS]
    finally:
        go.set()
        build.join(60)
    assert engine.readiness(dataset, layer) == "complete"
    assert isinstance(engine.layers.find(dataset, layer), PointsLayer)
    assert first == [engine.tile(dataset, layer, key).planes for key in KEYS]


def test_all_who_ask_for_the_copy_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some of them give up: the others go on where they were."""
    monkeypatch.setattr(filtered_order, "SLICE", 1 << 20)
    _, masked, whole = pair("spread", 0.5)
    rows, stopped = masked.rows_kept, Cancel()
    stopped.cancel()
    with pytest.raises(Cancelled):
        rows.copied(Crew(1, cancel=stopped))
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(rows.copied(Crew(2, cancel=NEVER)))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len(found) == 4 and all(each is found[0] for each in found)
    np.testing.assert_array_equal(found[0].keys, whole.order.keys)


def test_a_copy_in_small_slices_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, whole = pair("spread", 0.5)
    for module in (masks, filtered_order):
        monkeypatch.setattr(module, "SLICE", 1024)
        monkeypatch.setattr(module, "slices", lambda rows: slices(rows, 1024))
    _, masked, _ = pair("spread", 0.5)
    copied = masked.rows_kept.copied(Crew(3))
    np.testing.assert_array_equal(copied.keys, whole.order.keys)
    np.testing.assert_array_equal(copied.numbered.array, whole.order.numbered.array)
    np.testing.assert_array_equal(copied.guard.boxes.sides, whole.order.guard.boxes.sides)
