"""Directories whose names are columns."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bigviz.common.errors import BadInput, NotFound
from bigviz.data.formats.hive import partitions
from bigviz.data.open import open as open_table
from bigviz.data.sources import tasks


def write(root: Path, path: str, **columns: object) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    with (root / path).open("wb") as file:
        pq.write_table(pa.table(columns), file)


def test_keys_become_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_CONSTANT", 2)
    write(tmp_path, "year=2023/kind=a%20b/p.parquet", x=[1.0, 2.0, 3.0])
    write(tmp_path, "year=2023/kind=__HIVE_DEFAULT_PARTITION__/p.parquet", x=[4.0])
    write(tmp_path, "year=2024/kind=c/p.parquet", x=[5.0])
    write(tmp_path, "year=2024/kind=c/_hidden/p.parquet", x=[6.0])
    write(tmp_path, "year=2024/kind=c/.hidden.parquet", x=[6.0])
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "readme.txt").write_text("not data")
    dataset = open_table(tmp_path)
    assert dataset.name == tmp_path.name and dataset.num_rows == 5
    assert dataset.schema == pa.schema([("x", pa.float64()), ("year", pa.int64()), ("kind", pa.string())])
    assert dataset.column("x").values.tolist() == [4, 1, 2, 3, 5]
    assert dataset.column("year").values.tolist() == [2023, 2023, 2023, 2023, 2024]
    kind = dataset.column("kind")
    assert kind.categories == ("a b", "c") and kind.values.tolist() == [0, 0, 0, 0, 1]
    assert kind.valid is not None and kind.valid.tolist() == [False, True, True, True, True]
    assert dataset.take(np.array([4, 0, 1]), ["kind", "year", "x"]).to_pylist() == [
        {"kind": "c", "year": 2024, "x": 5.0},
        {"kind": None, "year": 2023, "x": 4.0},
        {"kind": "a b", "year": 2023, "x": 1.0},
    ]
    assert dataset.arrow(["year"])["year"].to_pylist() == [2023, 2023, 2023, 2023, 2024]


def test_dates(tmp_path: Path) -> None:
    write(tmp_path, "day=2024-02-28/p.parquet", x=[1])
    write(tmp_path, "day=2024-02-29/p.parquet", x=[2])
    dataset = open_table(tmp_path)
    assert dataset.info("day").kind == "date"
    assert dataset.take(np.array([1]), ["day"])["day"].to_pylist() == [datetime.date(2024, 2, 29)]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["01", "12"], pa.int64()),
        (["-5", "7"], pa.int64()),
        (["1", "x"], pa.string()),
        (["99999999999999999999"], pa.string()),
        (["2024-02-30"], pa.string()),
        (["__HIVE_DEFAULT_PARTITION__"], pa.string()),
        ([""], pa.string()),
    ],
)
def test_types_of_values(values: list[str], type_: pa.DataType) -> None:
    found = partitions([f"k={value}/p.parquet" for value in values])
    assert [scalar.type for scalar in found["k"]] == [type_] * len(values)


def test_a_key_that_is_a_column_too_is_read_from_the_files(tmp_path: Path) -> None:
    write(tmp_path, "year=2023/p.parquet", x=[1.0], year=pa.array([2023], pa.int16()))
    dataset = open_table(tmp_path)
    assert dataset.schema.names == ["x", "year"] and dataset.info("year").type == pa.int16()


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    """Bytes of names are escaped where they become keys, values, notes and the dataset's name."""
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xff"))
    write(folder, os.fsdecode(b"k\xff=v\xff/p\xff.parquet"), x=[1.0])
    dataset = open_table(folder)
    assert dataset.name == "d\\udcff" and dataset.labels("k\\udcff") == ("v\\udcff",)
    os.symlink(folder, folder / os.fsdecode(b"\xff"))
    (note,) = open_table(folder).notes
    assert note.encode() and "\\udcff" in note


def test_directories_that_disagree(tmp_path: Path) -> None:
    write(tmp_path, "year=2023/p.parquet", x=[1.0])
    write(tmp_path, "month=05/p.parquet", x=[1.0])
    with pytest.raises(BadInput, match="do not agree on their keys"):
        open_table(tmp_path)


def test_a_glob_keeps_the_keys_below_its_fixed_part(tmp_path: Path) -> None:
    write(tmp_path, "year=2023/p.parquet", x=[1.0])
    write(tmp_path, "year=2024/p.parquet", x=[2.0])
    for pattern in ("*/p.parquet", "**/*.parquet", "year=*", "year=*/*"):
        dataset = open_table(f"{tmp_path}/{pattern}")
        assert dataset.column("year").values.tolist() == [2023, 2024], pattern


def test_a_directory_without_data(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no data file in the directory .* \(it is empty\)"):
        open_table(tmp_path)
    (tmp_path / "notes.md").touch()
    with pytest.raises(NotFound, match=r"it holds 'notes.md'.*\.parquet"):
        open_table(tmp_path)
