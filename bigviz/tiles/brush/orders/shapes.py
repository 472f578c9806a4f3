"""What a brush selects: a box of two axes, a span of one, or some labels; and how two boxes differ."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bigviz.common.errors import BadInput
from bigviz.tiles.grid.window import Number, check_window

__all__ = ["Box", "Labels", "Shape", "Span"]

Window = tuple[Number, Number]


@dataclass(frozen=True, slots=True)
class Box:
    """The rows whose numbers lie in both half-open windows, in axis space."""

    x: Window
    y: Window

    def check(self) -> None:
        """Raise BadInput naming the field unless the ends are finite and ascend."""
        check_window(*self.x, "x")
        check_window(*self.y, "y")

    def minus(self, other: Shape) -> Iterator[Shape]:
        """At most four boxes that hold what lies in this box and not in the other, each row once."""
        if not isinstance(other, Box):
            raise BadInput(f"a brush over points is a box, got {other}", "brush", str(other))
        left, right = max(self.x[0], other.x[0]), min(self.x[1], other.x[1])
        bottom, top = max(self.y[0], other.y[0]), min(self.y[1], other.y[1])
        if left >= right or bottom >= top:
            yield self
            return
        if self.x[0] < left:
            yield Box((self.x[0], left), self.y)
        if right < self.x[1]:
            yield Box((right, self.x[1]), self.y)
        if self.y[0] < bottom:
            yield Box((left, right), (self.y[0], bottom))
        if top < self.y[1]:
            yield Box((left, right), (top, self.y[1]))


@dataclass(frozen=True, slots=True)
class Span:
    """The rows whose number lies in the half-open window `[low, high)` of an axis. An infinite end leaves its side
    open: infinities are in it. Equal ends hold nothing."""

    low: Number
    high: Number

    def check(self) -> None:
        """Raise BadInput naming the field unless the ends are numbers and do not descend."""
        for name, end in (("x0", self.low), ("x1", self.high)):
            if math.isnan(end):
                raise BadInput(f"{name} must be a number, got {end}", name, end)
        if not self.low <= self.high:
            raise BadInput(f"x0 must not be above x1, got {self.low} and {self.high}", "x0", self.low)

    def minus(self, other: Shape) -> Iterator[Shape]:
        """At most two spans that hold what lies in this span and not in the other."""
        if not isinstance(other, Span):
            raise BadInput(f"a brush over one axis is a span, got {other}", "brush", str(other))
        left, right = max(self.low, other.low), min(self.high, other.high)
        if left >= right:
            yield self
            return
        if self.low < left:
            yield Span(self.low, left)
        if right < self.high:
            yield Span(right, self.high)


@dataclass(frozen=True, slots=True)
class Labels:
    """The rows with some labels of a category, by their places among the sorted labels; -1 is a row without one."""

    codes: frozenset[int]

    def check(self) -> None:
        """Any set of labels will do."""

    def minus(self, other: Shape) -> Iterator[Shape]:
        """The labels that are not among others."""
        if not isinstance(other, Labels):
            raise BadInput(f"a brush over categories is a set of labels, got {other}", "brush", str(other))
        if self.codes - other.codes:
            yield Labels(self.codes - other.codes)


Shape = Box | Span | Labels
