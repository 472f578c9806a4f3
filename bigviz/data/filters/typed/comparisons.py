"""Two numbers or times of each row compared."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from bigviz.data.columns.arrow_arrays import bits
from bigviz.data.filters.cells import Bools, Rows, Truths, Vector, everywhere
from bigviz.data.filters.typed.conditions import Condition, Leaf, Unsure, judged, unsure_of
from bigviz.data.filters.typed.numbers import NumberValue

__all__ = ["BoolColumn", "BoolValue", "Compared"]

_OPS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_ARROW_OPS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "=": pc.equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal,
}  # fmt: skip
_MIRRORED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Compared(Leaf):
    """Two numbers, two times, or two truth values, compared by = < <= > or >=.

    Integers compare exactly, whatever their signs; with a float both are float64; two decimals are exact where they are
    there themselves.
    """

    def __init__(self, op: str, left: NumberValue, right: NumberValue) -> None:
        self.op, self.left, self.right = op, left, right

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        left, right = self.left.vector(rows), self.right.vector(rows)
        return judged(self._compared(left, right), everywhere(left.valid, right.valid), nulls)

    def unsure(self, negated: bool) -> Iterator[Unsure]:
        yield from unsure_of(self.left, negated)
        yield from unsure_of(self.right, negated)

    def _compared(self, left: Vector, right: Vector) -> Bools:
        if left.exact is not None and right.exact is not None:
            found = _ARROW_OPS[self.op](left.exact, right.exact)
            return bits(found.buffers()[1], found.offset, len(found)).view(np.bool_)
        one, other = left.values, right.values
        if left.step != right.step:
            return _in_other_steps(self.op, left, right)
        if one.dtype.kind == "f" or other.dtype.kind == "f":
            if one.dtype != other.dtype:
                one, other = one.astype(np.float64, copy=False), other.astype(np.float64, copy=False)
        elif {one.dtype.kind, other.dtype.kind} == {"u", "i"} and np.uint64 in (one.dtype, other.dtype):
            return _signs_apart(self.op, one, other)
        return np.asarray(_OPS[self.op](one, other))


class BoolColumn(Leaf):
    """A column of truth values."""

    def __init__(self, of: NumberValue) -> None:
        self.of = of

    def truths(self, rows: Rows, nulls: bool) -> Truths:
        vector = self.of.vector(rows)
        return judged(vector.values != 0, vector.valid, nulls)

    def unsure(self, negated: bool) -> Iterator[Unsure]:
        return iter(())


class BoolValue:
    """A condition as a value, to be compared, or asked whether it is null."""

    kind = "bool"
    scale = 0
    zone: str | None = None

    def __init__(self, condition: Condition, sources: tuple[tuple[str, str], ...]) -> None:
        self.condition = condition
        self.sources = sources

    def vector(self, rows: Rows) -> Vector:
        true, null = self.condition.truths(rows, True)
        return Vector(true.view(np.uint8), None if null is None else ~null)

    def valid(self, rows: Rows) -> Bools | None:
        return self.vector(rows).valid


def _signs_apart(op: str, left: Any, right: Any) -> Bools:
    """uint64 against signed integers, as integers without an end."""
    if left.dtype.kind == "i":
        return _signs_apart(_MIRRORED[op], right, left)
    negative = right < 0
    found = _OPS[op](left, np.where(negative, 0, right).astype(np.uint64))
    return np.where(negative, op in (">", ">="), found)


def _in_other_steps(op: str, left: Vector, right: Vector) -> Bools:
    """Times whose steps differ: the finer one's whole steps of the other, and what is left over, decide."""
    if left.step < right.step:
        return _in_other_steps(_MIRRORED[op], right, left)
    one, other = (each.values.astype(np.int64, copy=False) for each in (left, right))
    ratio = left.step // right.step
    whole, rest = np.floor_divide(other, ratio), np.mod(other, ratio)
    same, less = one == whole, one < whole
    below = less | (same & (rest > 0))
    equal = same & (rest == 0)
    if op == "=":
        return np.asarray(equal)
    if op in ("<", "<="):
        return np.asarray(below if op == "<" else below | equal)
    return np.asarray(~below if op == ">=" else ~(below | equal))
