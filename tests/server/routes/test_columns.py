"""`columns.arrow`: a line's decimated rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from ..running import Running
from .answers import L, failure, table


def test_columns(served: Running, dataset):
    t = dataset.column("t").values
    found = table(served.get(f"/line/layers/0/columns.arrow?x0={t[50]}&x1={t[5_000]}&width=20").body)
    assert found.column_names == ["column", "run", "row", "t", "gap"]
    assert [found.schema.field(n).type for n in ("column", "run", "row")] == [pa.int32(), pa.int32(), pa.int64()]
    assert found.schema.field("t").type == pa.timestamp("ns", "Europe/Paris")
    columns, rows = found["column"].to_numpy(), found["row"].to_numpy()
    assert columns[0] == -1 and columns[-1] == 20 and (np.diff(columns) >= 0).all() and (np.diff(rows) > 0).all()
    assert len(set(columns)) == 22


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("x0=1&x1=2&width=16385", "width"),
        ("x0=1&x1=2&width=0", "width"),
        ("x0=2&x1=1&width=5", "x0"),
        ("x0=nan&x1=1&width=5", "x0"),
        ("x0=1&width=5", "x1"),
    ],
)
def test_columns_that_cannot_be(served: Running, query, field):
    assert failure(served, f"/line/layers/0/columns.arrow?{query}", 400)["field"] == field


def test_columns_are_for_lines(served: Running):
    assert failure(served, f"{L}/columns.arrow?x0=0&x1=1&width=5", 400)["field"] == "glyph"
    assert served.get(f"{L}/columns.arrow?x0=0&x1=1&width=5&glyph=line").status == 200
