"""Layers over files that are followed: each version's tiles are those of the same rows in one table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.data.dataset import Dataset
from bigviz.data.following.table import FollowedTable
from bigviz.data.open import open as open_table
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.wire.codec import decode

KEYS = [TileKey(0, 0, 0, 0), TileKey(1, 1, 0, 1), TileKey(2, 2, 1, 2)]
RNG = np.random.default_rng(17)


def rows(count: int, labels: str = "abc") -> pa.Table:
    x, y = np.round(RNG.normal(size=(2, count)), 3)
    return pa.table({"x": x, "y": y, "k": RNG.choice(list(labels), count)})


def parquet(folder: Path) -> tuple[Path, Callable[[pa.Table], None]]:
    folder.mkdir()

    def add(table: pa.Table) -> None:
        number = len(list(folder.iterdir()))
        pq.write_table(table, folder / f"_{number}")
        (folder / f"_{number}").rename(folder / f"{number}.parquet")

    return folder, add


def arrow(path: Path) -> tuple[Path, Callable[[pa.Table], None]]:
    path = path.with_suffix(".arrows")
    path.write_bytes(rows(1).schema.serialize())

    def add(table: pa.Table) -> None:
        with path.open("ab") as file:
            for batch in table.to_batches(max_chunksize=7):
                file.write(batch.serialize())

    return path, add


def csv(path: Path) -> tuple[Path, Callable[[pa.Table], None]]:
    path.with_suffix(".csv").write_text("x,y,k\n")

    def add(table: pa.Table) -> None:
        with path.with_suffix(".csv").open("a") as file:
            file.writelines(f"{row['x']},{row['y']},{row['k']}\n" for row in table.to_pylist())

    return path.with_suffix(".csv"), add


def planes(engine: Engine, dataset: Dataset, layer: Layer, key: TileKey) -> list[np.ndarray]:
    return [decode(plane)[0] for plane in engine.tile(dataset, layer, key).planes]


@pytest.mark.parametrize("kind", [parquet, arrow, csv])
def test_tiles_are_those_of_one_table(tmp_path: Path, kind: Callable[[Path], tuple[Path, Callable[[pa.Table], None]]]):
    path, add = kind(tmp_path / "t")
    tables = [rows(2_000)]
    add(tables[0])
    table, engine = FollowedTable(str(path), "t"), Engine()
    found = table.open()
    for count, labels in ((1, "a"), (300, "abc"), (0, "a"), (5_000, "abcz"), (40, "b")):
        if count:
            tables.append(rows(count, labels))
            add(tables[-1])
        for _ in range(3):  # a file that was just written waits for a second look
            found = table.look() or found
        whole = open_table(pa.concat_tables(tables))
        assert found.num_rows == whole.num_rows
        for agg in ("count", "max(y)", "last(y)", "by(k)"):
            layer = Layer("points", "x", "y", agg)
            fresh = Engine()
            engine.ensure(found, layer)
            fresh.ensure(whole, layer)
            assert engine.info(found, layer).rows == fresh.info(whole, layer).rows
            for key in KEYS:
                pairs = zip(planes(engine, found, layer, key), planes(fresh, whole, layer, key), strict=True)
                assert all(np.array_equal(one, other, equal_nan=True) for one, other in pairs), (agg, key)
