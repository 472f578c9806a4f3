"""Images of numbers of rows from the counts of a pyramid, against `Canvas` over all rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.canvas.canvas import Canvas
from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_source
from bigviz.tiles.answers.ordered import counted_image, ordered_image
from bigviz.tiles.engine import Engine
from bigviz.tiles.pyramid import pyramid
from bigviz.tiles.pyramid.layer_columns import Inputs

ROWS = 30_000
LAYERS = [Layer("points", *axes, filter=keep) for axes in ("xy", "ab") for keep in ("", "x > 0")]


@pytest.fixture(scope="module")
def table() -> Dataset:
    """A cloud with a dense part and a pile, in float32, and in float64 with numbers that their codes do not tell."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, ROWS))
    x[:9_000], y[:9_000] = 0.5 + 1e-3 * x[:9_000], 1e-3 * y[:9_000]
    x[:2_000], y[:2_000] = 0.5, 0.0
    return open_source({"x": x.astype(np.float32), "y": y.astype(np.float32), "a": x * 1e-9, "b": np.round(y, 3)})


@pytest.fixture(scope="module")
def engine(table: Dataset) -> Iterator[Engine]:
    """An engine whose pyramids keep tiles of few rows, and images that are drawn by them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Inputs, "many", property(lambda self: 200))
        patch.setattr(pyramid, "_FEW", 8)
        for module, name, value in (
            (ordered_image, "_MANY", 1),
            (ordered_image, "_CLOSE", 0.0),
            (counted_image, "_FEWEST_TILES", 1),
            (counted_image, "_LEFT", 40),
        ):
            patch.setattr(module, name, value)
        made = Engine(threads=2)
        for layer in LAYERS:
            made.ensure(table, layer)
        yield made


@pytest.mark.parametrize("layer", LAYERS, ids=str)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_images_are_those_of_all_rows(engine: Engine, table: Dataset, layer: Layer, data: st.DataObject) -> None:
    ranges = []
    for name in (layer.x, layer.y):
        values = table.column(name).values
        low, high = sorted(values[data.draw(st.integers(0, ROWS - 1))].item() for _ in range(2))
        ranges.append((low, high) if high - low > 1e-12 else (low, low + 1.0))
    width, height = (data.draw(st.sampled_from([1, 40, 300])) for _ in range(2))
    ours = engine.image(table, layer, *ranges[0], *ranges[1], width, height)[0][::-1]
    theirs = Canvas(width, height, *ranges).points(table, layer.x, layer.y, "count", filter=layer.filter)
    assert (ours == theirs.values).all() and ours.dtype == theirs.dtype


def test_rows_of_tiles_that_are_kept_are_told_by_their_counts(
    engine: Engine, table: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, told = [], counted_image.count_tile

    def count_tile(*args: Any) -> Any:
        drawn.append(args)
        return told(*args)

    monkeypatch.setattr(counted_image, "count_tile", count_tile)
    ours = engine.image(table, LAYERS[0], -3.0, 3.0, -3.0, 3.0, 600, 400)[0][::-1]
    assert drawn and (ours == Canvas(600, 400, (-3.0, 3.0), (-3.0, 3.0)).points(table, "x", "y").values).all()
