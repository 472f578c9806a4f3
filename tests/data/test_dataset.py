"""Names, suggestions and the bookkeeping of a dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.errors import BadInput, NotFound, Unplottable
from bigviz.data.columns.column import as_labels
from bigviz.data.open import open as open_table

TABLE = pa.table(
    {
        "Trip Distance": [1.0, 2.0],
        "fare_amount": pa.array([1, 2], pa.int16()),
        "points": pa.array([[1, 2], [3]]),
        "place": pa.array([{"lon": 1.0}, {"lon": 2.0}]),
        "pairs": pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int8())),
        "when": pa.array([0, 1], pa.timestamp("ms", "Europe/Berlin")),
        "span": pa.array([(1, 2, 3)] * 2, pa.month_day_nano_interval()),
    }
)


@pytest.fixture(params=["memory", "parquet"])
def dataset(request: pytest.FixtureRequest, tmp_path: Path) -> object:
    table = TABLE if request.param == "memory" else TABLE.drop_columns(["span"])
    if request.param == "memory":
        return open_table(table, name="trips")
    pq.write_table(table, tmp_path / "trips.parquet")
    return open_table(tmp_path / "trips.parquet")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("fare", "fare_amount"),
        ("fareamount", "fare_amount"),
        ("trip_distance", "Trip Distance"),
        ("WHEN", "when"),
        ("wehn", "when"),
    ],
)
def test_the_nearest_name_is_suggested(dataset: object, typed: str, meant: str) -> None:
    with pytest.raises(NotFound, match=rf"'trips' has no column '{typed}'. Did you mean '{meant}'\?") as caught:
        dataset.info(typed)  # type: ignore[attr-defined]
    assert caught.value.got == typed


def test_the_columns_are_listed_where_none_is_near(dataset: object) -> None:
    with pytest.raises(NotFound, match="It has 'Trip Distance', 'fare_amount'"):
        dataset.column("zzzzzz")  # type: ignore[attr-defined]
    with pytest.raises(NotFound, match="no columns"):
        open_table(pa.table({})).info("x")
    with pytest.raises(NotFound, match="'c19' and 80 more"):
        open_table(pa.table({f"c{n}": [n] for n in range(100)})).info("zzzzzz")


@pytest.mark.parametrize("name", ["points", "place", "pairs"])
def test_nested_columns_name_those_that_can_be_plotted(dataset: object, name: str) -> None:
    with pytest.raises(
        Unplottable, match=f"'{name}' of 'trips' holds .*These can be plotted: 'Trip Distance', 'fare_amount', 'when'"
    ):
        dataset.column(name)  # type: ignore[attr-defined]
    assert dataset.take(np.array([1, 0]), [name])[name].to_pylist() == TABLE[name].to_pylist()[::-1]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["Trip Distance", "when"])
def test_only_integers_booleans_and_labels_have_labels(dataset: object, name: str) -> None:
    assert dataset.labels(as_labels("fare_amount")) == ("1", "2")  # type: ignore[attr-defined]
    with pytest.raises(Unplottable, match="not labels"):
        dataset.info(as_labels(name))  # type: ignore[attr-defined]


def test_a_name_that_stands_for_the_labels_of_another_column() -> None:
    """`as_labels` makes such names; a table may have them of itself."""
    labels = as_labels("n")
    alone = open_table(pa.table({labels: [1.5, 2.5]}))
    assert alone.info(labels).kind == "float" and alone.take(np.array([1]), [labels]).column(0).to_pylist() == [2.5]
    both = open_table(pa.table({"n": [7, 8], labels: [1.5, 2.5]}))
    assert both.labels(labels) == ("7", "8")
    _, own = both.columns()
    assert not own.readable and "rename it" in str(own.reason) and "rename it" in both.notes[0]


def test_infos(dataset: object) -> None:
    infos = {info.name: info for info in dataset.columns()}  # type: ignore[attr-defined]
    assert list(infos) == dataset.schema.names  # type: ignore[attr-defined]
    assert infos["when"].kind == "timestamp" and infos["when"].zone == "Europe/Berlin" and infos["when"].is_time
    assert infos["fare_amount"].kind == "integer" and infos["fare_amount"].is_numeric
    assert infos["points"].kind == "other" and not infos["points"].plottable


def test_rows_out_of_range(dataset: object) -> None:
    for rows in ([2], [-1]):
        with pytest.raises(BadInput, match="Rows lie between 0 and 1") as caught:
            dataset.take(np.array(rows), ["when"])  # type: ignore[attr-defined]
        assert caught.value.field == "rows"
    assert dataset.take(np.array([], np.int64), ["when", "points"]).num_rows == 0  # type: ignore[attr-defined]


def test_memory_counts_what_is_loaded(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": pa.array([1, None], pa.int32()), "y": [1.0, 2.0]}), tmp_path / "t.parquet")
    dataset = open_table(tmp_path / "t.parquet")
    assert dataset.memory() == 0
    dataset.column("x")
    assert dataset.memory() == 2 * 4 + 2
    assert "2 rows, 2 columns" in repr(dataset)


def test_the_first_rows(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"x": np.arange(3 << 20), "l": [[]] * (3 << 20)}), tmp_path / "t.parquet", row_group_size=1 << 19
    )
    dataset = open_table(tmp_path / "t.parquet")
    head = dataset.head("x")
    assert 1 << 16 <= len(head) <= 1 << 20 and np.array_equal(head.values, np.arange(len(head)))
    assert dataset.memory() == 0
    dataset.column("x")
    assert len(dataset.head("x")) == 3 << 20
    in_memory = open_table(pa.table({"x": pa.chunked_array([np.arange(10), np.arange(2 << 20)])}))
    assert in_memory.head("x").values.tolist()[:12] == [*range(10), 0, 1]
    assert len(open_table(pa.table({"s": pa.array([], pa.string())})).head("s")) == 0


def test_released_columns_are_read_again(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1.0, 2.0], "b": [3.0, 4.0]}), tmp_path / "t.parquet")
    table = open_table(tmp_path / "t.parquet")
    a, b = table.column("a"), table.column("b")
    table.release({"b"})
    assert table.memory() == b.values.nbytes
    assert table.column("b") is b and table.column("a") is not a
    assert table.column("a").values.tolist() == [1.0, 2.0]


def test_labels_of_some_rows_need_no_pass_over_all(tmp_path: Path) -> None:
    labels = pa.array(["b"] * 4 + ["a"] * 4)
    table = open_table(pa.table({"k": labels}))
    ((_, (own,)),) = list(table.read(0, ["k"], own_labels=True))
    assert own.categories == ("a", "b") and own.values.tolist() == [1] * 4 + [0] * 4
    assert not table._labels, "no labels of the whole table were looked for"
    table.labels("k")
    ((_, (known,)),) = list(table.read(0, ["k"], own_labels=True))
    assert known.categories == ("a", "b")


def test_batches_are_all_rows_in_their_own_types(tmp_path):
    labels = pa.array(["a", None, "b", "a", "c"]).dictionary_encode()
    table = pa.table(
        {"n": [1, None, 3, 4, 5], "label": labels, "text": list("vwxyz"), "list": [[1], [], None, [2], [3]]}
    )
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=3)
    for source in (table, tmp_path / "t.parquet"):
        opened = open_table(source)
        batches = list(opened.batches(2))
        assert max(batch.num_rows for batch in batches) == 2
        assert pa.Table.from_batches(batches).to_pylist() == table.to_pylist()
        assert batches[0].schema.equals(opened.schema.remove_metadata())
    assert open_table(table.slice(0, 0)).batches().read_all().num_rows == 0


def test_batches_leave_out_columns_whose_names_are_not_their_own():
    table = pa.table([[1], [2], [3]], names=["a", "b", "a"])
    assert open_table(table).batches().schema.names == ["b"]
