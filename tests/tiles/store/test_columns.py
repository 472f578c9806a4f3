"""Columns gathered into an order on disk, against the same in memory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigviz.data.cancel import Cancel
from bigviz.data.dataset import Dataset
from bigviz.data.errors import Cancelled, Unreadable
from bigviz.tiles.axis import Axis
from bigviz.tiles.order import Order, build_order
from bigviz.tiles.store import columns
from bigviz.tiles.store.columns import column_bytes, gather_column, open_column
from bigviz.tiles.work import Crew

SIZE = 30_000
NAMES = ("f", "d", "n", "full", "t", "k", "many")


@pytest.fixture(scope="module")
def table(dataset: Callable[..., Dataset]) -> Dataset:
    rng = np.random.default_rng(1)
    null = rng.random(SIZE) < 0.1
    x = rng.normal(size=SIZE)
    x[:100] = np.nan
    return dataset(
        x=x,
        y=rng.normal(size=SIZE),
        f=np.where(null, np.nan, rng.normal(size=SIZE)).astype(np.float32),
        d=rng.normal(size=SIZE),
        n=pa.array(rng.integers(-100, 100, SIZE), pa.int16(), mask=null),
        full=rng.integers(0, 255, SIZE).astype(np.uint8),
        t=pa.array(rng.integers(0, 2**60, SIZE), pa.timestamp("ns"), mask=null),
        k=pa.array(rng.choice(["a", "b", "c"], SIZE), mask=null),
        many=pa.array([f"label {k % 300}" for k in range(SIZE)]),
    )


@pytest.fixture(scope="module")
def order(table: Dataset, axis: Callable[..., Axis]) -> Order:
    space = axis([0.0]).space
    return build_order(Axis(table.column("x"), space), Axis(table.column("y"), space), False, Crew(1))


@pytest.mark.parametrize("segment", [1, 1 << 29])
@pytest.mark.parametrize("name", NAMES)
def test_a_gathered_column_is_the_column_in_order(
    table: Dataset, order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, segment: int
) -> None:
    monkeypatch.setattr(columns, "_SEGMENT", segment)
    monkeypatch.setattr(columns, "SLICE", 7_001)
    facts = gather_column(order, table, name, tmp_path, Crew(2))
    found = open_column(tmp_path, facts)
    source = table.column(name)
    values, valid = source.values[order.rows], None if source.valid is None else source.valid[order.rows]
    if source.categories is not None:
        assert found.labels == source.categories and found.values is None and found.codes is not None
        assert found.codes.array.dtype == (np.int8 if len(source.categories) < 128 else np.int32)
        assert (found.codes.array == (values if valid is None else np.where(valid, values, -1))).all()
    else:
        assert found.values is not None and found.values.array.dtype == source.values.dtype
        assert np.array_equal(found.values.array, values, equal_nan=values.dtype.kind == "f")
        assert (found.valid is None) == (valid is None)
        assert found.valid is None or (found.valid.array == valid).all()
    size = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert column_bytes(order, table, name) <= size + SIZE  # a mask that is not needed is not kept
    again = gather_column(order, table, name, tmp_path, Crew(1))
    assert again == facts


def test_a_flipped_byte_is_found(table: Dataset, order: Order, tmp_path: Path) -> None:
    facts = gather_column(order, table, "d", tmp_path, Crew(1))
    path = tmp_path / "values.arrow"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    values: Any = open_column(tmp_path, facts).values
    with pytest.raises(Unreadable, match=r"values\.arrow"):
        values.take(slice(None))


def test_other_folders_are_refused(table: Dataset, order: Order, tmp_path: Path) -> None:
    facts = gather_column(order, table, "n", tmp_path, Crew(1))
    with pytest.raises(Unreadable):
        open_column(tmp_path, {**facts, "rows": 5})
    with pytest.raises(Unreadable):
        open_column(tmp_path, {})


def test_gathering_stops(table: Dataset, order: Order, tmp_path: Path) -> None:
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        gather_column(order, table, "n", tmp_path, Crew(1, cancel=cancel))
