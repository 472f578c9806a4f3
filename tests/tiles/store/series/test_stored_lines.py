"""A line over a store found in a directory answers as one in memory does."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.aggregate.layer import Layer
from bigviz.data.open import open as open_source
from bigviz.tiles.answers.line_layer import LineLayer
from bigviz.tiles.engine import Engine
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.store.series.build import write_series

SIZE = 30_000
rng = np.random.default_rng(0)
TABLE = pa.table(
    {
        "t": pa.array(np.datetime64("2020-01-01") + np.arange(SIZE) * np.timedelta64(1500, "ms"), pa.timestamp("ms")),
        "v": pa.array(rng.normal(size=SIZE).cumsum().astype(np.float32), mask=rng.random(SIZE) < 0.001),
        "n": pa.array(rng.integers(-100, 100, SIZE), pa.int16()),
        "kind": pa.array(rng.choice(["low", "high"], SIZE)).dictionary_encode(),
        "price": pa.array(np.abs(rng.normal(size=SIZE)) + 0.01),
    }
)


@pytest.mark.parametrize(
    ("x", "y", "xaxis", "yaxis"),
    [
        ("t", "v", "datetime", "linear"),
        ("t", "kind", "datetime", "linear"),
        ("v", "n", "linear", "linear"),
        ("t", "price", "datetime", "log"),
    ],
)
def test_answers_are_those_of_a_line_in_memory(tmp_path: Path, x: str, y: str, xaxis: str, yaxis: str) -> None:
    pq.write_table(TABLE, tmp_path / "t.parquet", row_group_size=7000)
    table, other = (open_source(tmp_path / "t.parquet") for _ in range(2))
    layer = Layer("line", x, y, "any", xaxis, yaxis)
    stores = StoreDirectory(tmp_path / "stores", 1 << 30, {"series": write_series})
    stores.build(table, OrderSpec.of(layer))
    on_disk, engine = Engine(threads=2, stores=stores, index="existing"), Engine(threads=2)
    info = engine.info(other, layer)
    assert on_disk.info(table, layer) == info
    line, built = on_disk.layers.ready(table, layer), engine.layers.ready(other, layer)
    assert isinstance(line, LineLayer) and isinstance(built, LineLayer) and line.survey == built.survey
    assert line.line.sorted == info.sorted == (x == "t")
    assert (line.y.column.info, line.y.column.categories) == (info.y, info.y_categories)
    assert info.range is not None
    x0, _, x1, _ = info.range
    for low, high, width in ((x0, x1, 500), (x0 + (x1 - x0) // 3, x1 - (x1 - x0) // 2, 7)):
        ours, theirs = line.columns(low, high, width), built.columns(low, high, width)
        assert ours.table(table).equals(theirs.table(table), check_metadata=True)
        assert ours.table(table).column("row").to_pylist() == ours.row.tolist()
        assert ours.table(table).column(y).to_pylist() == TABLE.column(y).take(ours.row).to_pylist()
        assert ours.table(table).schema.field(x).type == TABLE.schema.field(x).type
    for key in (TileKey(0, 0, 0, 0), TileKey(3, 1, 2, 1)):
        assert (line.arrays(key)[0] == built.arrays(key)[0]).all()
    window = (x0, x0 + (x1 - x0) // 4), info.range[1::2]
    (rows, matched), (wanted, number) = (each.rows(table, layer, *window, 100) for each in (line, built))
    assert rows.equals(wanted) and len(rows) == 100 and matched == number > 100
    assert not any(held.nbytes for held in line.held()) and sum(held.nbytes for held in built.held()) > 0
    assert table.memory() == 0
    stores.close()
