"""Random conditions on a table of every type, against pyarrow's functions."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings

import bigviz as bv
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column
from bigviz.data.filters.cells import cells_of
from bigviz.data.filters.check import check
from bigviz.data.filters.kept import kept
from bigviz.data.filters.parse import parse
from bigviz.data.filters.tree import Expression, Node

from .arrow_oracle import by_arrow
from .trees import conditions, table

TABLE = table()
DATASET = bv.open(TABLE)
RANDOM = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def has_number_everywhere(name: str) -> bool:
    column = DATASET.column(name)
    return column.valid is None and not (column.values.dtype.kind == "f" and np.isnan(column.values).any())


@RANDOM
@given(conditions())
def test_kept_rows_are_those_of_pyarrow(node: Node):
    expression = Expression(node)
    assert parse(str(expression)) == expression
    predicate = check(expression, DATASET)
    wanted = [each is True for each in by_arrow(node, TABLE)]
    mask = kept(DATASET, predicate, Crew(threads=1))
    assert mask.tolist() == wanted, str(expression)

    columns: dict[str, Column] = {name: DATASET.column(name) for name in predicate.columns}
    if predicate.decided_by_numbers(has_number_everywhere):
        numbers = predicate.mask(lambda name: cells_of(columns[name]), TABLE.num_rows)
        assert numbers.tolist() == wanted, str(expression)
    for name, (low, high) in predicate.bounds().items():
        values = columns[name].values
        there = mask & (np.ones(len(mask), np.bool_) if columns[name].valid is None else columns[name].valid)
        there &= ~np.isnan(values) if values.dtype.kind == "f" else True
        inside = values[there].tolist()
        assert all((low is None or low <= each) and (high is None or each <= high) for each in inside), str(expression)
