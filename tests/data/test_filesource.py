"""Several files as one table."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pytest

from bigviz.data import parquet
from bigviz.data.cancel import Cancel
from bigviz.data.errors import BadInput, Cancelled, Unreadable
from bigviz.data.open import open as open_table


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


def test_widening_that_would_lose_digits(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [2**53 + 1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"x": [0.5]}), tmp_path / "2.parquet")
    with pytest.raises(Unreadable, match=r"Column 'x' of .*1\.parquet cannot be read: .*9007199254740993"):
        open_table(tmp_path).column("x")


def test_files_that_do_not_fit_together(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"x": ["a"]}), tmp_path / "2.parquet")
    with pytest.raises(BadInput, match=r"2\.parquet does not fit together with .*1\.parquet"):
        open_table(tmp_path)


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
        assert release.wait(20)
        return original(self, index, piece)  # type: ignore[arg-type]

    monkeypatch.setattr(parquet.ParquetPart, "arrays", slow)
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(dataset.column("x"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert entered.wait(20)
    impatient = Cancel()
    impatient.cancel()
    with pytest.raises(Cancelled):
        dataset.column("x", cancel=impatient)
    release.set()
    for thread in threads:
        thread.join()
    assert readings == [0] and len(got) == 4 and all(column is got[0] for column in got)
