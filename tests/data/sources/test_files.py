"""Several files as one table."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled, Unplottable, Unreadable
from bigviz.data.formats import parquet
from bigviz.data.open import open as open_table
from tests.old_times import give_old_time

from ...patience import PATIENCE


def test_formats_may_mix(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1, 2], "s": ["b", "a"]}), tmp_path / "1.parquet")
    table = pa.table({"s": ["c", None], "x": [3, 4]})
    with ipc.new_file(str(tmp_path / "2.arrow"), table.schema) as writer:
        writer.write_table(table)
    (tmp_path / "3.csv").write_text("x,s\n5,b\n")
    dataset = open_table(tmp_path)
    assert dataset.column("x").values.tolist() == [1, 2, 3, 4, 5]
    assert dataset.column("s").categories == ("a", "b", "c")
    assert dataset.take(np.array([4, 2, 0, 2]), ["s"])["s"].to_pylist() == ["b", "c", "b", "c"]


def test_types_are_widened_and_missing_columns_are_null(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": pa.array([1, None], pa.int32()), "old": [1, 2]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"x": [0.5], "new": ["n"]}), tmp_path / "2.parquet")
    pq.write_table(pa.table({"x": pa.nulls(1)}), tmp_path / "3.parquet")
    dataset = open_table(tmp_path)
    assert dataset.schema == pa.schema([("x", pa.float64()), ("old", pa.int64()), ("new", pa.string())])
    assert str(dataset.column("x").values.tolist()) == "[1.0, nan, 0.5, nan]"
    old = dataset.column("old")
    assert old.valid is not None and old.valid.tolist() == [True, True, False, False]
    assert dataset.arrow(["new"])["new"].to_pylist() == [None, None, "n", None]


BIG = 1_700_000_000_000_000_123
BERLIN = pd.date_range("2024-03-30", periods=30, freq="h", tz="Europe/Berlin")


@pytest.mark.parametrize(
    "frames",
    [
        [{"c": [BIG, BIG + 1]}, {"c": [BIG + 2, None]}],
        [{"c": [2**53 + 1]}, {"c": [0.5]}, {"c": [-(2**63)]}],
        [{"c": [-1, 5]}, {"c": np.array([2**64 - 1, 7], "u8")}],
        [{"c": ["a", "b"]}, {"c": pd.Categorical(["b", "c"])}, {"c": pd.Categorical(["c", None])}],
        [{"c": pd.Categorical([3, 1])}, {"c": [2, 1]}],
        [{"c": [True, False]}, {"c": [1, 0]}, {"c": [0.5]}],
        [{"c": pd.date_range("2024", periods=2, tz="UTC")}, {"c": BERLIN}],
        [{"c": pd.date_range("2024", periods=2, unit="s")}, {"c": pd.date_range("2025", periods=2, unit="ns")}],
        [{"c": pd.to_timedelta([1, 2], unit="s")}, {"c": np.array([7], "m8[ns]")}],
        [{"c": np.array([1, 2], "i1")}, {"c": np.array([0.1], "f4")}],
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_types_are_merged_as_pandas_does(tmp_path: Path, frames: list[dict[str, object]], turned: bool) -> None:
    for number, frame in enumerate(frames[::-1] if turned else frames):
        pd.DataFrame(frame).to_parquet(tmp_path / f"{number}.parquet")
    parts = [pd.read_parquet(path) for path in sorted(tmp_path.iterdir())]
    right = pd.concat(parts, ignore_index=True)["c"].tolist()
    dataset = open_table(tmp_path)
    column = dataset.column("c")
    got: list[object] = column.values.tolist()
    if column.categories is not None:
        valid = np.ones(len(column), bool) if column.valid is None else column.valid
        got = [column.categories[code] if ok else None for code, ok in zip(column.values, valid, strict=True)]
        right = [None if pd.isna(item) else item for item in right]
    elif column.info.is_time:
        right = [int(item.as_unit("ns").value) for item in right]
    assert str(got) == str([float(item) if column.info.kind == "float" else item for item in right])
    pieces = [part for number in range(len(dataset.chunks())) for part in dataset.read(number, ["c"])]
    assert np.array_equal(np.concatenate([each.values for _, (each,) in pieces]), column.values, equal_nan=True)
    assert dataset.take(np.arange(len(right)), ["c"])["c"].equals(dataset.arrow(["c"])["c"])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1::bigint", "0.5::double"),
        ("1::decimal(5, 2)", "7::bigint"),
        ("1.25::decimal(5, 2)", "0.123456789::decimal(20, 9)"),
        ("1.25::decimal(5, 2)", "0.1::double"),
        ("true", "3::int"),
        ("date '2024-02-29'", "timestamp '2024-03-01 10:00'"),
        ("date '2024-02-29'", "null"),
        ("timestamp_s '2024-03-01 10:00:00'", "timestamp_ns '2024-03-01 10:00:00.000000001'"),
        ("timestamptz '2024-03-01 10:00+01'", "timestamptz '2024-03-01 10:00+00'"),
        ("255::utinyint", "-1::tinyint"),
        ("'text'", "'bytes'::blob"),
    ],
)
def test_types_are_merged_as_duckdb_does(tmp_path: Path, one: str, other: str) -> None:
    """`union_by_name`, the values as float or text."""
    with duckdb.connect() as connection:
        connection.sql("set timezone = 'UTC'")
        for number, value in enumerate((one, other)):
            connection.sql(f"copy (select {value} c, {number} n) to '{tmp_path}/{number}.parquet'")
        union = f"from read_parquet('{tmp_path}/*.parquet', union_by_name = true) order by n"
        right = [row[0] for row in connection.sql(f"select c {union}").fetchall()]
    dataset = open_table(tmp_path)
    got = dataset.arrow(["c"])["c"].to_pylist()
    column = dataset.column("c")
    if column.info.kind == "timestamp":
        naive = [int(pd.Timestamp(item).as_unit("ns").value) for item in right]
        if "_ns" in other:
            naive[1] += 1  # Python's stamps, which DuckDB gives, end with microseconds
        assert column.values.tolist() == naive
    elif column.categories is not None:
        assert list(column.categories) == sorted(item.decode() if isinstance(item, bytes) else item for item in right)
    else:
        assert [None if item is None else float(item) if column.info.is_numeric else item for item in got] == [
            None if item is None else float(item) if column.info.is_numeric else item for item in right
        ]


def test_rounded_and_moved_columns_are_told_of(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"x": [BIG], "t": pa.array([0], pa.timestamp("s", "UTC")), "i": [1]}), tmp_path / "1.parquet"
    )
    other = pa.table({"x": [0.5], "t": pa.array([0], pa.timestamp("s", "Asia/Tokyo")), "i": pa.array([1], pa.int8())})
    pq.write_table(other, tmp_path / "2.parquet")
    dataset = open_table(tmp_path)
    assert dataset.notes == (
        "Column 'x' is int64 in 1.parquet and double in 2.parquet: it is opened as double, which holds whole numbers "
        "exactly up to 2^53.",
        "Column 't' is timestamp[ms, tz=UTC] in 1.parquet and timestamp[ms, tz=Asia/Tokyo] in 2.parquet: "
        "it is shown in UTC.",
    )


def test_a_column_that_does_not_fit_together_is_named_and_the_rest_is_opened(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1], "c": [1], "d": ["a"]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"x": [2], "c": ["a"]}), tmp_path / "2.parquet")
    pq.write_table(pa.table([[3], [4], ["b"], ["c"]], names=["x", "c", "d", "d"]), tmp_path / "3.parquet")
    dataset = open_table(tmp_path)
    assert dataset.column("x").values.tolist() == [1, 2, 3]
    words = r"'c' of .* is int64 in 1\.parquet and string in 2\.parquet, and no type holds both"
    for use in (dataset.column, dataset.info, dataset.head, lambda name: dataset.take(np.array([0]), [name])):
        with pytest.raises(Unplottable, match=words):
            use("c")
    with pytest.raises(Unplottable, match=r"'d' .* occurs 2 times in 3\.parquet.*can be plotted: 'x'"):
        dataset.arrow(["d"])
    assert [info.readable for info in dataset.columns()] == [True, False, False]
    assert [note[:10] for note in dataset.notes] == ["Column 'c'", "Column 'd'"]


def test_a_list_of_paths(tmp_path: Path) -> None:
    for number in range(3):
        pq.write_table(pa.table({"x": [number]}), tmp_path / f"{number}.parquet")
    dataset = open_table([tmp_path / "2.parquet", str(tmp_path / "0.parquet")])
    assert dataset.column("x").values.tolist() == [2, 0] and dataset.name == "2"


def test_one_bad_file_among_many_is_named(tmp_path: Path) -> None:
    for number in range(5):
        pq.write_table(pa.table({"x": [number]}), tmp_path / f"{number}.parquet")
    dataset = open_table(tmp_path)
    (tmp_path / "3.parquet").unlink()
    with pytest.raises(Unreadable, match=r"3\.parquet is gone"):
        dataset.column("x")
    with pytest.raises(Unreadable, match=r"3\.parquet is gone"):
        dataset.check()


def test_fingerprints(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": [1]}), path)
    first = open_table(path).fingerprint
    assert open_table(path).fingerprint == first and int(first, 16) >= 0
    pq.write_table(pa.table({"x": [2]}), path)
    assert open_table(path).fingerprint != first


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv"])
def test_a_file_rewritten_with_its_old_time_has_another_fingerprint(tmp_path: Path, kind: str) -> None:
    """Its head, its tail and (in Parquet) its footer are as they were."""
    path = tmp_path / f"t.{kind}"
    fingerprints = set()
    before: os.stat_result | None = None
    for middle in (1.0, 2.0):
        table = pa.table({"x": np.r_[np.zeros(50_000), middle, np.zeros(50_000)]})
        if kind == "parquet":
            pq.write_table(table, path, use_dictionary=False, compression="none", write_statistics=False)
        elif kind == "arrow":
            with ipc.new_file(str(path), table.schema) as writer:
                writer.write_table(table)
        else:
            table.to_pandas().to_csv(path, index=False)
        if before is None:
            before = path.stat()
        else:
            give_old_time(path, before)
        assert (path.stat().st_mtime_ns, path.stat().st_size) == (before.st_mtime_ns, before.st_size)
        fingerprints.add(open_table(path).fingerprint)
    assert len(fingerprints) == 2


def test_concurrent_callers_share_one_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": np.arange(1000)}), path)
    dataset = open_table(path)
    entered, release = threading.Event(), threading.Event()
    readings: list[int] = []
    original = parquet.ParquetPart.arrays

    def slow(self: parquet.ParquetPart, index: int, piece: object) -> object:
        readings.append(index)
        entered.set()
        assert release.wait(PATIENCE)
        return original(self, index, piece)  # type: ignore[arg-type]

    monkeypatch.setattr(parquet.ParquetPart, "arrays", slow)
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(dataset.column("x"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert entered.wait(PATIENCE)
    impatient = Cancel()
    impatient.cancel()
    with pytest.raises(Cancelled):
        dataset.column("x", cancel=impatient)
    release.set()
    for thread in threads:
        thread.join()
    assert readings == [0] and len(got) == 4 and all(column is got[0] for column in got)


def test_notes_tell_viewers_nothing_of_directories(tmp_path: Path) -> None:
    for folder, array in (("a=1", pa.array([1])), ("a=2", pa.array(["x"])), ("a=3", pa.array([0.5]))):
        (tmp_path / folder).mkdir()
        pq.write_table(pa.table({"c": array, "d": [0.5] if folder == "a=1" else [2**53]}), tmp_path / folder / "t.csv")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "a=4").symlink_to("a=3")
    dataset = open_table(tmp_path)
    told = " ".join([*dataset.notes, *(info.reason or "" for info in dataset.columns())])
    assert len(dataset.notes) == 8 and "a=1/t.csv" in told and "/".join(tmp_path.parts[-2:]) not in told
    with pytest.raises(Unplottable, match=r"int64 in a=1/t\.csv and string in a=2/t\.csv"):
        dataset.column("c")
