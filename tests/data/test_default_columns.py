"""A first look at tables as they come."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.errors import Unplottable, Unreadable
from bigviz.data.default_columns import Choice, choose
from bigviz.data.open import open as open_table

RNG = np.random.default_rng(5)
N = 200
NOISE = RNG.normal(size=N)
UP = np.arange(N)
DEGREES = RNG.uniform(-80, 80, N)
STAMPS = pa.array(UP, pa.timestamp("s"))
TEXT = [f"{row % 3}" for row in range(N)]
EMPTY = pa.nulls(N, pa.float64())


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"id": UP, "lat": DEGREES, "lon": DEGREES, "x": NOISE, "y": NOISE}, Choice("lon", "lat", "points", True)),
        (
            {"t": STAMPS, "pickup_latitude": DEGREES, "pickup_longitude": DEGREES, "dropoff_lat": DEGREES},
            Choice("pickup_longitude", "pickup_latitude", "points", True),
        ),
        (
            {"StartLng": DEGREES, "StartLat": DEGREES, "x": NOISE, "y": NOISE},
            Choice("StartLng", "StartLat", "points", True),
        ),
        ({"a": NOISE, "lon": DEGREES, "end_lat": DEGREES}, Choice("a", "lon", "points")),
        ({"lon": DEGREES * 1e5, "lat": DEGREES * 1e5, "x": NOISE, "y": NOISE}, Choice("x", "y", "points")),
        ({"lon": TEXT, "lat": TEXT, "a": NOISE, "b": NOISE}, Choice("a", "b", "points")),
        ({"value": NOISE, "Y": NOISE, "X": NOISE, "t": STAMPS}, Choice("X", "Y", "points")),
        ({"y_m": NOISE, "x_m": NOISE, "x": NOISE}, Choice("x_m", "y_m", "points")),
        ({"umap_x": NOISE, "umap_y": NOISE, "x": NOISE, "y": NOISE}, Choice("x", "y", "points")),
        ({"x": EMPTY, "y": NOISE, "a": NOISE}, Choice("y", "a", "points")),
        ({"time": STAMPS, "value": NOISE}, Choice("time", "value", "line")),
        ({"name": TEXT, "value": NOISE, "id": UP, "time": STAMPS}, Choice("time", "value", "line")),
        ({"day": pa.array(UP, pa.int32()).cast(pa.date32()), "v": NOISE}, Choice("day", "v", "line")),
        ({"t": pa.nulls(N, pa.timestamp("ns")), "a": NOISE, "b": NOISE}, Choice("a", "b", "points")),
        ({"a": NOISE, "step": UP, "b": NOISE}, Choice("step", "a", "line")),
        ({"a": NOISE, "seconds": pa.array(UP, pa.duration("s"))}, Choice("seconds", "a", "line")),
        ({"constant": np.ones(N), "a": NOISE}, Choice("constant", "a", "points")),
        ({"name": TEXT, "a": NOISE, "flag": UP % 2 == 0, "b": NOISE}, Choice("a", "b", "points")),
        ({"name": TEXT, "a": NOISE}, Choice("a", "name", "points")),
        ({"name": TEXT, "other": TEXT}, Choice("name", "other", "points")),
        ({"n": pa.nulls(N), "a": NOISE, "b": NOISE}, Choice("a", "b", "points")),
        ({"a": NOISE, "b": NOISE, "__index_level_0__": UP[::-1]}, Choice("a", "b", "points")),
        ({"xy": NOISE, "long": DEGREES}, Choice("xy", "long", "points")),
        ({"name": TEXT[:0], "x": NOISE[:0], "y": NOISE[:0]}, Choice("x", "y", "points")),
        ({"a": EMPTY, "b": EMPTY, "c": EMPTY}, Choice("a", "b", "points")),
    ],
)
@pytest.mark.parametrize("where", ["memory", "parquet"])
def test_choices(columns: dict[str, object], expected: Choice, where: str, tmp_path: Path) -> None:
    table = pa.table(columns)
    if where == "memory":
        assert choose(open_table(table)) == expected
    else:
        pq.write_table(table, tmp_path / "t.parquet")
        assert choose(open_table(tmp_path / "t.parquet")) == expected


def test_sorted_at_first_only(tmp_path: Path) -> None:
    rows = np.arange(3 << 20)
    rows[-1] = 0
    table = pa.table({"almost": rows, "a": RNG.normal(size=len(rows))})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=1 << 20)
    assert choose(open_table(tmp_path / "t.parquet")) == Choice("almost", "a", "points")


@pytest.mark.parametrize("columns", [{}, {"a": NOISE}, {"a": NOISE, "l": [[1]] * N}, {"a": NOISE, "b": EMPTY}])
def test_fewer_than_two_columns(columns: dict[str, object]) -> None:
    with pytest.raises(Unplottable, match="A plot needs two columns"):
        choose(open_table(pa.table(columns)))


def test_empty_columns_are_not_said_to_be_of_use() -> None:
    with pytest.raises(Unplottable, match="has 'a'; its others are empty"):
        choose(open_table(pa.table({"a": NOISE, "b": EMPTY})))


def test_columns_that_cannot_be_read_are_passed_over() -> None:
    broken = pa.array([b"\xff"] * N).view(pa.string())
    table = pa.table({"a": broken, "b": NOISE, "c": ["k"] * N})
    assert choose(open_table(table)) == Choice("b", "c", "points")
    with pytest.raises(Unreadable, match="Column 'a' of the table cannot be read"):
        choose(open_table(table.drop_columns("c")))


def test_repeated_names_are_left_out() -> None:
    table = pa.table([NOISE, NOISE, NOISE, NOISE], names=["x", "x", "a", "b"])
    assert choose(open_table(table)) == Choice("a", "b", "points")


@pytest.mark.parametrize("empty", [0, 2_000])
def test_few_columns_of_a_wide_table_are_read(empty: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read does not grow with the columns, be they noise or without a number."""
    columns = {f"e{number}": EMPTY for number in range(empty)} | {f"c{number}": NOISE for number in range(2_000)}
    pq.write_table(pa.table(columns), tmp_path / "wide.parquet")
    dataset = open_table(tmp_path / "wide.parquet")
    read: list[str] = []
    for name in ("head", "column"):
        real = getattr(dataset, name)
        monkeypatch.setattr(dataset, name, lambda column, real=real: read.append(column) or real(column))
    choice = choose(dataset)
    assert choice.glyph == "points" and len(read) <= 2 * (16 + 200 + 4)
    if not empty:
        assert choice == Choice("c0", "c1", "points") and len(read) <= 20


def test_order_is_looked_for_in_the_first_columns() -> None:
    columns = {f"c{number}": NOISE for number in range(15)}
    assert choose(open_table(pa.table({**columns, "step": UP}))) == Choice("step", "c0", "line")
    assert choose(open_table(pa.table({**columns, "c15": NOISE, "step": UP}))) == Choice("c0", "c1", "points")
