"""Rows by their numbers, which stay what they are when rows are appended and rolled over."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.common.errors import BadInput

from ..growing import Growing


def table(first: int, rows: int) -> pa.Table:
    numbers = np.arange(first, first + rows)
    return pa.table({"a": numbers, "kind": [f"k{n % 3}" for n in numbers]})


@pytest.mark.parametrize("start, stop", [(0, 10), (3, 7), (9, 9), (-5, 4), (8, 99), (50, 60)])
def test_a_range_of_rows_is_what_the_whole_column_holds_there(start: int, stop: int) -> None:
    dataset = bv.open(table(0, 10))
    read = list(dataset.read_rows(["a", "kind"], start, stop))
    rows = range(10)[max(start, 0) : stop]
    numbers = [first + k for first, columns in read for k in range(len(columns[0]))]
    assert numbers == list(rows)
    for name, at in (("a", 0), ("kind", 1)):
        whole = dataset.column(name).values[list(rows)]
        assert np.concatenate([np.empty(0), *(columns[at].values for _, columns in read)]).tolist() == whole.tolist()


def test_ranges_cross_the_pieces_that_are_read_by_themselves() -> None:
    rows = (1 << 20) + 100
    dataset = bv.open(pa.table({"a": np.arange(rows)}))
    read = list(dataset.read_rows(["a"], rows - 150, rows - 50))
    assert read[0][0] == rows - 150
    assert np.concatenate([columns[0].values for _, columns in read]).tolist() == list(range(rows - 150, rows - 50))


def test_versions_share_a_lineage_and_rows_keep_their_numbers() -> None:
    growing = Growing(table(0, 10))
    before = growing.version()
    after = growing.append(table(10, 5)).roll(4).version()
    assert before.lineage == after.lineage is not None
    assert bv.open(table(0, 3)).lineage is None
    assert (before.first_row, after.first_row, after.num_rows) == (0, 4, 11)
    assert after.take(np.array([14, 4]), ["a"]).column("a").to_pylist() == [14, 4]
    [(first, [column])] = after.read_rows(["a"], 0, 6)
    assert (first, column.values.tolist()) == (4, [4, 5])
    with pytest.raises(BadInput, match="between 4 and 14"):
        after.take(np.array([3]), ["a"])
