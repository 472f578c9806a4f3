"""A filter with types: what `check` makes, and all who keep rows ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Final

import numpy as np
import numpy.typing as npt

from bigviz.data.filters.cells import Cells, Rows, part
from bigviz.data.filters.tree import Expression
from bigviz.data.filters.typed.conditions import Condition, Interval, Statistic, Unsure
from bigviz.data.filters.typed.outcomes import TRUE

__all__ = ["Predicate"]

_BLOCK: Final = 1 << 17  # rows whose intermediate results stay in the processor's cache


@dataclass(frozen=True)
class Predicate:
    """A condition on the rows of one dataset; any number of threads may use it.

    `str` gives the expression's canonical text; `columns` are the columns that it reads, in the order of the text.
    """

    expression: Expression
    columns: tuple[str, ...]
    condition: Condition = field(compare=False, repr=False)

    def __str__(self) -> str:
        return str(self.expression)

    def mask(self, rows: Rows, count: int | None = None) -> npt.NDArray[np.bool_]:
        """True where a row is kept: the condition is true there, neither false nor null.

        `rows(name)` gives a slice of each column that is asked for, the same rows of each, and is called once a
        column. `count` is the number of rows, needed where no column says it: of a predicate without columns the mask
        has one element then, which is right for all.
        """
        seen: dict[str, Cells] = {}

        def once(name: str) -> Cells:
            if name not in seen:
                seen[name] = rows(name)
            return seen[name]

        if count is None:
            count = len(once(self.columns[0]).values) if self.columns else 1
        found = np.empty(count, np.bool_)
        with np.errstate(all="ignore"):
            for start in range(0, count, _BLOCK):
                stop = min(start + _BLOCK, count)
                block = partial(_block, once, start, stop)
                found[start:stop] = self.condition.truths(block, False).true
        return found

    def excludes(self, statistic: Statistic) -> bool:
        """Whether no row can be kept where columns have these statistics (None: of a column nothing is known)."""
        return not self.condition.outcomes(statistic) & TRUE

    @cached_property
    def _bounds(self) -> Mapping[str, Interval]:
        return dict(self.condition.bounds())

    def bounds(self) -> Mapping[str, Interval]:
        """For some columns an interval of axis numbers, both ends included, in which every kept row lies that has a
        number there. An interval whose low end is above its high one keeps no row."""
        return self._bounds

    def decided_by_numbers(self, complete: Callable[[str], bool]) -> bool:
        """Whether axis numbers alone say which rows are kept; else only the values themselves do, as `kept` reads them.

        `complete(name)` says whether a column has a number in every row: it may hold neither null, NaN, nor times that
        are out of range.
        """
        return not any(each.always or not complete(each.name) for each in self._unsure)

    @cached_property
    def _unsure(self) -> tuple[Unsure, ...]:
        return tuple(dict.fromkeys(self.condition.unsure(False)))


def _block(rows: Rows, start: int, stop: int, name: str) -> Cells:
    return part(rows(name), start, stop)
