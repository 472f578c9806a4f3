"""The dense part of a layer: found where a few rows lie far off, left alone where data is ordinary, counted exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bigviz as bv
from bigviz.aggregate.layer import Layer
from bigviz.tiles import disk_indexes
from bigviz.tiles.answers.dense_part import DensePart
from bigviz.tiles.engine import Engine
from bigviz.tiles.store.catalog.directory import StoreDirectory

ROWS = 40_000
COUNT = Layer("points", "x", "y")


def dense(x: Any, y: Any, layer: Layer = COUNT) -> DensePart | None:
    return Engine().dense(bv.open(pa.table({"x": x, "y": y})), layer)


def cloud(size: int = ROWS, outside: float = 0.01) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    return rng.normal(100, 1, size), rng.normal(40, 0.5, size), rng.random(size) < outside


@pytest.mark.parametrize("fill", [0.0, -9999.0, 9.97e36])
@pytest.mark.parametrize("outside", [0.005, 0.01, 0.02])
def test_missing_values_are_left_out_of_the_first_view(fill: float, outside: float) -> None:
    x, y, missing = cloud(outside=outside)
    found = dense(np.where(missing, fill, x), np.where(missing, fill, y))
    assert found is not None and found.rows == int((~missing).sum())
    x0, y0, x1, y1 = found.box
    for (low, high), values in (((x0, x1), x[~missing]), ((y0, y1), y[~missing])):
        least, most = values.min(), values.max()
        size = most - least
        assert least - 0.1 * size <= low <= least and most <= high <= most + 0.1 * size


def test_one_axis_may_be_whole() -> None:
    x, y, missing = cloud()
    found = dense(np.where(missing, 0.0, x), y)
    assert found is not None and (found.box[1], found.box[3]) == (y.min(), y.max())


def test_whole_numbers_and_times_stay_exact() -> None:
    _, y, missing = cloud()
    start = 1_700_000_000_000_000_001
    ns = start + np.arange(ROWS)
    for x, layer in (
        (np.where(missing, 0, ns), COUNT),
        (pa.array(np.where(missing, 0, ns), pa.timestamp("ns")), Layer("points", "x", "y", xaxis="datetime")),
        (np.where(missing, 0, ns.astype(np.uint64) + np.uint64(2**63)).astype(np.uint64), COUNT),
    ):
        found = dense(x, y, layer)
        assert found is not None and type(found.box[0]) is int and found.rows == int((~missing).sum())
    one = dense([0, *range(start, start + 199)], np.arange(200))
    assert one == DensePart((start, 0, start + 198, 199), 199), "all rows are looked at: the ends are theirs"


ORDINARY: dict[str, Any] = {
    "uniform": lambda rng: rng.random(ROWS),
    "normal": lambda rng: rng.normal(size=ROWS),
    "exponential": lambda rng: rng.exponential(size=ROWS),
    "lognormal": lambda rng: rng.lognormal(size=ROWS),
    "dice": lambda rng: rng.integers(0, 7, ROWS),
    "mostly zero": lambda rng: np.where(rng.random(ROWS) < 0.99, 0, rng.exponential(size=ROWS)),
    "two clouds": lambda rng: np.where(rng.random(ROWS) < 0.95, rng.random(ROWS), 1000 + rng.random(ROWS)),
    "constant": lambda rng: np.full(ROWS, 3.5),
    "few": lambda rng: np.append(rng.random(30), [1e9]),
    "none": lambda rng: np.array([]),
    "labels": lambda rng: rng.choice(["a", "b"], ROWS, p=[0.995, 0.005]),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_data_has_none(name: str) -> None:
    x = ORDINARY[name](np.random.default_rng(5))
    assert dense(x, np.arange(len(x))) is None


def test_lines_and_full_roots_have_none() -> None:
    x, y, missing = cloud()
    x = np.where(missing, 0.0, x)
    assert dense(x, y, Layer("line", "x", "y", "any")) is None
    assert dense(x, y, Layer("points", "x", "y", root="full")) is None


def test_rows_on_the_disk_are_looked_at_here_and_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk_indexes, "STORED_ROWS", 1)
    x, y, missing = cloud()
    table = pa.table({"x": np.where(missing, 9.97e36, x), "y": np.where(missing, 9.97e36, y)})
    pq.write_table(table, tmp_path / "rows.parquet")
    data = bv.open(str(tmp_path / "rows.parquet"))
    stores = StoreDirectory(tmp_path / "stores", tell=lambda sentence: None)
    engine = Engine(stores=stores)
    engine.publish(data, COUNT)
    engine.ensure(data, COUNT)
    assert len(stores.entries()) == 1
    found = engine.dense(data, COUNT)
    assert found is not None
    x0, y0, x1, y1 = found.box
    inside = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1) & ~missing
    assert found.rows == int(inside.sum()) > 0.999 * (~missing).sum(), "counted exactly, wherever the sample ends"
    assert x1 - x0 < 1.6 * np.ptp(x[~missing])


def test_a_sample_tells_about_the_same() -> None:
    x, y, missing = cloud()
    data = bv.open(pa.table({"x": np.where(missing, 0.0, x), "y": np.where(missing, 0.0, y)}))
    engine = Engine(preview_rows=1000)
    preview = engine.preview(data, COUNT)
    assert preview is not None
    found, exact = preview.dense, engine.dense(data, COUNT)
    assert found is not None and exact is not None
    assert abs(found.rows - exact.rows) < 0.005 * ROWS
    assert np.allclose(found.box, exact.box, atol=1)
