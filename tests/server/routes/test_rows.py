"""`rows.arrow`: the rows of a window."""

from __future__ import annotations

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
