"""Indexes of datasets that grow are shared while somebody holds them, and merged in the background."""

from __future__ import annotations

import gc
import logging

import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.segments.indexes import Indexes

from ...growing import Growing
from ...patience import until

LAYER = Layer("points", "x", "y")


class Counted:
    """An index with so many merges to come."""

    def __init__(self, spec: OrderSpec) -> None:
        self.spec = spec
        self.due = 3
        self.fails = False

    def wants_merge(self) -> bool:
        return self.due > 0

    def merge_once(self, crew: Crew) -> bool:
        if self.fails:
            self.fails = False
            raise MemoryError("no room")
        self.due -= 1
        return self.due > 0


def indexes(merges: bool = True) -> Indexes[Counted]:
    return Indexes(Counted, Counted.merge_once, Turns(), merges)


def test_versions_and_layers_of_one_order_share_an_index() -> None:
    growing, known = Growing(pa.table({"x": [1], "y": [2]})), indexes()
    assert known.find(growing.version(), LAYER) is None
    found = known.of(growing.version(), LAYER)
    assert known.of(growing.append(pa.table({"x": [3], "y": [4]})).version(), Layer("points", "x", "y", "any")) is found
    assert known.of(growing.version(), Layer("points", "y", "x")) is not found
    del found
    gc.collect()
    assert known.find(growing.version(), LAYER) is None  # nobody holds it


def test_an_index_is_merged_until_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    known = indexes()
    index = known.of(Growing(pa.table({"x": [1], "y": [2]})).version(), LAYER)
    index.fails = True
    with caplog.at_level(logging.ERROR, "bigviz"):
        known.merge(index)
        until(lambda: not known._merging)
    assert "could not be merged" in caplog.text and index.due == 3
    known.merge(index)  # a later version tries again
    until(lambda: not known._merging)
    assert index.due == 0


def test_merging_is_left_to_others() -> None:
    known = indexes(merges=False)
    index = known.of(Growing(pa.table({"x": [1], "y": [2]})).version(), LAYER)
    known.merge(index)
    assert not known._merging and index.due == 3
