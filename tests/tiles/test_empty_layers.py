"""Layers without a row to draw: indexed on the disk, in memory and scanned they answer the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_source
from bigviz.tiles.build_store import index_layer
from bigviz.tiles.engine import Engine, Layer, TileKey
from bigviz.tiles.store.catalog.directory import StoreDirectory

AGGS = (
    *("count", "any", "sum(v)", "mean(v)", "min(v)", "max(v)", "first(v)", "last(v)", "by(k)", "by(k, any)"),
    *(f"by(k, {name}(v))" for name in ("sum", "mean", "min", "max", "first", "last")),
)
SOME = ("count", "mean(v)", "by(k, last(v))")
EVERY = ("no-x", "never-both", "no-value", "far")  # tables on which all reductions are tried
FEW = ("-0", "-1")  # but for those of so many rows
FAR = 2_500  # rows, of which two are far

Case = tuple[Path, Dataset, dict[str, str], tuple[str, ...]]


def gone(size: int) -> Any:
    return pa.nulls(size, pa.float64())


def there(size: int) -> Any:
    return np.arange(float(size))


def labels(size: int) -> Any:
    return pa.array(["a", "b"] * (size // 2 + 1)).slice(0, size)


def far_only(values: Any) -> pa.Table:
    """Only the two far rows have a value, and only they are of one category."""
    x = np.arange(FAR) / FAR
    x[[7, 1900]] = 9.9e36
    lone = np.zeros(FAR, bool)
    lone[[7, 1900]] = True
    kinds = np.where(lone, "far", "near")
    return pa.table({"x": x, "y": there(FAR), "v": pa.array(np.arange(FAR).astype(values), mask=~lone), "k": kinds})


def tables() -> dict[str, tuple[pa.Table, dict[str, str]]]:
    """Tables by what is missing in them, and the axes that a layer over them has."""
    found: dict[str, tuple[pa.Table, dict[str, str]]] = {}
    for size in (0, 1, 300):
        every, half = np.ones(size, bool), np.arange(size) % 2 == 0
        v = pa.array(np.arange(size), pa.int16(), mask=half)
        others = {"v": v, "k": labels(size)}

        def add(name: str, x: Any, y: Any, size: int = size, others: dict[str, Any] = others, **axes: str) -> None:
            found[f"{name}-{size}"] = pa.table({"x": x, "y": y, **others}), axes

        add("no-x", gone(size), there(size))
        add("no-y", there(size), gone(size))
        add("neither", gone(size), gone(size))
        add("never-both", pa.array(there(size), mask=half), pa.array(there(size), mask=~half))
        add("no-time", pa.nulls(size, pa.timestamp("us")), pa.array(np.arange(size), pa.int32()), xaxis="datetime")
        add("no-date", pa.nulls(size, pa.date32()), there(size))
        add("no-unsigned", pa.array(np.zeros(size, np.uint64), mask=every), pa.array(np.arange(size), pa.uint64()))
        add("no-label", pa.nulls(size, pa.dictionary(pa.int32(), pa.string())), there(size))
        add("label-without-x", gone(size), labels(size))
        add("infinite", np.full(size, np.inf, np.float32), there(size))
        add("below-log", -1 - there(size), there(size), xaxis="log", yaxis="log")
        add("beyond-mercator", there(size), np.full(size, 89.9), xaxis="mercator", yaxis="mercator")
        none = {"v": pa.nulls(size, pa.float32()), "k": pa.nulls(size, pa.string())}
        add("no-value", there(size), there(size), others=none)
    found["far-values"] = far_only(np.int64), {}
    found["far-floats"] = far_only(np.float32), {}
    return found


TABLES = tables()


@pytest.fixture(params=TABLES)
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    table, axes = TABLES[request.param]
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=1000)
    aggs = AGGS if request.param.startswith(EVERY) and not request.param.endswith(FEW) else SOME
    return tmp_path, open_source(tmp_path / "t.parquet"), axes, aggs


def answers(engine: Engine, table: Dataset, layer: Layer) -> dict[str, Any]:
    """All that a layer can be asked, as comparable values."""
    info = engine.info(table, layer)
    x0, y0, x1, y1 = (float(edge) for edge in info.extent)
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    window = (x0, x1), (y0, y1)
    found: dict[str, Any] = {"info": info, "rows": engine.rows(table, layer, x0, x1, y0, y1).to_pylist()}
    for key in (TileKey(0, 0, 0, 0), TileKey(2, 1, 3, 1), TileKey(12, 12, 0, 4095)):
        tile = engine.tile(table, layer, key)
        found[f"tile {key}"] = [plane.tobytes() for plane in tile.arrays()]
        found[f"planes {key}"] = [(plane.codec, bytes(plane.payload), plane.filled) for plane in tile.planes]
    found["image"] = [plane.tobytes() for plane in engine.image(table, layer, x0, x1, y0, y1, 7, 5)]
    if layer.glyph == "line":
        columns = engine.columns(table, layer, x0, x1, 100)
        return found | {"columns": columns.table(table).to_pydict()}
    marks = engine.marks(table, layer, *window)
    assert marks is not None
    parts = {name: getattr(marks, name) for name in ("x", "y", "row", "number", "code", "value")}
    found["marks"] = {name: None if each is None else (each.dtype, each.tobytes()) for name, each in parts.items()}
    image = engine.window_image(table, layer, *window, (9, 4))
    assert (image is None) == (info.planes == ())
    found["window"] = image and [(plane.codec, bytes(plane.payload), plane.filled) for plane in image.planes]
    return found


@contextmanager
def indexed(folder: Path, table: Dataset, layer: Layer) -> Iterator[Engine]:
    """An engine over the layer's index, as another process finds it."""
    built = StoreDirectory(folder / "stores", 1 << 32)
    index_layer(built, table, layer, (), Crew(2))
    built.close()
    found = StoreDirectory(folder / "stores", 1 << 32)
    yield Engine(threads=2, stores=found, index="asked")
    found.close()


def test_points(case: Case) -> None:
    folder, table, axes, aggs = case
    for agg in aggs:
        layer = Layer("points", "x", "y", agg, **axes)
        expected = answers(Engine(threads=2), table, layer)
        with indexed(folder, table, layer) as engine:
            assert answers(engine, table, layer) == expected, agg
        if table.num_rows:
            scanned = Engine(threads=2, index_bytes=1)
            assert scanned.info(table, layer) == expected["info"] and scanned.readiness(table, layer) == "scanned"
            assert answers(scanned, table, layer) == expected, agg


def test_lines(case: Case) -> None:
    folder, table, axes, _ = case
    for root in ("default", "full"):
        layer = Layer("line", "x", "y", "any", root=root, **axes)
        expected = answers(Engine(threads=2), table, layer)
        with indexed(folder, table, layer) as engine:
            assert answers(engine, table, layer) == expected
