"""Conditions as SQL for DuckDB, where it means the same; what differs is written out.

DuckDB has NaN equal NaN and above infinity, so comparisons of floats ask for NaN first; integers are BIGINT in
arithmetic, and what overflows is null by TRY.
"""

from __future__ import annotations

from decimal import Decimal

import duckdb
import pyarrow as pa

from bigviz.data.filters.tree import (
    And,
    Arithmetic,
    Between,
    Call,
    ColumnName,
    Compare,
    In,
    IsNull,
    Minus,
    Node,
    Not,
    Number,
    Or,
    Text,
    Truth,
    walk,
)

from .trees import COLUMNS, ZONE

__all__ = ["DuckDB", "has_sql"]

_KINDS = {name: kind for kind, names in COLUMNS.items() for name in names}
_FLOAT_FUNCTIONS = ("abs", "floor", "ceil", "round")
_TESTS = ("starts_with", "ends_with", "contains")
_PARTS = {"weekday": "isodow"}


def has_sql(node: Node) -> bool:
    """Whether DuckDB means the same by it.

    It multiplies and compares decimals in its own ways, knows no number beyond 38 digits, and compares integers and
    floats as floats.
    """
    for each in walk(node):
        if isinstance(each, Number) and abs(each.value) >= 2**63:
            return False
        if isinstance(each, ColumnName) and each.name in ("wide", "clock_ns"):
            return False
    return True


class DuckDB:
    """A connection that knows a table."""

    def __init__(self, table: pa.Table) -> None:
        self._connection = duckdb.connect()
        self._connection.execute(f"SET TimeZone = '{ZONE}'")
        self._connection.register("rows", table)

    def kept(self, node: Node) -> list[bool]:
        """True where a row is kept."""
        found = self._connection.execute(f"SELECT ({condition(node)}) IS TRUE FROM rows").fetchall()
        return [row[0] for row in found]


def condition(node: Node) -> str:
    """A condition in SQL."""
    match node:
        case And() | Or():
            word = " AND " if isinstance(node, And) else " OR "
            return "(" + word.join(map(condition, node.items)) + ")"
        case Not():
            return f"(NOT {condition(node.operand)})"
        case Truth():
            return {True: "TRUE", False: "FALSE", None: "NULL::BOOLEAN"}[node.value]
        case IsNull():
            return f"({value(node.operand)} IS {'NOT ' if node.negated else ''}NULL)"
        case Compare():
            return compared(node.op, node.left, node.right)
        case Between():
            assert node.high is not None
            inside = f"({compared('>=', node.operand, node.low)} AND {compared('<=', node.operand, node.high)})"
            return f"(NOT {inside})" if node.negated else inside
        case In():
            found = "(" + " OR ".join(compared("=", node.operand, each) for each in node.items) + ")"
            return f"(NOT {found})" if node.negated else found
        case Call():
            return f"{node.name}({', '.join(map(value, node.args))})"
    return value(node)


def compared(op: str, left: Node, right: Node) -> str:
    if kind_of(left) == "bool":
        return f"({value(left)} {op} {value(right)})"
    kinds = {kind_of(left), kind_of(right)}
    if "instant" in kinds or "time" in kinds or "duration" in kinds:
        zoned = any(isinstance(each, ColumnName) and each.name == "local" for each in (left, right))
        one, two = (moment(each, zoned, kinds) for each in (left, right))
        return f"({one} {op} {two})"
    if "float" not in kinds:
        return f"({value(left)} {op} {value(right)})"
    one, two = (f"CAST({value(each)} AS DOUBLE)" for each in (left, right))
    nan = f"isnan({one}) OR isnan({two})"
    null = f"{one} IS NULL OR {two} IS NULL"
    return f"(CASE WHEN {null} THEN NULL WHEN {nan} THEN {op == '!='} ELSE {one} {op} {two} END)"


def kind_of(node: Node) -> str:
    """Integer or float, text, or another kind of column."""
    match node:
        case ColumnName():
            return _KINDS[node.name]
        case Number():
            return "integer" if isinstance(node.value, int) else "pointed"
        case Text():
            return "text"
        case Arithmetic():
            whole = node.op != "/" and kind_of(node.left) == kind_of(node.right) == "integer"
            return "integer" if whole else "float"
        case Minus():
            return "integer" if kind_of(node.operand) == "integer" else "float"
        case Call() if node.name in _FLOAT_FUNCTIONS:
            return "integer" if kind_of(node.args[0]) == "integer" else "float"
        case Call() if node.name not in _TESTS:
            return "text" if node.name in ("lower", "upper") else "integer"
    return "bool"


def value(node: Node) -> str:
    """A value in SQL."""
    match node:
        case ColumnName():
            return '"' + node.name.replace('"', '""') + '"'
        case Number():
            return f"({node.value:f})" if isinstance(node.value, Decimal) else f"({node.value})"
        case Text():
            return str(node)
        case Arithmetic():
            if kind_of(node) == "integer":
                one, two = (f"TRY_CAST({value(each)} AS BIGINT)" for each in (node.left, node.right))
                return f"TRY({one} {node.op} {two})"
            one, two = (f"CAST({value(each)} AS DOUBLE)" for each in (node.left, node.right))
            return f"({one} {node.op} {two})"
        case Minus():
            inner = value(node.operand)
            if kind_of(node) == "integer":
                return f"TRY(-TRY_CAST({inner} AS BIGINT))"
            return f"(-CAST({inner} AS DOUBLE))"
        case Call() if node.name not in _TESTS:
            return called(node)
    return condition(node)


def called(node: Call) -> str:
    inner = value(node.args[0])
    if node.args[0] == ColumnName("s"):
        inner = f"CAST({inner} AS TIMESTAMP)"
    if node.name in _FLOAT_FUNCTIONS:
        if kind_of(node) == "float":
            return f"{node.name}(CAST({inner} AS DOUBLE))"
        unsigned = node.args[0] in (ColumnName("u8"), ColumnName("u64"))
        return inner if node.name != "abs" or unsigned else f"TRY(abs(TRY_CAST({inner} AS BIGINT)))"
    name = _PARTS.get(node.name, node.name)
    return f"CAST({name}({inner}) AS BIGINT)" if node.name not in ("lower", "upper") else f"{name}({inner})"


def moment(node: Node, zoned: bool, kinds: set[str]) -> str:
    """A time, or a text that is one; naive columns are compared with those of a zone as UTC."""
    if isinstance(node, ColumnName):
        if "duration" in kinds or "time" in kinds:
            return value(node)
        return value(node) if node.name == "local" else f"(CAST({value(node)} AS TIMESTAMP) AT TIME ZONE 'UTC')"
    assert isinstance(node, Text)
    text = node.value
    if "duration" in kinds:
        return f"(INTERVAL '{_seconds(text)} seconds')"
    if "time" in kinds:
        return f"TIME '{text}'"
    if text.endswith(("Z", "-05:30")):
        return f"TIMESTAMPTZ '{text}'"
    return f"(TIMESTAMP '{text}' AT TIME ZONE '{ZONE if zoned else 'UTC'}')"


def _seconds(text: str) -> float:
    known = {"PT0S": 0, "PT1S": 1, "-PT1S": -1, "PT1M30S": 90, "P1D": 86_400, "PT24H": 86_400, "-PT1H": -3600,
             "PT0.5S": 0.5, "P1W": 604_800}  # fmt: skip
    return known[text]
