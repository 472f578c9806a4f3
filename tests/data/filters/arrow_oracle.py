"""What a condition is in each row, by pyarrow's own functions: nothing of the evaluator is used."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

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

__all__ = ["by_arrow"]

_OPS: dict[str, Callable[[Any, Any], Any]] = {
    "=": pc.equal, "!=": pc.not_equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal,
}  # fmt: skip
_EXACT = pa.decimal256(76, 20)
_WIDE = Context(prec=300)
_STEP = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def by_arrow(node: Node, table: pa.Table) -> list[bool | None]:
    """true, false or null of each row."""
    return _Oracle(table).condition(node).to_pylist()


class _Oracle:
    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def condition(self, node: Node) -> pa.Array:
        match node:
            case And() | Or():
                join = pc.and_kleene if isinstance(node, And) else pc.or_kleene
                found = self.condition(node.items[0])
                for each in node.items[1:]:
                    found = join(found, self.condition(each))
                return found
            case Not():
                return pc.invert(self.condition(node.operand))
            case Truth():
                return pa.array([node.value] * self.table.num_rows, pa.bool_())
            case IsNull():
                found = pc.is_null(self.value(node.operand))
                return pc.invert(found) if node.negated else found
            case Compare():
                return self.compared(node.op, node.left, node.right)
            case Between():
                assert node.high is not None
                found = pc.and_kleene(
                    self.compared(">=", node.operand, node.low), self.compared("<=", node.operand, node.high)
                )
                return pc.invert(found) if node.negated else found
            case In():
                found = self.compared("=", node.operand, node.items[0])
                for each in node.items[1:]:
                    found = pc.or_kleene(found, self.compared("=", node.operand, each))
                return pc.invert(found) if node.negated else found
            case Call():
                of, what = (self.value(each).to_pylist() for each in node.args)
                tests = {"starts_with": str.startswith, "ends_with": str.endswith, "contains": str.__contains__}
                test = tests[node.name]
                pairs = zip(of, what, strict=True)
                return pa.array(
                    [None if one is None or two is None else test(one, two) for one, two in pairs], pa.bool_()
                )
        return self.value(node)

    def compared(self, op: str, left: Node, right: Node) -> pa.Array:
        one, two = self.value(left), self.value(right)
        if pt.is_string(one.type) != pt.is_string(two.type):
            zone = next((each.type.tz for each in (one, two) if pt.is_timestamp(each.type)), None)
            one, two = (_moments(each, zone) for each in (one, two))
        elif pt.is_temporal(one.type):
            one, two = _moments(one, None), _moments(two, None)
        elif not pt.is_string(one.type) and not pt.is_boolean(one.type):
            if pt.is_floating(one.type) or pt.is_floating(two.type):
                one, two = (pa.array(_floats(each), pa.float64()) for each in (one, two))
            else:
                one, two = one.cast(_EXACT), two.cast(_EXACT)
        return _OPS[op](one, two)

    def value(self, node: Node) -> pa.Array:
        rows = self.table.num_rows
        match node:
            case ColumnName():
                column = self.table[node.name].combine_chunks()
                return column.dictionary_decode() if pt.is_dictionary(column.type) else column
            case Number():
                if isinstance(node.value, int) and -(2**63) <= node.value < 2**64:
                    return pa.array([node.value] * rows, pa.uint64() if node.value >= 2**63 else pa.int64())
                return pa.array([Decimal(node.value)] * rows, _EXACT)
            case Text():
                return pa.array([node.value] * rows, pa.string())
            case Arithmetic():
                return self.reckoned(node)
            case Minus():
                of = self.value(node.operand)
                if _whole(of):
                    return _integers([None if each is None else -each for each in map(_in_int64, _ints(of))])
                return pc.negate(pa.array(_floats(of), pa.float64()))
            case Call() if node.name not in ("starts_with", "ends_with", "contains"):
                return self.called(node)
        return self.condition(node)

    def reckoned(self, node: Arithmetic) -> pa.Array:
        one, two = self.value(node.left), self.value(node.right)
        if node.op != "/" and _whole(one) and _whole(two):
            pairs = zip(map(_in_int64, _ints(one)), map(_in_int64, _ints(two)), strict=True)
            return _integers([_of_integers(node.op, left, right) for left, right in pairs])
        left, right = (pa.array(_floats(each), pa.float64()) for each in (one, two))
        if node.op == "%":
            pairs = zip(left.to_pylist(), right.to_pylist(), strict=True)
            return pa.array([None if a is None or b is None else _fmod(a, b) for a, b in pairs], pa.float64())
        join = {"+": pc.add, "-": pc.subtract, "*": pc.multiply, "/": pc.divide}[node.op]
        return join(left, right)

    def called(self, node: Call) -> pa.Array:
        of = self.value(node.args[0])
        if node.name in ("lower", "upper"):
            return pc.utf8_lower(of) if node.name == "lower" else pc.utf8_upper(of)
        if node.name == "length":
            return pc.utf8_length(of).cast(pa.int64())
        if node.name == "weekday":
            return pc.day_of_week(_stamps(of), count_from_zero=False)
        if node.name in ("year", "month", "day", "hour", "minute", "second"):
            return getattr(pc, node.name)(_stamps(of))
        if _whole(of):
            if node.name != "abs" or pt.is_uint64(of.type):
                return of
            return _integers([None if each is None else abs(each) for each in _ints(of)])
        floats = pa.array(_floats(of), pa.float64())
        if node.name == "round":
            return pc.round(floats, round_mode="half_towards_infinity")
        return {"abs": pc.abs, "floor": pc.floor, "ceil": pc.ceil}[node.name](floats)


def _whole(values: pa.Array) -> bool:
    return bool(pt.is_integer(values.type))


def _ints(values: pa.Array) -> list[int | None]:
    return [None if each is None else int(each) for each in values.to_pylist()]


def _in_int64(value: int | None) -> int | None:
    return value if value is not None and -(2**63) <= value < 2**63 else None


def _integers(values: list[int | None]) -> pa.Array:
    """As int64, null where they do not fit."""
    return pa.array([_in_int64(each) for each in values], pa.int64())


def _of_integers(op: str, left: int | None, right: int | None) -> int | None:
    if left is None or right is None or (op == "%" and right == 0):
        return None
    if op == "%":
        return int(math.copysign(1, left)) * (abs(left) % abs(right))
    return _in_int64({"+": left + right, "-": left - right, "*": left * right}[op])


def _fmod(left: float, right: float) -> float:
    try:
        return math.fmod(left, right)
    except ValueError:
        return math.nan


def _floats(values: pa.Array) -> list[float | None]:
    return [None if each is None else float(each) for each in values.to_pylist()]


def _stamps(values: pa.Array) -> pa.Array:
    return values.cast(pa.timestamp("s")) if pt.is_date32(values.type) else values


def _moments(values: pa.Array, zone: str | None) -> pa.Array:
    """Times, and ISO 8601 texts, as whole nanoseconds."""
    type_ = values.type
    if pt.is_string(type_):
        return pa.array([None if each is None else _read(each, zone) for each in values.to_pylist()], _EXACT)
    step = 86_400 * 10**9 if pt.is_date32(type_) else _STEP[type_.unit]
    stored = values.view(pa.int32() if type_.bit_width == 32 else pa.int64())
    return pa.array([None if each is None else Decimal(each * step) for each in stored.to_pylist()], _EXACT)


def _read(text: str, zone: str | None) -> Decimal:
    if "P" in text:
        return _span(text)
    if re.match(r"\d\d:", text):
        since = dt.datetime.combine(dt.date(1970, 1, 1), dt.time.fromisoformat(text))
    else:
        since = dt.datetime.fromisoformat(text)
    if since.tzinfo is None:
        since = since.replace(tzinfo=ZoneInfo(zone) if zone else dt.UTC)
    offset = since.utcoffset()
    assert offset is not None
    delta = since.replace(tzinfo=None) - offset_free_epoch()
    return Decimal((delta - offset) // dt.timedelta(microseconds=1) * 1000)


def offset_free_epoch() -> dt.datetime:
    return dt.datetime(1970, 1, 1)


def _span(text: str) -> Decimal:
    unit = {"W": 604_800, "D": 86_400, "H": 3600, "M": 60, "S": 1}
    total = sum(Decimal(number) * unit[letter] for number, letter in re.findall(r"([\d.]+)([WDHMS])", text))
    return (-1 if text[0] == "-" else 1) * total * 10**9
