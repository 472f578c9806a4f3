"""CSV as it is found: every shape means what it says here, and what DuckDB reads where its answer loses nothing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from bigviz.common.errors import Unreadable
from bigviz.data.open import open as open_table

from .shapes import REFUSED, SHAPES, Row, shape


def plain(value: Any) -> Any:
    """A value as it compares: stamps without their unit, NaN as None (a missing number)."""
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime()
    return None if isinstance(value, float) and math.isnan(value) else value


def rows_in(table: pa.Table) -> list[Row]:
    return [tuple(plain(value) for value in row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape(tmp_path: Path, name: str) -> None:
    path = tmp_path / "t.csv"
    made = shape(name)
    path.write_bytes(made.data)
    dataset = open_table(path)
    assert tuple(dataset.schema.names) == made.names
    assert dataset.num_rows == len(made.rows)
    assert rows_in(dataset.arrow(made.names)) == list(made.rows)
    assert len(dataset.assumed) == 1
    if made.duckdb:
        read = duckdb.connect().sql("SELECT * FROM read_csv(?, max_line_size=10000000)", params=[str(path)])
        assert rows_in(read.to_arrow_table()) == list(made.rows)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_where_and_why(tmp_path: Path, name: str) -> None:
    data, words = REFUSED[name]
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(Unreadable, match=words) as caught:
        open_table(path)
    assert str(path) in caught.value.message


def test_the_order_of_rows_is_the_files(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n,pad\n" + "".join(f"{row},{'abcdefghij' * 8}\n" for row in range(800_000)))  # several blocks
    values = open_table(path).column("n").values
    assert np.array_equal(values, np.arange(800_000))
