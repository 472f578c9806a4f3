"""Which views are alike, and how much is kept of them."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.server.jobs.encoded import Prepared
from bigviz.server.jobs.kept_views import KeptView, KeptViews, key_of
from bigviz.server.jobs.wanted import LayerWants, WindowWant
from bigviz.tiles.interface import Cost
from bigviz.wire.frames import Part, Type

LAYER = Layer("points", "x", "y")
WANTED = LayerWants(0, {}, ((0, 0, 0, 0),), window=WindowWant((0, 1, 0, 1), 640, 480))


def test_views_differ_in_all_that_their_answers_depend_on():
    tables = [bv.open(pa.table({"x": [1.0, 2.0], "y": [1.0, each]})) for each in (2.0, 3.0)]
    newer = bv.open(pa.table({"x": [1.0, 2.0], "y": [1.0, 2.0]}))
    newer.version += 1
    others = [
        replace(WANTED, window=WindowWant((0, 1.0, 0, 1), 640, 480)),  # equal, and refused on an axis of times
        replace(WANTED, window=WindowWant((0, True, 0, 1), 640, 480)),
        replace(WANTED, window=WindowWant((0, 1, 0, 1), 640, 481)),
        replace(WANTED, prefetch=((1, 1, 0, 0),)),
        replace(WANTED, tiles=((1, 1, 0, 0),)),
        replace(WANTED, roots=(("0", 1), ("0", 1))),
        replace(WANTED, layer=1),
    ]
    keys = {
        *(key_of(tables[0], LAYER, wanted, True) for wanted in (WANTED, *others)),
        key_of(tables[0], LAYER, WANTED, False),
        key_of(tables[0], replace(LAYER, agg="any"), WANTED, True),
        key_of(tables[1], LAYER, WANTED, True),
        key_of(newer, LAYER, WANTED, True),
    }
    assert len(keys) == 12
    assert key_of(tables[0], LAYER, replace(WANTED, definition={"x": "x"}), True) in keys


def test_views_that_are_kept_are_bounded():
    views = KeptViews()
    for number in range(80):
        views.put(number, KeptView(((0, Prepared(Type.TILE, [Part(b"", bytes(1 << 20))], Cost())),), ()))
        assert views.nbytes <= 32 << 20
    assert views.get(0) is None and views.get(79) is not None
