"""A table of every type, with the values at which types end, and random conditions on it."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

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
)

__all__ = ["COLUMNS", "TEXTS", "conditions", "table", "times_of"]

ZONE: Final = "Europe/Berlin"
TEXTS: Final = [
    "",
    "a",
    "A",
    "ab",
    "abc",
    "b",
    "ß",
    "é",
    "e\u0301",
    "\U0001f600",
    "\uffee",
    "it's",
    '"',
    "%",
    "a_b",
    "Z",
]
_INT64: Final = [-(2**63), -(2**63) + 1, -(2**53) - 1, -1000, -7, -1, 0, 1, 2, 7, 1000, 2**53, 2**53 + 1, 2**63 - 1]
_UINT64: Final = [0, 1, 2, 7, 2**53 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 2, 2**64 - 1]
_FLOATS: Final = [math.nan, math.inf, -math.inf, -0.0, 0.0, 0.1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.49999999999999994, 1e300,
                  -1e300, 2.0**53, 2.0**63, 5e-324, 7.0, 1000.0]  # fmt: skip
_DECIMALS: Final = ["-1234567.89", "-0.01", "0", "0.10", "0.5", "1.50", "2.50", "7", "1000", "9999999.99"]
_WIDE: Final = ["-1234567890123456789012345.6789", "1234567890123456789012345.6789", "1234567890123456789012345.6788",
                "0.1", "7", "1000"]  # fmt: skip
_STAMPS: Final = [dt.datetime(1969, 12, 31, 23, 59, 59, 999999), dt.datetime(1970, 1, 1),
                  dt.datetime(2000, 2, 29, 12, 30),
                  dt.datetime(2024, 3, 31, 1, 30), dt.datetime(2024, 10, 27, 0, 30), dt.datetime(2024, 10, 27, 1, 30),
                  dt.datetime(2024, 1, 1), dt.datetime(2023, 12, 31, 23, 30)]  # fmt: skip
_FAR: Final = [*_STAMPS, dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31), dt.datetime(1600, 5, 6, 7, 8, 9)]
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "integer": ("i8", "i32", "i64", "u8", "u64", "label"),
    "float": ("f32", "f64"),
    "decimal": ("cents", "wide"),
    "bool": ("flag", "other flag"),
    "text": ("name", "kind"),
    "instant": ("day", "s", "us", "ns", "local"),
    "time": ("clock", "clock_ns"),
    "duration": ("span",),
}


def _spread(rng: np.random.Generator, values: list[Any], type_: pa.DataType, rows: int) -> pa.Array:
    """Every value at least once, nulls between them."""
    picked = [values[at] for at in rng.integers(0, len(values), rows - len(values))]
    picked = [None if rng.random() < 0.15 else each for each in picked] + list(values)
    rng.shuffle(picked)  # type: ignore[arg-type]
    return pa.array(picked, type_)


def table(rows: int = 60, seed: int = 11) -> pa.Table:
    """So many rows."""
    rng = np.random.default_rng(seed)

    def column(values: list[Any], type_: pa.DataType) -> pa.Array:
        return _spread(rng, values, type_, rows)

    wide = [Decimal(each) for each in _WIDE]
    return pa.table(
        {
            "i8": column([-128, -7, -1, 0, 1, 7, 127], pa.int8()),
            "i32": column([-(2**31), -1000, 0, 1, 2, 7, 1000, 2**31 - 1], pa.int32()),
            "i64": column(_INT64, pa.int64()),
            "u8": column([0, 1, 7, 128, 255], pa.uint8()),
            "u64": column(_UINT64, pa.uint64()),
            "label": column([-7, 0, 7, 1000], pa.int64()).dictionary_encode(),
            "f32": column([np.float32(each) for each in _FLOATS if abs(each) < 1e30 or math.isnan(each)], pa.float32()),
            "f64": column(_FLOATS, pa.float64()),
            "cents": column([Decimal(each) for each in _DECIMALS], pa.decimal128(9, 2)),
            "wide": column(wide, pa.decimal128(38, 4)),
            "flag": column([True, False], pa.bool_()),
            "other flag": column([True, False], pa.bool_()),
            "name": column(list(TEXTS), pa.string()),
            "kind": column(TEXTS[:6], pa.string()).dictionary_encode(),
            "day": column([each.date() for each in _FAR], pa.date32()),
            "s": column([each.replace(microsecond=0) for each in _FAR], pa.timestamp("s")),
            "us": column(list(_FAR), pa.timestamp("us")),
            "ns": column(list(_STAMPS), pa.timestamp("ns")),
            "local": column(list(_STAMPS), pa.timestamp("us", ZONE)),
            "clock": column([each.time().replace(microsecond=0) for each in _STAMPS], pa.time32("s")),
            "clock_ns": column([each.time() for each in _STAMPS], pa.time64("ns")),
            "span": column([dt.timedelta(seconds=each) for each in (-3600, -1, 0, 1, 90, 86_400)], pa.duration("us")),
        }
    )


def times_of(kind: str) -> st.SearchStrategy[Text]:
    """ISO 8601 texts of one kind of time, many of them those of the table."""
    if kind == "time":
        return st.sampled_from(_STAMPS).map(lambda each: Text(each.time().isoformat()))
    if kind == "duration":
        texts = ["PT0S", "PT1S", "-PT1S", "PT1M30S", "P1D", "PT24H", "-PT1H", "PT0.5S", "P1W"]
        return st.sampled_from(texts).map(Text)
    stamps = st.sampled_from(_FAR)
    written = [
        stamps.map(lambda each: Text(each.date().isoformat())),
        stamps.map(lambda each: Text(each.isoformat())),
        stamps.map(lambda each: Text(each.isoformat(" ") + "Z")),
        st.sampled_from(_STAMPS).map(lambda each: Text(each.isoformat() + "-05:30")),
    ]
    return st.one_of(written)


_WHOLE = st.one_of(st.sampled_from([*_INT64, *_UINT64, 3, 10, 2**70, -(2**70)]), st.integers(-10, 10)).map(Number)
_POINTED = st.one_of(
    st.sampled_from([*_DECIMALS, "2.5", "1e18", "9007199254740993.0", "1e-5", *_WIDE]),
    st.integers(-99, 99).map(lambda n: f"{n / 10}"),
).map(lambda text: Number(Decimal(text)))
_NUMBER = st.one_of(_WHOLE, _POINTED)
_FUNCTIONS = ("abs", "floor", "ceil", "round")
_PARTS = ("year", "month", "day", "hour", "minute", "second", "weekday")


def _column(kind: str) -> st.SearchStrategy[ColumnName]:
    return st.sampled_from(COLUMNS[kind]).map(ColumnName)


def _negative(node: Node) -> Node:
    """As the parser has it."""
    if isinstance(node, Number):
        return Number(-node.value if isinstance(node.value, int) else node.value.copy_negate())
    return Minus(node)


_TEXT = st.recursive(
    st.one_of(_column("text"), st.sampled_from(TEXTS).map(Text)),
    lambda inner: st.tuples(st.sampled_from(("lower", "upper")), inner).map(lambda both: Call(both[0], (both[1],))),
    max_leaves=2,
)
_NUMERIC_COLUMN = st.one_of(_column("integer"), _column("float"), _column("decimal"))
_PART = st.tuples(st.sampled_from(_PARTS), _column("instant")).map(lambda both: Call(both[0], (both[1],)))
_NUMERIC = st.recursive(
    st.one_of(_NUMERIC_COLUMN, _NUMERIC_COLUMN, _NUMBER, _PART, _TEXT.map(lambda each: Call("length", (each,)))),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*/%"), inner, inner).map(lambda three: Arithmetic(*three)),
        st.tuples(st.sampled_from(_FUNCTIONS), inner).map(lambda both: Call(both[0], (both[1],))),
        inner.map(_negative),
    ),
    max_leaves=3,
)
_OPS = st.sampled_from(("=", "!=", "<", "<=", ">", ">="))


def _related(value: st.SearchStrategy[Node], other: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Comparisons of two values that go together."""
    return st.one_of(
        st.builds(Compare, _OPS, value, other),
        st.builds(Compare, _OPS, other, value),
        st.builds(Between, value, other, other, st.booleans()),
        st.builds(In, value, st.lists(other, min_size=1, max_size=12).map(tuple), st.booleans()),
        st.builds(IsNull, value, st.booleans()),
    )


