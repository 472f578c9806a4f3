"""Values of controls in place of their names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from bigviz.common.did_you_mean import hint
from bigviz.common.printable import encodable
from bigviz.data.filters.faults import fault
from bigviz.data.filters.parse import require_small
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
)

__all__ = ["bind"]


class _NoValue(Exception):
    """A control in a comparison has no value."""


def bind(expression: Expression, values: Mapping[str, object]) -> Expression | None:
    """The expression with the controls' values in it; None if nothing is left of it, so that every row is kept.

    `values` are texts, numbers, truth values, lists of these where `in` takes them, and pairs where `between` does, by
    the controls' names. A comparison with a control whose value is None or an empty list is taken out of the `and`,
    `or` or `not` that it stands in; of a pair one value may be None, which leaves that side open. Raises BadInput for
    a control that is not in `values`, and for a value that fits nowhere.
    """
    if not expression.controls:
        return expression
    root = _condition(expression.root, values)
    if root is None:
        return None
    bound = Expression(root)
    require_small(bound)
    return bound


def _condition(node: Node, values: Mapping[str, object]) -> Node | None:
    """A condition with values in it; None where it is taken out."""
    if isinstance(node, Not):
        operand = _condition(node.operand, values)
        return None if operand is None else replace(node, operand=operand)
    if isinstance(node, And | Or):
        return _joined(node, [each for each in (_condition(item, values) for item in node.items) if each is not None])
    try:
        return _value(node, values)
    except _NoValue:
        return None


def _joined(node: And | Or, items: list[Node]) -> Node | None:
    if len(items) < 2:
        return items[0] if items else None
    flat: list[Node] = []
    for each in items:
        flat += each.children if type(each) is type(node) else (each,)
    return replace(node, items=tuple(flat))


def _value(node: Node, values: Mapping[str, object]) -> Node:
    """A node with values in it; raises `_NoValue` where one is missing."""
    match node:
        case Control():
            return _literal(_of(node, values), node)
        case Call():
            return replace(node, args=tuple(_value(each, values) for each in node.args))
        case Minus():
            return replace(node, operand=_value(node.operand, values))
        case Arithmetic() | Compare():
            return replace(node, left=_value(node.left, values), right=_value(node.right, values))
        case IsNull():
            return replace(node, operand=_value(node.operand, values))
        case In():
            return replace(node, operand=_value(node.operand, values), items=_items(node, values))
        case Between():
            return _between(node, values)
        case Not() | And() | Or():  # within a comparison
            inner = _condition(node, values)
            if inner is None:
                raise _NoValue
            return inner
        case ColumnName() | Number() | Text() | Truth():
            return node
    raise AssertionError(f"{type(node).__name__} is no node of an expression")


def _items(node: In, values: Mapping[str, object]) -> tuple[Node, ...]:
    found: list[Node] = []
    for each in node.items:
        value = _of(each, values) if isinstance(each, Control) else None
        if isinstance(each, Control) and _is_list(value):
            found += [_literal(item, each, within=True) for item in value]  # type: ignore[attr-defined]
        else:
            found.append(_value(each, values))
    return tuple(found)


def _between(node: Between, values: Mapping[str, object]) -> Node:
    operand = _value(node.operand, values)
    if node.high is not None:
        return replace(node, operand=operand, low=_value(node.low, values), high=_value(node.high, values))
    control = node.low
    assert isinstance(control, Control)
    pair = _of(control, values)
    if not isinstance(pair, Sequence) or isinstance(pair, str | bytes) or len(pair) != 2:
        raise fault(f"between takes a pair of values; ${control.name} holds none.", control.at, pair)
    low, high = pair
    if low is None and high is None:
        raise _NoValue
    if low is not None and high is not None:
        return replace(node, operand=operand, low=_literal(low, control, True), high=_literal(high, control, True))
    op, end = (">=", low) if high is None else ("<=", high)
    half = Compare(op, operand, _literal(end, control, True), at=node.at)
    return Not(half, at=node.at) if node.negated else half


def _of(control: Control, values: Mapping[str, object]) -> object:
    """A control's value; raises `_NoValue` if it has none."""
    if control.name not in values:
        more = hint(control.name, list(values), "It has none." if not values else "")
        raise fault(f"There is no control ${control.name} in the layout.{more}", control.at, "$" + control.name)
    value = values[control.name]
    if value is None or (_is_list(value) and not len(value)):  # type: ignore[arg-type]
        raise _NoValue
    return value


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _literal(value: object, control: Control, within: bool = False) -> Node:
    """A value as it would be written; those `within` a list may be None."""
    at = control.at
    if isinstance(value, bool) or (value is None and within):
        return Truth(value, at=at)
    if isinstance(value, str):
        if encodable(value) != value:
            raise fault(f"${control.name} holds a lone surrogate of UTF-16.", at, value)
        return Text(value, at=at)
    if isinstance(value, int) and abs(value) < 10**100:
        return Number(value, at=at)
    if isinstance(value, float) and math.isfinite(value):
        return Number(Decimal(repr(value)), at=at)
    if _is_list(value):
        raise fault(f"${control.name} holds several values: write in, or between for a pair.", at, value)
    raise fault(f"${control.name} holds neither a number nor a text nor a truth value.", at, value)
