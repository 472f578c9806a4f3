"""Random conditions on a table of every type, against DuckDB."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

import bigviz as bv
from bigviz.common.workers import Crew
from bigviz.data.filters.check import check
from bigviz.data.filters.kept import kept
from bigviz.data.filters.tree import Expression, Node

from .duckdb_oracle import DuckDB, condition, has_sql
from .trees import conditions, table

TABLE = table()
DATASET = bv.open(TABLE)
ORACLE = DuckDB(TABLE)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(conditions().filter(has_sql))
def test_kept_rows_are_those_of_duckdb(node: Node):
    expression = Expression(node)
    mask = kept(DATASET, check(expression, DATASET), Crew(threads=1))
    assert mask.tolist() == ORACLE.kept(node), f"{expression}\n{condition(node)}"