def conditions() -> st.SearchStrategy[Node]:
    """Conditions of every kind, joined by and, or, not."""
    simple = st.one_of(
        _related(_NUMERIC_COLUMN, _NUMBER),
        _related(_NUMERIC, _NUMERIC),
        _related(_TEXT, _TEXT),
        *(_related(_column(kind), times_of(kind)) for kind in ("instant", "time", "duration")),
        *(_related(_column(kind), _column(kind)) for kind in ("instant", "time", "duration")),
        st.builds(
            lambda name, of, what: Call(name, (of, what)),
            st.sampled_from(("starts_with", "ends_with", "contains")),
            _TEXT,
            _TEXT,
        ),
        _column("bool"),
        st.builds(
            Compare, st.sampled_from(("=", "!=")), _column("bool"), st.sampled_from((True, False, None)).map(Truth)
        ),
        st.sampled_from((True, False, None)).map(Truth),
    )

    def joined(kind: type[And] | type[Or], items: list[Node]) -> Node:
        flat = [part for each in items for part in (each.children if type(each) is kind else (each,))]
        return kind(tuple(flat))

    return st.recursive(
        simple,
        lambda inner: st.one_of(
            inner.map(Not),
            st.builds(IsNull, inner, st.booleans()),
            st.builds(Compare, st.sampled_from(("=", "!=")), inner, st.sampled_from((True, False)).map(Truth)),
            st.lists(inner, min_size=2, max_size=3).map(lambda items: joined(And, items)),
            st.lists(inner, min_size=2, max_size=3).map(lambda items: joined(Or, items)),
        ),
        max_leaves=5,
    )
