"""From the text of a filter to its tree.

The grammar, loosest first: `or`; `and`; `not`; one comparison (= == != < <= > >=, [not] between, [not] in, is [not]
null); + -; * / %; unary -; numbers, texts, true, false, null, columns, controls, calls, parentheses. It is read by
precedence climbing: V. Pratt, "Top down operator precedence", POPL 1973.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from bigviz.common.bounded_repr import echoed
from bigviz.common.did_you_mean import hint
from bigviz.common.errors import BadInput
from bigviz.data.filters.faults import FIELD, fault
from bigviz.data.filters.tokens import MOST_CHARACTERS, Token, tokens
from bigviz.data.filters.tree import (
    AND,
    COMPARISON,
    NOT,
    OR,
    PRODUCT,
    SUM,
    UNARY,
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

__all__ = ["FUNCTIONS", "MOST_DEEP", "MOST_NODES", "parse", "require_small"]

MOST_DEEP: Final = 64
MOST_NODES: Final = 1_000
_MOST_EXPONENT: Final = 400
FUNCTIONS: Final[dict[str, int]] = {
    **dict.fromkeys(("abs", "floor", "ceil", "round", "sqrt", "log10"), 1),
    **dict.fromkeys(("year", "month", "day", "hour", "minute", "second", "weekday"), 1),
    **dict.fromkeys(("lower", "upper", "length"), 1),
    **dict.fromkeys(("starts_with", "ends_with", "contains"), 2),
}
"""The functions, and how many values each takes."""
_LEVEL: Final = {
    "or": OR, "and": AND, "not": COMPARISON, "between": COMPARISON, "in": COMPARISON, "is": COMPARISON,
    "=": COMPARISON, "!=": COMPARISON, "<": COMPARISON, "<=": COMPARISON, ">": COMPARISON, ">=": COMPARISON,
    "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "%": PRODUCT,
}  # fmt: skip
_TRUTHS: Final = {"true": True, "false": False, "null": None}


def parse(text: str) -> Expression:
    """The expression that a text says. `parse(str(expression))` equals it.

    At most 10,000 characters, 1,000 nodes, and 64 levels; takes milliseconds, whatever the text is. Raises BadInput
    with `at`, the character where it is wrong. Nothing is known yet of columns, their types, and controls.
    """
    if not isinstance(text, str):
        raise BadInput(f'A filter is a text, such as "fare > 10", got {echoed(text)}.', FIELD, echoed(text))
    if len(text) > MOST_CHARACTERS:
        raise fault(
            f"A filter has at most {MOST_CHARACTERS:,} characters, this one {len(text):,}.", MOST_CHARACTERS, text[:80]
        )
    parser = _Parser(text)
    root = parser.expression(OR)
    parser.end()
    expression = Expression(root)
    require_small(expression)
    return expression


def require_small(expression: Expression) -> None:
    """Raise BadInput if a tree is deeper, larger or longer than a filter may be."""
    level = [expression.root]
    nodes = 0
    for _ in range(MOST_DEEP):
        nodes += len(level)
        if nodes > MOST_NODES:
            raise _too_many(level[-1].at)
        level = [child for node in level for child in node.children]
        if not level:
            break
    else:
        raise _too_deep(level[0].at)
    if len(str(expression)) > MOST_CHARACTERS:
        raise fault(
            f"A filter has at most {MOST_CHARACTERS:,} characters, this one has {len(str(expression)):,} with its "
            "blanks and parentheses.",
            0,
            str(expression)[:80],
        )


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._next = 0
        self._deep = self._open = 0
        # What stood after `between $pair and`, where that turned out to be the next condition.
        self._begun: Node | None = None

    def expression(self, least: int, left: Node | None = None) -> Node:
        """What binds at least as tightly as `least`, from the next token on, or going on from `left`."""
        self._deep += 1
        if self._deep > 2 * MOST_DEEP:
            raise _too_deep(self._here.at)
        if left is None:
            left = self._prefix(least)
        compared = False
        while (level := self._level()) >= least:
            if level == COMPARISON and compared:
                raise fault("Comparisons do not follow each other: join them with and.", self._here.at, self._here.raw)
            compared = level == COMPARISON
            left = self._infix(left, level)
        self._deep -= 1
        return left

    def end(self) -> None:
        """Raise BadInput unless everything was read."""
        here = self._here
        if here.kind == "end":
            return
        if here.raw == ")":
            raise fault("This parenthesis has no beginning.", here.at, here.raw)
        more = " Text stands in quotes, and so does a column's name with blanks in it: in back quotes."
        raise fault(
            f"Expected an operator, as =, and, or, before {echoed(here.raw)}.{more if here.kind != 'symbol' else ''}",
            here.at,
            here.raw,
        )

    @property
    def _here(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._here
        self._next += 1
        return token

    def _is(self, *words: str) -> bool:
        return self._here.kind in ("symbol", "keyword") and self._here.value in words

    def _level(self) -> int:
        """How tightly the operator binds that comes next; -1 for what is none."""
        if self._begun is not None:
            return AND
        return _LEVEL.get(self._here.value, -1) if self._here.kind in ("symbol", "keyword") else -1

    def _prefix(self, least: int) -> Node:
        token = self._take()
        if token.kind == "symbol" and token.value == "-":
            return _negative(self.expression(UNARY), token.at)
        if token.kind == "symbol" and token.value == "(":
            return self._group(token)
        if token.kind == "keyword" and token.value == "not" and least <= NOT:
            return Not(self.expression(NOT), at=token.at)
        if token.kind == "keyword" and token.value in _TRUTHS:
            return Truth(_TRUTHS[token.value], at=token.at)
        if token.kind == "number":
            return Number(_number(token), at=token.at)
        if token.kind == "text":
            return Text(token.value, token.raw.startswith('"'), at=token.at)
        if token.kind == "control":
            return Control(token.value, at=token.at)
        if token.kind == "quoted":
            return ColumnName(token.value, at=token.at)
        if token.kind == "name":
            return self._call(token) if self._is("(") else ColumnName(token.value, at=token.at)
        raise _missing(token)

    def _group(self, opening: Token) -> Node:
        inner = self._inside(opening)
        self._close(opening)
        return inner

    def _inside(self, opening: Token) -> Node:
        """A value within parentheses."""
        self._open += 1
        if self._open > MOST_DEEP:
            raise _too_deep(opening.at)
        inner = self.expression(OR)
        self._open -= 1
        return inner

    def _close(self, opening: Token) -> None:
        if not self._is(")"):
            if self._here.kind == "end":
                raise fault("This parenthesis does not end: ) is missing.", opening.at, opening.raw)
            self.end()
        self._take()

    def _list(self) -> tuple[Node, ...]:
        """Values between parentheses, which come next."""
        if not self._is("("):
            raise fault("Expected a list in parentheses, as in (1, 2).", self._here.at, self._here.raw)
        opening = self._take()
        if self._is(")"):
            raise fault("Expected a value; a list has at least one.", self._here.at, self._here.raw)
        items = [self._inside(opening)]
        while self._is(","):
            self._take()
            items.append(self._inside(opening))
        self._close(opening)
        return tuple(items)

    def _call(self, token: Token) -> Node:
        name = token.value.lower()
        wanted = FUNCTIONS.get(name)
        if wanted is None:
            more = hint(name, list(FUNCTIONS), f"There are {', '.join(FUNCTIONS)}.")
            raise fault(f"There is no function {echoed(token.value)}.{more}", token.at, token.value)
        args = self._list()
        if len(args) != wanted:
            values = "one value" if wanted == 1 else "two values"
            raise fault(f"{name} takes {values}, got {len(args)}.", token.at, token.value)
        return Call(name, args, at=token.at)

    def _infix(self, left: Node, level: int) -> Node:
        if level == AND:
            return self._and(left)
        token = self._take()
        if level == OR:
            return Or(_joined(Or, left, self.expression(OR + 1)), at=token.at)
        if level in (SUM, PRODUCT):
            return Arithmetic(token.value, left, self.expression(level + 1), at=token.at)
        if token.kind == "symbol":
            return Compare(token.value, left, self.expression(SUM), at=token.at)
        negated = token.value == "not"
        if negated:
            token = self._take()
        if token.value == "between" and token.kind == "keyword":
            return self._between(left, negated, token)
        if token.value == "in" and token.kind == "keyword":
            return self._in(left, negated, token)
        if token.value == "is" and token.kind == "keyword" and not negated:
            return self._is_null(left, token)
        raise fault("Expected in or between after not.", token.at, token.raw)

    def _and(self, left: Node) -> Node:
        begun, self._begun = self._begun, None
        at = self._here.at if begun is not None else self._take().at
        return And(_joined(And, left, self.expression(AND + 1, begun)), at=at)

    def _between(self, operand: Node, negated: bool, token: Token) -> Node:
        low = self.expression(SUM)
        pair = Between(operand, low, None, negated, at=token.at)
        if not self._is("and"):
            if isinstance(low, Control):
                return pair
            raise fault("Expected and and a second value, as in between 1 and 2.", self._here.at, self._here.raw)
        if isinstance(low, Control) and self._tokens[self._next + 1].value == "not":
            return pair
        self._take()
        high = self.expression(SUM)
        if isinstance(low, Control) and (self._level() == COMPARISON or _is_condition(high)):
            self._begun = high
            return pair
        return Between(operand, low, high, negated, at=token.at)

    def _in(self, operand: Node, negated: bool, token: Token) -> Node:
        if self._here.kind == "control":
            control = self._take()
            return In(operand, (Control(control.value, at=control.at),), negated, at=token.at)
        return In(operand, self._list(), negated, at=token.at)

    def _is_null(self, operand: Node, token: Token) -> Node:
        negated = self._is("not")
        if negated:
            self._take()
        if not self._is("null"):
            raise fault("Expected null or not null after is; other values are compared with =.", self._here.at,
                        self._here.raw)  # fmt: skip
        self._take()
        return IsNull(operand, negated, at=token.at)


def _joined(kind: type[And] | type[Or], left: Node, right: Node) -> tuple[Node, ...]:
    """The conditions of both sides, those of the same kind without their parentheses."""
    sides = [each.items if isinstance(each, kind) else (each,) for each in (left, right)]
    return sides[0] + sides[1]


def _is_condition(node: Node) -> bool:
    """Whether it can be nothing else: a bare column could."""
    if isinstance(node, Call):
        return node.name in ("starts_with", "ends_with", "contains")
    return node.binds <= COMPARISON or (isinstance(node, Truth) and node.value is not None)


def _negative(operand: Node, at: int) -> Node:
    if not isinstance(operand, Number):
        return Minus(operand, at=at)
    value = operand.value
    return Number(-value if isinstance(value, int) else value.copy_negate(), at=at)


def _number(token: Token) -> int | Decimal:
    if token.raw.isdecimal():
        return int(token.raw)
    if len(token.raw.lower().partition("e")[2]) > 5:
        raise _out_of_range(token)
    value = Decimal(token.raw)
    if value and not -_MOST_EXPONENT <= value.adjusted() <= _MOST_EXPONENT:
        raise _out_of_range(token)
    if abs(float(token.raw)) == float("inf"):
        raise fault("This number is beyond float64, which ends at about 1.8e308.", token.at, token.raw)
    return value


def _out_of_range(token: Token) -> Exception:
    return fault(f"A number's power of ten lies between {-_MOST_EXPONENT} and {_MOST_EXPONENT}.", token.at, token.raw)


def _missing(token: Token) -> Exception:
    if token.kind == "end":
        return fault("Expected a value: the filter ends too early.", token.at, "")
    if token.kind == "keyword" and token.value == "not":
        return fault("Here not has to stand in parentheses, as in (not a).", token.at, token.raw)
    word = "; a column of that name stands in back quotes" if token.kind == "keyword" else ""
    return fault(f"Expected a value before {echoed(token.raw)}{word}.", token.at, token.raw)


def _too_many(at: int) -> Exception:
    return fault(f"A filter has at most {MOST_NODES:,} columns, values and operators. A list in a file could be joined "
                 "to the table instead.", at)  # fmt: skip


def _too_deep(at: int) -> Exception:
    return fault(f"A filter has at most {MOST_DEEP} levels.", at)
