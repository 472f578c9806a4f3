"""What parts hold for layers, while other layers come and go."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pyarrow as pa

from bigviz.aggregate.layer import Layer
from bigviz.common.workers import Crew
from bigviz.tiles.segments.part_layer import PartColumn
from bigviz.tiles.segments.remaking import carried, merge
from bigviz.tiles.segments.row_part import RowPart

from ...growing import Growing
from .compared import built, indexes


def two_parts() -> tuple[RowPart, RowPart]:
    """Parts with the columns v and w, and the layers mean(v) and max(w)."""
    rng = np.random.default_rng(7)
    growing, streams = Growing(pa.table(dict(zip("xyvw", rng.random((4, 50)), strict=True)))), indexes()
    kept = [built(streams, growing.version(), Layer("points", "x", "y", agg)) for agg in ("mean(v)", "max(w)")]
    growing.append(pa.table(dict(zip("xyvw", rng.random((4, 9)), strict=True))))
    dataset = growing.version()
    made = [built(streams, dataset, each.layer) for each in kept]
    one, two = made[0].version.parts
    return one, two


def test_what_is_let_go_of_while_parts_are_merged_is_merged_all_the_same() -> None:
    one, two = two_parts()
    made = merge((one, two), one.order.roots, Crew(1))
    whole = made.layers.keys()
    made.layers.clear()

    def carry(columns: list[PartColumn]) -> PartColumn:
        for part in (one, two):
            part.layers.clear()
        return columns[0]

    carried((one, two), made, carry)
    assert made.layers.keys() == whole and len(whole) == 4


def test_a_layer_whose_column_was_let_go_of_is_not_merged() -> None:
    one, two = two_parts()
    del one.layers["v"]
    made = merge((one, two), one.order.roots, Crew(1))
    assert "v" not in made.layers and "w" in made.layers
    assert [name[0] for name in made.layers if isinstance(name, tuple)] == ["max(w)"]


def test_a_part_that_is_dropped_is_freed_at_once() -> None:
    """Without the garbage collector, which may not run for minutes: its arrays are as large as the table."""
    one, two = two_parts()
    orders = [weakref.ref(part.order) for part in (one, two)]
    gc.disable()
    try:
        del one, two
        assert [order() for order in orders] == [None, None]
    finally:
        gc.enable()
