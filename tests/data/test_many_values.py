"""Columns of too many values for categories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bigviz.data.many_values import columns_of_many
from bigviz.data.open import open as open_source


def test_columns_whose_first_rows_have_many_values_are_found() -> None:
    numbers = np.arange(40_000)
    late = np.where(numbers < 30_000, 0, numbers)
    table = pa.table(
        {
            "id": numbers,
            "few": numbers % 64,
            "one more": (numbers % 65).astype(np.uint8),
            "half of them null": pa.array(numbers % 130, mask=numbers % 2 == 1),
            "late": late,
            "float": numbers / 7,
            "text": numbers.astype(str),
            "flag": numbers % 2 == 0,
        }
    )
    assert columns_of_many(open_source(table), 64) == {"id", "one more", "half of them null"}
    assert columns_of_many(open_source(table.slice(0, 0)), 64) == frozenset()


def test_a_wide_table_is_looked_at_no_longer_than_a_narrow_one() -> None:
    table = pa.table({f"c{k}": np.arange(100) for k in range(200)})
    assert columns_of_many(open_source(table), 64) == {f"c{k}" for k in range(32)}


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"id": np.arange(100_000)}), path)
    dataset = open_source(path)
    path.unlink()
    assert columns_of_many(dataset, 64) == frozenset()
