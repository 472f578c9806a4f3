"""One row as JSON, against the table that it comes from."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.server.http.row_json import MOST_COLUMNS, row_json

from ..running import running

TABLE = pa.table({
    "x": [0.1, float("nan")],
    "big": pa.array([2**63 + 1, 7], pa.uint64()),
    "when": pa.array([1_700_000_000_000_000_001, None], pa.timestamp("ns", "Europe/Berlin")),
    "cost": pa.array([Decimal("1.50"), None]),
    "kind": ["<img onerror=alert(1)>", "b"],
    "long": ["z" * 5000, ""],
    "raw": [b"\0\xff", b""],
    "nested": [{"a": [1, 2]}, None],
    "day": [dt.date(2026, 11, 29), None],
})  # fmt: skip


def values(table: pa.Table, row: int, first: tuple[str, ...] = ()) -> dict[str, str | None]:
    found = row_json(bv.open(table), row, first, table.column_names, NEVER)
    assert found["row"] == row
    return {each["name"]: each["value"] for each in found["columns"]}


def test_values_are_the_tables_own():
    found = values(TABLE, 0)
    assert list(found) == TABLE.column_names
    assert found["x"] == "0.1" and found["big"] == str(2**63 + 1) and found["cost"] == "1.50"
    assert found["when"].startswith("2023-11-14 23:13:20.000000001") and found["day"] == "2026-11-29"
    assert found["kind"] == "<img onerror=alert(1)>" and len(found["long"]) == 300
    assert found["raw"] == repr(b"\0\xff") and "[1, 2]" in found["nested"]
    whole = pa.table({"when": pa.array([10**9, 1_500_000_000], pa.timestamp("ns", "UTC"))})
    assert [values(whole, row)["when"][17:] for row in (0, 1)] == ["01Z", "01.5Z"]
    empty = values(TABLE, 1)
    nulls = [name for name, value in empty.items() if value is None]
    assert empty["x"] == "nan" and nulls == ["when", "cost", "nested", "day"]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([10**9], pa.timestamp("ns", "Mars/Phobos")), "1970-01-01 00:00:01.000000000Z"),
        (pa.array([2**62], pa.timestamp("s", "+99:99")), f"<value out of range: {2**62}>"),
        (pa.array([[10**9]], pa.list_(pa.timestamp("ns", "Mars/Phobos"))), "[ 1970-01-01 00:00:01.000000000Z ]"),
        (pa.array([[2**62]], pa.list_(pa.duration("s"))), f"[ {2**62} ]"),
        (pa.array([2**62], pa.duration("s")), str(2**62)),
        (pa.array([2**31 - 1], pa.int32()).view(pa.date32()), f"<value out of range: {2**31 - 1}>"),
        (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), "MonthDayNano(months=1, days=2, nanoseconds=3)"),
        (pa.array([b"ab\xff"]).view(pa.string()), '"ab\ufffd"'),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_values_that_python_cannot_hold_are_written_by_arrow(column: pa.Array, expected: str) -> None:
    assert values(pa.table({"x": [1.0], "odd": column}), 0)["odd"] == expected


def test_a_null_among_the_labels_of_a_dictionary_is_null() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0, 1, None]), pa.array(["a", None]))
    assert [values(pa.table({"x": [1.0] * 3, "c": column}), row)["c"] for row in range(3)] == ["a", None, None]


def test_the_layers_columns_come_first_and_wide_tables_are_cut():
    wide = pa.table({f"c{k}": [k] for k in range(MOST_COLUMNS + 7)})
    found = row_json(bv.open(wide), 0, ("c44", "c3", "absent"), wide.column_names, NEVER)
    assert [each["name"] for each in found["columns"][:3]] == ["c44", "c3", "c0"]
    assert len(found["columns"]) == MOST_COLUMNS and found["more"] == 7


def test_it_can_be_cancelled():
    raised = Cancel()
    raised.cancel()
    with pytest.raises(Cancelled):
        row_json(bv.open(TABLE), 0, (), TABLE.column_names, raised)


def test_the_route():
    table = pa.table({"a": np.arange(5.0), "b": np.arange(5), "label": list("vwxyz")})
    with running([document(figure().points(table, "a", "b"), id="d")]) as served:
        answer = served.get("/d/layers/0/rows/3.json")
        assert answer.status == 200 and "json" in answer.headers["Content-Type"]
        assert [c["value"] for c in json.loads(answer.body)["columns"]] == ["3", "3", "y"]
        assert served.get("/d/layers/0/rows/3.json", **{"If-None-Match": answer.headers["Etag"]}).status == 304
        missing = served.get("/d/layers/0/rows/5.json")
        assert missing.status == 404 and json.loads(missing.body)["field"] == "row"
        assert served.get("/d/layers/0/rows/-1.json").status == 404
        assert served.get("/d/layers/1/rows/0.json").status == 404
