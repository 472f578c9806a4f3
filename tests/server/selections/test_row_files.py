"""Rows of every type as files and in order: written, or refused with a reason."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from bigviz.common.errors import Unplottable
from bigviz.server.selections.row_files import KINDS, row_file, sortable

from ...odd_tables import all_null, empty, odd


@pytest.mark.parametrize("extension", KINDS)
@pytest.mark.parametrize("make", [odd, empty, all_null])
def test_every_column_is_written_or_refused(make, extension: str):
    table = make()
    written = 0
    for at, field in enumerate(table.schema):
        one = pa.table([table.column(at)], schema=pa.schema([field]))
        try:
            file = row_file(extension, one.schema)
            body = b"".join([file.add(batch) for batch in one.to_batches()] + [file.end()])
        except Unplottable as error:
            assert error.field == "columns" and extension in error.message
            continue
        written += 1
        assert body
    assert written > table.num_columns / 2


@pytest.mark.parametrize("make", [odd, empty, all_null])
def test_every_column_has_an_order_or_is_refused(make):
    ordered = 0
    for column in make().columns:
        try:
            found = sortable(column)
        except Unplottable as error:
            assert error.field == "sort"
            continue
        rows = pa.table({"value": found, "row": range(len(column))})
        ordered += len(pc.sort_indices(rows, [("value", "ascending"), ("row", "ascending")])) == len(column)
    assert ordered > make().num_columns / 2


def test_negative_numbers_of_every_type_stay_numbers_in_csv():
    """A minus begins a formula in text alone."""
    table = pa.table(
        {
            "decimal": pa.array([Decimal("-1.50"), Decimal("-1E-12"), None], pa.decimal128(20, 12)),
            "half": pa.array([np.float16(-2.5), np.float16(0), None], pa.float16()),
            "float": [-1e300, 0.0, None],
            "text": ["-1", "-1+2", None],
        }
    )
    file = row_file("csv", table.schema)
    body = b"".join([*map(file.add, table.to_batches()), file.end()]).decode()
    _, first, second, third = csv.reader(io.StringIO(body))
    assert first[0].startswith("-1.5") and float(second[0]) == -1e-12 and "E" not in second[0]
    assert float(first[1]) == -2.5 and float(first[2]) == -1e300
    assert first[3] == "'-1" and third == ["", "", "", ""]
