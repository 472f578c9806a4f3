"""From which x on the versions of a line differ.

Each version that adds rows changes the line from one x on. Of earlier changes those matter that begin at a lower x, so
they form a stack; a version keeps its top, and shares what is below with the versions before. Each entry has a second
way down, over about half of what is below it (Myers, "An applicative random-access stack", 1983), so a search takes
O(log n) steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from bigviz.tiles.grid.window import Number

__all__ = ["Change"]

_MOST: Final = 1 << 15  # entries, then the lower half becomes one


@dataclass(frozen=True, eq=False)
class Change:
    """The line is as in the version `number` from `x` on, up to where later changes begin. Below it are changes with a
    lower x and number; the lowest one begins at minus infinity."""

    x: Number
    number: int
    below: Change | None = None
    jump: Change | None = None
    depth: int = 0

    @classmethod
    def whole(cls, number: int) -> Change:
        """All of the line is another one."""
        return cls(-math.inf, number)

    def then(self, x: Number, number: int) -> Change:
        """The stack after a change in a later version."""
        below: Change | None = self
        while below is not None and below.x >= x:
            below = below.below
        if below is None:
            return Change.whole(number)
        return below._push(x, number) if below.depth < _MOST else below._halved()._push(x, number)

    def last_below(self, stop: Fraction) -> int:
        """The version in which what lies below an x has changed last."""
        at = self
        while at.x >= stop and at.below is not None:
            at = at.jump if at.jump is not None and at.jump.x >= stop else at.below
        return at.number

    def since(self, number: int) -> Number:
        """The lowest x of the changes after a version; infinity where there are none."""
        if self.number <= number:
            return math.inf
        at = self
        while at.below is not None and at.below.number > number:
            at = at.jump if at.jump is not None and at.jump.number > number else at.below
        return at.x

    def _push(self, x: Number, number: int) -> Change:
        jump = self.jump
        even = jump is not None and jump.jump is not None and self.depth - jump.depth == jump.depth - jump.jump.depth
        return Change(x, number, self, jump.jump if even and jump is not None else self, self.depth + 1)

    def _halved(self) -> Change:
        """The upper half, on a lowest entry that has changed when the last one of the lower half has."""
        upper: list[Change] = []
        at: Change | None = self
        while at is not None and at.depth > self.depth // 2:
            upper.append(at)
            at = at.below
        out = Change.whole(self.number if at is None else at.number)
        for each in reversed(upper):
            out = out._push(each.x, each.number)
        return out
