"""An expression against the columns of a dataset: types, and the literals in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction
from math import isfinite
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import NotFound, Unplottable
from bigviz.data.columns.column import ColumnInfo
from bigviz.data.columns.kinds import describe, is_bytes, is_text, storage_type
from bigviz.data.filters import moments
from bigviz.data.filters.cells import Bools, Rows, Vector
from bigviz.data.filters.faults import fault
from bigviz.data.filters.predicate import Predicate
from bigviz.data.filters.table import Table
from bigviz.data.filters.tree import (
    And,
    Arithmetic,
    Between,
    Call,
    ColumnName,
    Compare,
    Control,
    Expression,
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
from bigviz.data.filters.typed.comparisons import BoolColumn, BoolValue, Compared
from bigviz.data.filters.typed.conditions import AllOf, AnyOf, Condition, Contrary, IsMissing, Known
from bigviz.data.filters.typed.numbers import (
    CALENDAR,
    ROUNDINGS,
    Calendar,
    Constant,
    FloatFunction,
    Magnitude,
    Negative,
    NumberColumn,
    NumberValue,
    Reckoned,
)
from bigviz.data.filters.typed.ranges import OneOf, WholeRange, float_range, whole_range
from bigviz.data.filters.typed.texts import (
    PAIRS,
    Changed,
    PairTest,
    TextColumn,
    TextConstant,
    TextLength,
    TextsCompared,
    TextTest,
    TextValue,
)

__all__ = ["check"]

_NUMBERS: Final = ("integer", "float", "decimal")
_TIMES: Final = ("instant", "time", "duration")
_WORDS: Final = {
    "integer": "a number", "float": "a number", "decimal": "a number", "text": "a text", "bool": "true or false",
    "instant": "a date or time", "time": "a time of day", "duration": "a duration", "null": "null",
}  # fmt: skip
_MIRRORED: Final = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_TESTS: Final = ("starts_with", "ends_with", "contains")


class _Missing:
    """null as a value, and a column that holds nothing else."""

    kind = "null"
    sources: tuple[tuple[str, str], ...] = ()

    def valid(self, rows: Rows) -> Bools | None:
        return np.zeros(1, np.bool_)


_Value = NumberValue | TextValue | _Missing


def check(expression: Expression, dataset: Table, told: Collection[str] | None = None) -> Predicate:
    """What an expression means for the columns of a dataset; no row is read. `told` are the columns whose names may be
    told although the expression does not name them; None for all.

    Raises BadInput with `at`: a column that does not exist or cannot be used, values that cannot be compared, a text
    that is no time where one is due, a control that `bind` has put no value in for.
    """
    checker = _Checker(dataset)
    checker.refuse_quoted_columns(expression.root, told)
    condition = checker.condition(expression.root)
    columns = dict.fromkeys(node.name for node in walk(expression.root) if isinstance(node, ColumnName))
    return Predicate(expression, tuple(columns), condition)


class _Checker:
    def __init__(self, dataset: Table) -> None:
        self._dataset = dataset

    def refuse_quoted_columns(self, root: Node, told: Collection[str] | None) -> None:
        """Raise BadInput where a column's name in double quotes, a column in SQL, is a text that no column is compared
        with: that is so in all rows or in none."""
        for node in walk(root):
            if not isinstance(node, Compare | Between | In | IsNull | Call):
                continue
            inner = list(walk(node))
            if any(isinstance(each, ColumnName) for each in inner):
                continue
            for each in inner:
                if not isinstance(each, Text) or not each.doubled:
                    continue
                if told is None:
                    told = frozenset(column.name for column in self._dataset.columns())
                if each.value in told:
                    words = f"{each} is a text here. The column of that name is written {ColumnName(each.value)}."
                    raise fault(words, each.at, each.value)

    def condition(self, node: Node) -> Condition:
        """A node where a condition is due."""
        match node:
            case Not():
                return Contrary(self.condition(node.operand))
            case And():
                return AllOf([self.condition(each) for each in node.items])
            case Or():
                return AnyOf([self.condition(each) for each in node.items])
            case Truth():
                return Known(node.value)
            case Compare():
                return self._compare(node)
            case Between():
                return self._between(node)
            case In():
                return self._in(node)
            case IsNull():
                missing = IsMissing(self.value(node.operand))
                return Contrary(missing) if node.negated else missing
            case Call() if node.name in _TESTS:
                return self._test(node)
        value = self.value(node)
        if isinstance(value, BoolValue):
            return value.condition
        if isinstance(value, _Missing):
            return Known(None)
        example = " = 'a'" if value.kind == "text" else " > 0" if value.kind in _NUMBERS else " is not null"
        raise fault(
            f"Expected a condition, as {_short(node)}{example}; {_short(node)} is {_WORDS[value.kind]}.",
            node.at,
            _short(node),
        )

    def value(self, node: Node) -> _Value:
        """A node where a value is due."""
        match node:
            case ColumnName():
                return self._column(node)
            case Number():
                return Constant(node.value)
            case Text():
                return TextConstant(node.value)
            case Truth(value=None):
                return _Missing()
            case Control():
                raise fault(f"${node.name} has no value here.", node.at, "$" + node.name)
            case Minus():
                of = self._number(node.operand)
                return of if isinstance(of, _Missing) else _folded(Negative(of))
            case Arithmetic():
                return self._arithmetic(node)
            case Call() if node.name not in _TESTS:
                return self._call(node)
        return BoolValue(self.condition(node), self._sources(node))

    def _sources(self, node: Node) -> tuple[tuple[str, str], ...]:
        columns = (self._column(each) for each in walk(node) if isinstance(each, ColumnName))
        return tuple(dict.fromkeys(source for column in columns for source in column.sources))

    def _info(self, node: ColumnName) -> ColumnInfo:
        try:
            return replace(self._dataset.info(node.name), name=node.name)  # rows are asked for by the filter's own name
        except (NotFound, Unplottable) as error:
            known = isinstance(error, Unplottable) or "Did you mean" in error.message
            more = "" if known else f" If it is a text, write it in quotes: '{node.name}'."
            raise fault(error.message + more, node.at, node.name) from error

    def _column(self, node: ColumnName) -> _Value:
        info = self._info(node)
        type_ = storage_type(info.type)
        own = info
        if info.kind == "category":
            if pt.is_dictionary(type_):
                type_ = type_.value_type
            if is_text(type_) or is_bytes(type_) or (pt.is_fixed_size_binary(type_) and not pt.is_decimal(type_)):
                return TextColumn(info.name)
            own = describe(pa.field(info.name, type_))
        if pt.is_null(type_):
            return _Missing()
        kind = "instant" if own.kind in ("date", "timestamp") else own.kind
        column = NumberColumn(info, own, kind, type_.scale if kind == "decimal" else 0)
        return BoolValue(BoolColumn(column), column.sources) if kind == "bool" else column

    def _number(self, node: Node) -> NumberValue | _Missing:
        """A node where a number is due."""
        value = self.value(node)
        if isinstance(value, _Missing):
            return value
        if value.kind not in _NUMBERS:
            raise fault(f"Expected a number, but {_short(node)} is {_WORDS[value.kind]}.", node.at, _short(node))
        return value  # type: ignore[return-value]

    def _text(self, node: Node) -> TextValue | _Missing:
        value = self.value(node)
        if isinstance(value, _Missing):
            return value
        if value.kind != "text":
            raise fault(f"Expected a text, but {_short(node)} is {_WORDS[value.kind]}.", node.at, _short(node))
        return value  # type: ignore[return-value]

    def _arithmetic(self, node: Arithmetic) -> _Value:
        left, right = self._number(node.left), self._number(node.right)
        if isinstance(left, _Missing) or isinstance(right, _Missing):
            return _Missing()
        return _folded(Reckoned(node.op, left, right))

    def _call(self, node: Call) -> _Value:
        (arg,) = node.args
        if node.name in CALENDAR:
            return self._calendar(node, arg)
        if node.name in ("lower", "upper", "length"):
            text = self._text(arg)
            if isinstance(text, _Missing):
                return text
            return TextLength(text) if node.name == "length" else Changed(node.name, text)
        of = self._number(arg)
        if isinstance(of, _Missing):
            return of
        if node.name == "abs":
            return _folded(Magnitude(of))
        if node.name in ROUNDINGS:
            return _folded(FloatFunction(ROUNDINGS[node.name], of, rounds=True))
        return _folded(FloatFunction({"sqrt": np.sqrt, "log10": np.log10}[node.name], of, rounds=False))

    def _calendar(self, node: Call, arg: Node) -> _Value:
        of = self.value(arg)
        if isinstance(of, _Missing):
            return of
        clock = node.name in ("hour", "minute", "second")
        if of.kind != "instant" and not (clock and of.kind == "time"):
            wanted = "a date, a time stamp or a time of day" if clock else "a date or a time stamp"
            raise fault(f"{node.name} takes {wanted}, but {_short(arg)} is {_WORDS[of.kind]}.", arg.at, _short(arg))
        assert isinstance(of, NumberColumn)
        self._require_zone(of.zone, arg)
        return Calendar(node.name, of)

    def _require_zone(self, zone: str | None, node: Node) -> None:
        if zone is not None and not moments.is_zone(zone):
            raise fault(
                f"The time zone of {_short(node)}, {echoed(zone)}, is not known on this machine.", node.at, _short(node)
            )

    def _test(self, node: Call) -> Condition:
        of, what = (self._text(each) for each in node.args)
        if isinstance(of, _Missing) or isinstance(what, _Missing):
            return Known(None)
        test = PAIRS[node.name]
        if isinstance(what, TextConstant):
            text = what.text
            return TextTest(of, lambda label: test(label, text))
        return PairTest(of, what, test)

    def _compare(self, node: Compare) -> Condition:
        if node.op == "!=":
            return Contrary(self._relate("=", self.value(node.left), self.value(node.right), node))
        return self._relate(node.op, self.value(node.left), self.value(node.right), node)

    def _between(self, node: Between) -> Condition:
        if node.high is None:
            raise fault("A pair of a control has no value here.", node.low.at, _short(node.low))
        of = self.value(node.operand)
        ends = [
            self._relate(op, of, self.value(end), Compare(op, node.operand, end, at=node.at))
            for op, end in ((">=", node.low), ("<=", node.high))
        ]
        inside = AllOf(ends)
        return Contrary(inside) if node.negated else inside

    def _in(self, node: In) -> Condition:
        of = self.value(node.operand)
        items: list[Condition] = []
        texts: set[str] = set()
        numbers: list[Constant] = []
        for each in node.items:
            value = self.value(each)
            if isinstance(value, TextConstant) and of.kind == "text":
                texts.add(value.text)
            elif isinstance(value, Constant) and (of.kind == "float" or (of.kind == "integer" and not value.reckoned)):
                numbers.append(value)
            else:
                items.append(self._relate("=", of, value, Compare("=", node.operand, each, at=each.at)))
        if texts:
            items.insert(0, TextTest(of, texts.__contains__, (min(texts), max(texts))))  # type: ignore[arg-type]
        if numbers:
            items.insert(0, _one_of(of, numbers))  # type: ignore[arg-type]
        found = items[0] if len(items) == 1 else AnyOf(items)
        return Contrary(found) if node.negated else found

    def _relate(self, op: str, left: _Value, right: _Value, node: Compare) -> Condition:
        """The condition of a comparison by = < <= > or >=."""
        if isinstance(left, _Missing) or isinstance(right, _Missing):
            return Known(None)
        if isinstance(left, Constant | TextConstant) and not isinstance(right, Constant | TextConstant):
            flipped = Compare(_MIRRORED[node.op], node.right, node.left, at=node.at)
            return self._relate(_MIRRORED[op], right, left, flipped)
        if left.kind in _TIMES and isinstance(right, TextConstant):
            return self._relate_time(op, left, right.text, node)  # type: ignore[arg-type]
        if left.kind in _NUMBERS and right.kind in _NUMBERS:
            return _relate_numbers(op, left, right)  # type: ignore[arg-type]
        if left.kind == right.kind == "text":
            return _relate_texts(op, left, right)  # type: ignore[arg-type]
        if left.kind != right.kind:
            raise _unlike(node, left.kind, right.kind)
        if left.kind == "bool" and op != "=":
            raise fault(f"true and false are compared with = and != only, not {node.op}.", node.at, node.op)
        return Compared(op, left, right)  # type: ignore[arg-type]

    def _relate_time(self, op: str, of: NumberValue, text: str, node: Compare) -> Condition:
        if of.kind == "instant":
            self._require_zone(of.zone, node.left)
            at = moments.instant(text, of.zone)
        else:
            at = moments.time_of_day(text) if of.kind == "time" else moments.duration(text)
        if at is None:
            raise fault(
                f"{_short(node.left)} is {_WORDS[of.kind]}: compare it with a text as {moments.FORMS[of.kind]}, not "
                f"{echoed(text)}.",
                node.right.at,
                text,
            )
        return WholeRange(of, *whole_range(op, Fraction(at)))


def _relate_numbers(op: str, left: NumberValue, right: NumberValue) -> Condition:
    if not isinstance(right, Constant) or (right.reckoned and left.kind != "float"):
        return Compared(op, left, right)
    if left.kind == "float":
        return float_range(left, op, right.value)
    return WholeRange(left, *whole_range(op, right.value * Fraction(10) ** left.scale))


def _relate_texts(op: str, left: TextValue, right: TextValue) -> Condition:
    test = PAIRS[op]
    if not isinstance(right, TextConstant):
        return TextsCompared(op, left, right)
    text = right.text
    ends = (text if op in ("=", ">", ">=") else None, text if op in ("=", "<", "<=") else None)
    return TextTest(left, lambda label: test(label, text), ends)


def _one_of(of: NumberValue, numbers: Sequence[Constant]) -> Condition:
    if of.kind == "float":
        return OneOf(of, [float(each.value) for each in numbers])
    return OneOf(of, [int(each.value) for each in numbers if each.value.denominator == 1])


def _folded(value: NumberValue) -> _Value:
    """A number without columns as the constant that it is, unless it is an infinity or NaN."""
    if value.sources:
        return value
    with np.errstate(all="ignore"):
        vector: Vector = value.vector(_no_rows)
    if vector.valid is not None and not vector.valid[0]:
        return _Missing()
    number: Any = vector.values[0].item()
    return Constant(number) if isfinite(number) else value


def _no_rows(name: str) -> Any:
    raise AssertionError(f"{name} is read before there are rows")


def _unlike(node: Compare, left: str, right: str) -> Exception:
    """What is compared does not go together."""
    if left in _TIMES and right in _NUMBERS:
        fits = f"a text as {moments.FORMS[left]}"
    elif left == "text":
        fits = f"a text in quotes, as '{_short(node.right)}'" if isinstance(node.right, Number) else "a text"
    else:
        fits = {"bool": "true or false"}.get(left, _WORDS[left])
    return fault(
        f"{_short(node.left)} is {_WORDS[left]}: compare it with {fits}; {_short(node.right)} is {_WORDS[right]}.",
        node.right.at,
        _short(node.right),
    )


def _short(node: Node) -> str:
    text = str(node)
    return text if len(text) <= 60 else f"{text[:60]}…"
