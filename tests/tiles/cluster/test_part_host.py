"""What a worker answers of its part, without a cluster: indexes on its disk, and what it lacks."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER
from bigviz.common.errors import Unreadable
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_dataset
from bigviz.tiles import disk_indexes
from bigviz.tiles.cluster.messages import Answer, kept_of, layer_facts
from bigviz.tiles.cluster.part_host import PartHost
from bigviz.tiles.cluster.tile_batches import tiles_of
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.pyramid.accumulators import revive
from bigviz.tiles.store.catalog.directory import StoreDirectory

LAYER = Layer("points", "x", "y", "first(v)")


@pytest.fixture
def whole(tmp_path: Path) -> Dataset:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 900))
    x[100] = 1e12
    folder = tmp_path / "t"
    folder.mkdir()
    for number in range(3):
        rows = slice(300 * number, 300 * number + 300)
        pq.write_table(pa.table({"x": x[rows], "y": y[rows], "v": np.arange(900)[rows]}), folder / f"{number}.parquet")
    return open_dataset(folder)


def asked(whole: Dataset, part: tuple[int, int], ask: str, **more: Any) -> Answer:
    return Answer({"ask": ask, "dataset": whole.fingerprint, "part": part, **more})


def opened(whole: Dataset) -> Answer:
    assert whole.origin is not None
    return asked(whole, (0, 1), "open", name="t", origin=asdict(whole.origin))


@pytest.mark.parametrize("stored", (False, True))
def test_parts_have_the_roots_and_the_row_numbers_of_the_whole(
    whole: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    monkeypatch.setattr(disk_indexes, "STORED_ROWS", 1)
    stores = StoreDirectory(tmp_path / "stores")
    host = PartHost(Engine(threads=1, stores=stores if stored else None, index="auto"), 1)
    alone = Engine(threads=1, index="never")
    info = alone.info(whole, LAYER)
    facts = {"layer": layer_facts(LAYER, (info.root_x, info.root_y)), "labels": []}
    host.answer(opened(whole), NEVER)
    key = TileKey(0, 0, 0, 0)
    reduction, dtype = LAYER.reduction, np.dtype(np.int64)
    total = reduction.create((256, 256), dtype)
    for part in ((0, 1), (1, 3)):
        kept = host.answer(asked(whole, part, "ensure", published=True, **facts), NEVER)
        assert kept.head["kept"] == 300 * (part[1] - part[0])
        found = host.answer(asked(whole, part, "tiles", keys=[[0, 0, 0, 0]], **facts), NEVER)
        (tile,) = tiles_of(found)
        reduction.combine(total, revive(reduction, kept_of(tile.bodies[0], *tile.head["planes"]), dtype))
    grid, expected = reduction.finalize(total), alone.tile(whole, LAYER, key).arrays()[0]
    np.testing.assert_array_equal(np.where(grid.filled, grid.values, 0), np.ma.filled(expected, 0))
    assert bool(stores.entries()) == stored


def test_a_worker_says_what_it_lacks(whole: Dataset) -> None:
    host = PartHost(Engine(threads=1, index="never"), 1)
    question = asked(whole, (0, 1), "own_labels", column="v", labels=["`v`"])
    assert host.answer(question, NEVER).head == {"needs": "dataset"}
    host.answer(opened(whole), NEVER)
    host.answer(asked(whole, (0, 1), "forget"), NEVER)
    assert host.answer(question, NEVER).head == {"needs": "dataset"}


def test_other_files_than_those_of_the_server_are_refused(whole: Dataset) -> None:
    host = PartHost(Engine(threads=1, index="never"), 1)
    with pytest.raises(Unreadable, match="other files"):
        host.answer(Answer({**opened(whole).head, "dataset": "another"}), NEVER)
