"""`rows.arrow` and `rows.json`: the rows of a window."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from ..running import Running
from .answers import WINDOW, L, failure, table


def test_rows_are_the_true_ones_of_a_half_open_window(served: Running, dataset):
    found = table(served.get(f"{L}/rows.arrow?{WINDOW}&limit=50000&agg=mean(value)").body)
    x, y = (dataset.column(name).values for name in ("x", "y"))
    inside = np.flatnonzero((x >= -1) & (x < 1) & (y >= -1) & (y < 2))
    matched = int(found.schema.metadata[b"matched"])
    assert matched == len(inside) and found.num_rows == min(matched, 50_000)
    assert found.column_names == ["row", "x", "y", "value"] and found.schema.field("row").type == pa.int64()
    rows = found["row"].to_numpy()
    assert set(rows) <= set(inside) and len(set(rows)) == len(rows)
    np.testing.assert_array_equal(found["x"].to_numpy(), x[rows])
    np.testing.assert_array_equal(found["value"].to_numpy(), dataset.column("value").values[rows])
    assert table(served.get(f"{L}/rows.arrow?{WINDOW}").body).num_rows == 1_000


@pytest.mark.parametrize("limit", ["0", "-1", "50001", "x", "1e3", "9" * 500])
def test_row_limits(served: Running, limit):
    assert failure(served, f"{L}/rows.arrow?{WINDOW}&limit={limit}", 400)["field"] == "limit"


@pytest.mark.parametrize("desc", [0, 1])
def test_the_first_rows_of_a_window_by_a_column(served: Running, dataset, desc: int):
    x, y, value = (dataset.column(name).values for name in ("x", "y", "value"))
    inside = np.flatnonzero((x >= -1) & (x < 1) & (y >= -1) & (y < 2))
    first = inside[np.lexsort((inside, -value[inside] if desc else value[inside]))][:7]
    asked = f"{WINDOW}&order_by=value&desc={desc}&limit=7"
    found = table(served.get(f"{L}/rows.arrow?{asked}").body)
    assert found["row"].to_pylist() == first.tolist() and found.column_names == ["row", "x", "y", "value"]
    assert int(found.schema.metadata[b"matched"]) == len(inside)
    told = json.loads(served.get(f"{L}/rows.json?{asked}&columns=value,x").body)
    assert told["row"] == first.tolist() and told["total"] == len(inside)
    assert [each["name"] for each in told["columns"]] == ["value", "x"]
    assert [float(row[0]) for row in told["rows"]] == pytest.approx(value[first].tolist())


def test_rows_of_columns_that_are_named(served: Running, dataset):
    found = table(served.get(f"{L}/rows.arrow?{WINDOW}&limit=5&columns=value").body)
    assert found.column_names == ["row", "value"] and found.num_rows == 5
    np.testing.assert_array_equal(found["value"].to_numpy(), dataset.column("value").values[found["row"].to_numpy()])


@pytest.mark.parametrize(
    ("more", "field", "status"),
    [
        ("order_by=valeu", "order_by", 404),
        ("columns=", "columns", 400),
        ("columns=valeu", "columns", 404),
        ("columns=valeu&order_by=value", "columns", 404),
        ("columns=value&columns=%FF", "columns", 400),
        ("order_by=value&desc=2", "desc", 400),
    ],
)
def test_rows_by_what_is_no_column(served: Running, more: str, field: str, status: int):
    assert failure(served, f"{L}/rows.json?{WINDOW}&{more}", status)["field"] == field
