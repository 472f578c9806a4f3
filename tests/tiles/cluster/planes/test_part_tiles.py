"""A tile of counts from parts: packed where it is counted or kept, added up where it is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER
from bigviz.common.errors import Unreadable
from bigviz.data.open import open as open_dataset
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.cluster.messages import Answer
from bigviz.tiles.cluster.planes.added_counts import added_counts
from bigviz.tiles.cluster.planes.packed_counts import pack_counts
from bigviz.tiles.cluster.planes.part_tiles import tile_of_part
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey

KEYS = [TileKey(z, z, i, j) for z in (0, 3, 20) for i in range(2) for j in range(2) if z or not i + j]
APART = [TileKey(2, 4, 1, 6), TileKey(3, 1, 4, 1)]


@pytest.mark.parametrize("agg", ("count", "by(kind, count)"))
def test_a_tile_of_parts_is_that_of_their_rows_together(agg: str) -> None:
    rng = np.random.default_rng(8)
    x, y = rng.normal(size=(2, 300_000)).astype(np.float32)
    kind = pa.array(rng.choice(["a", "b", "c"], len(x))).dictionary_encode()
    table = open_dataset(pa.table({"x": x, "y": y, "kind": kind}), name="t")
    engine, layer = Engine(threads=1, index="never"), Layer("points", "x", "y", agg)
    with engine.answering(table, layer) as points:
        assert isinstance(points, PointsLayer)
        kept = 0
        for key in KEYS + APART:
            kept += points.pyramid.kept(key) is not None
            head, body = tile_of_part(points, key, 0, NEVER)
            answer, categories = Answer(head, (body,)), 3 if agg.startswith("by") else None
            expected = points.accumulators(key)[0][0]
            own = added_counts([answer, answer], categories, True, NEVER)
            np.testing.assert_array_equal(own, 2 * expected)
            np.testing.assert_array_equal(added_counts([answer], categories, False, NEVER), expected)
            np.testing.assert_array_equal(own, 2 * expected)
        assert kept


@pytest.mark.parametrize("sizes", ([], [3], [36, 0], [-1, 37], [36, 36], [37]))
def test_other_planes_than_those_expected_are_an_error(sizes: list[int]) -> None:
    cells: Any = np.zeros((256, 256), np.uint32)
    cells[1, 2] = 3
    body = pack_counts(cells)
    with pytest.raises(Unreadable, match="36"):
        added_counts([Answer({"packed": sizes}, (body,))], None if len(sizes) < 2 else 3, True, NEVER)
