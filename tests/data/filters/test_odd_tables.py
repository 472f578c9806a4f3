"""Filters on columns of every type and name, with values at the ends of types: answered or refused, never a failure."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.types as pt
import pytest

import bigviz as bv
from bigviz.data.columns.arrow_arrays import plain, valid_mask
from bigviz.data.columns.column import as_labels, own_name
from bigviz.data.filters.cells import cells_of
from bigviz.data.filters.check import check
from bigviz.data.filters.parse import parse
from bigviz.data.filters.tree import ColumnName

from ...odd_tables import named, odd

TESTS = ["{} = 1", "{} > 0.5", "{} in (1, 2.5)", "{} = 'a'", "{} > '2024-01-01'", "{} > '12:30'", "{} < 'PT1H'",
         "not {}", "{0} = {0}", "{0} < {0}", "year({}) > 1", "hour({}) = 1", "length({}) > 1", "contains({}, 'a')",
         "round({}) * 2 > 1", "abs({}) % 3 = 1"]  # fmt: skip


def nulls(column: pa.ChunkedArray) -> int:
    return sum(_nulls(plain(chunk)) for chunk in column.chunks)


def _nulls(array: pa.Array) -> int:
    if pt.is_dictionary(array.type):  # a null may be a code, or what a code stands for
        known = valid_mask(plain(array.dictionary))
        return sum(code is None or (known is not None and not known[code]) for code in array.indices.to_pylist())
    valid = valid_mask(array)
    return 0 if valid is None else len(array) - int(valid.sum())


@pytest.mark.parametrize("make", [odd, named])
def test_every_column(make):
    table = make()
    dataset = bv.open(table)
    answered = 0
    for at, info in enumerate(dataset.columns()):
        if own_name(info.name) != info.name:  # the labels of another column
            continue
        if not info.plottable or table.schema.names.count(info.name) > 1:
            with pytest.raises(bv.BadInput):
                dataset.where(f"{ColumnName(info.name)} is null")
            continue
        try:
            column = dataset.column(info.name)
        except bv.Unreadable:
            with pytest.raises(bv.Unreadable):
                dataset.where(f"{ColumnName(info.name)} is null").count()
            continue
        missing = nulls(table.column(at))
        assert dataset.where(f"{ColumnName(info.name)} is null").count() == missing, info
        assert dataset.where(f"{ColumnName(info.name)} is not null").count() == table.num_rows - missing, info
        for test in TESTS:
            text = test.format(ColumnName(info.name))
            try:
                dataset.where(text).count()
            except bv.BadInput as error:
                assert error.at is not None, text
                continue
            answered += 1
            check(parse(text), dataset).mask(lambda name, column=column: cells_of(column))
    assert answered > 40


def test_a_column_by_its_name_as_labels():
    """Whoever writes a filter may name a column like that."""
    dataset = bv.open(pa.table({"x": [1, 2, 3], "kind": ["a", None, "b"]}))
    assert dataset.where(f"{ColumnName(as_labels('kind'))} is null").count() == 1
    assert dataset.where(f"{ColumnName(as_labels('kind'))} = 'b'").count() == 1
