"""An expression as a frozen tree, and as its canonical text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import ClassVar, Final

from bigviz.data.filters.tokens import KEYWORDS, NAME

__all__ = [
    "AND", "COMPARISON", "NOT", "OR", "PRODUCT", "SUM", "UNARY", "And", "Arithmetic", "Between", "Call", "ColumnName",
    "Compare", "Control", "Expression", "In", "IsNull", "Minus", "Node", "Not", "Number", "Or", "Text", "Truth",
    "walk",
]  # fmt: skip

OR, AND, NOT, COMPARISON, SUM, PRODUCT, UNARY, ATOM = range(8)
"""How tightly an operator binds what stands beside it, the loosest first."""
_LONGEST_PLAIN: Final = 20


@dataclass(frozen=True, kw_only=True)
class Node:
    """A piece of an expression. `at` is the 0-based character that names it best: of an operator, where that stands.
    Two trees are equal that differ in places only."""

    binds: ClassVar[int] = ATOM
    at: int = field(default=0, compare=False)

    @property
    def children(self) -> tuple[Node, ...]:
        """The pieces that this one is made of, in the order of the text."""
        return ()


@dataclass(frozen=True)
class Number(Node):
    """A number: an `int` where it is written without a point and an exponent, else a finite `Decimal`."""

    value: int | Decimal

    def __str__(self) -> str:
        if isinstance(self.value, int):
            return str(self.value)
        whole, _, part = f"{self.value:f}".partition(".")
        plain = f"{whole}.{part.rstrip('0') or '0'}"
        return plain if len(plain) <= _LONGEST_PLAIN else _scientific(self.value)

    @property
    def binds(self) -> int:  # type: ignore[override]
        return UNARY if str(self).startswith("-") else ATOM


def _scientific(value: Decimal) -> str:
    """Digits without ends of zeros, and an exponent."""
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0")
    shift = int(exponent) + len(text) - 1
    if not kept:
        return "-0.0" if sign else "0.0"
    return f"{'-' if sign else ''}{kept[0]}.{kept[1:] or '0'}e{shift}"


@dataclass(frozen=True)
class Text(Node):
    """A text; `doubled` tells that it was written in double quotes, as SQL writes columns."""

    value: str
    doubled: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return "'" + self.value.replace("'", "''") + "'"


@dataclass(frozen=True)
class Truth(Node):
    """true, false, or null."""

    value: bool | None

    def __str__(self) -> str:
        return {True: "true", False: "false", None: "null"}[self.value]


@dataclass(frozen=True)
class ColumnName(Node):
    """A column."""

    name: str

    def __str__(self) -> str:
        if NAME.fullmatch(self.name) and self.name.lower() not in KEYWORDS:
            return self.name
        return "`" + self.name.replace("`", "``") + "`"


@dataclass(frozen=True)
class Control(Node):
    """The value of a control."""

    name: str

    def __str__(self) -> str:
        return "$" + self.name


@dataclass(frozen=True)
class Call(Node):
    """A function of values."""

    name: str
    args: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.args

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.args))})"


@dataclass(frozen=True)
class Minus(Node):
    """A value with its sign changed."""

    binds: ClassVar[int] = UNARY
    operand: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.operand,)

    def __str__(self) -> str:
        return "-" + _in(self.operand, ATOM)


@dataclass(frozen=True)
class Arithmetic(Node):
    """`left` and `right` joined by one of + - * / %."""

    op: str
    left: Node
    right: Node

    @property
    def binds(self) -> int:  # type: ignore[override]
        return SUM if self.op in "+-" else PRODUCT

    @property
    def children(self) -> tuple[Node, ...]:
        return self.left, self.right

    def __str__(self) -> str:
        return f"{_in(self.left, self.binds)} {self.op} {_in(self.right, self.binds + 1)}"


@dataclass(frozen=True)
class Compare(Node):
    """`left` and `right` compared by one of = != < <= > >=."""

    binds: ClassVar[int] = COMPARISON
    op: str
    left: Node
    right: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return self.left, self.right

    def __str__(self) -> str:
        return f"{_in(self.left, SUM)} {self.op} {_in(self.right, SUM)}"


@dataclass(frozen=True)
class Between(Node):
    """Whether `operand` lies between two values, both included. Without `high`, `low` is a control with a pair."""

    binds: ClassVar[int] = COMPARISON
    operand: Node
    low: Node
    high: Node | None
    negated: bool = False

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.operand, self.low) if self.high is None else (self.operand, self.low, self.high)

    def __str__(self) -> str:
        ends = " and ".join(_in(each, SUM) for each in self.children[1:])
        return f"{_in(self.operand, SUM)} {'not ' if self.negated else ''}between {ends}"


@dataclass(frozen=True)
class In(Node):
    """Whether `operand` equals one of some values; a control among them may hold a list."""

    binds: ClassVar[int] = COMPARISON
    operand: Node
    items: tuple[Node, ...]
    negated: bool = False

    @property
    def children(self) -> tuple[Node, ...]:
        return self.operand, *self.items

    def __str__(self) -> str:
        items = ", ".join(map(str, self.items))
        return f"{_in(self.operand, SUM)} {'not ' if self.negated else ''}in ({items})"


@dataclass(frozen=True)
class IsNull(Node):
    """Whether there is no value."""

    binds: ClassVar[int] = COMPARISON
    operand: Node
    negated: bool = False

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.operand,)

    def __str__(self) -> str:
        return f"{_in(self.operand, SUM)} is {'not ' if self.negated else ''}null"


@dataclass(frozen=True)
class Not(Node):
    """The contrary of a condition."""

    binds: ClassVar[int] = NOT
    operand: Node

    @property
    def children(self) -> tuple[Node, ...]:
        return (self.operand,)

    def __str__(self) -> str:
        return "not " + _in(self.operand, NOT)


@dataclass(frozen=True)
class And(Node):
    """All of two conditions or more, none of which is an `And` itself."""

    binds: ClassVar[int] = AND
    items: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.items

    def __str__(self) -> str:
        return " and ".join(_in(each, AND + 1) for each in self.items)


@dataclass(frozen=True)
class Or(Node):
    """Any of two conditions or more, none of which is an `Or` itself."""

    binds: ClassVar[int] = OR
    items: tuple[Node, ...]

    @property
    def children(self) -> tuple[Node, ...]:
        return self.items

    def __str__(self) -> str:
        return " or ".join(_in(each, OR + 1) for each in self.items)


def _in(node: Node, least: int) -> str:
    """A node's text where it must bind at least so tightly."""
    return str(node) if node.binds >= least else f"({node})"


def walk(root: Node) -> Iterator[Node]:
    """All nodes, in the order of the text."""
    yield root
    for child in root.children:
        yield from walk(child)


@dataclass(frozen=True)
class Expression:
    """A filter as it was read: `str` gives its canonical text, which is read as an equal expression."""

    root: Node

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        return str(self.root)

    @cached_property
    def columns(self) -> frozenset[str]:
        """The names of the columns."""
        return frozenset(node.name for node in walk(self.root) if isinstance(node, ColumnName))

    @cached_property
    def controls(self) -> frozenset[str]:
        """The names of the controls, without $."""
        return frozenset(node.name for node in walk(self.root) if isinstance(node, Control))
