"""The survey of each version of a line that grows, from the rows that are new: equal to that of all its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import INSIDE, Root
from bigviz.aggregate.spaces import space
from bigviz.data.columns.magnitudes import Magnitudes
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.survey import Extent, Survey
from bigviz.tiles.segments.axis_history import AxisHistory, Weighted
from bigviz.tiles.segments.lost import LostNumbers
from bigviz.tiles.series.merged_m4 import extremes_between, missing_between, value_from, value_to
from bigviz.tiles.series.merged_rows import Piece, rows_of_parts
from bigviz.tiles.series.part import Part

__all__ = ["LineSurvey"]

Array = npt.NDArray[Any]
Roots = tuple[Root, Root]


@dataclass
class _Measured:
    """What is known of a range of a part's positions: rows without y, and the extent of those inside of roots."""

    start: int
    stop: int
    missing: int
    roots: Roots | None = None
    inside_stop: int = 0
    inside: Extent | None = None


class LineSurvey:
    """The roots of all rows that there ever were, and what follows from the parts of a line."""

    def __init__(self, spec: OrderSpec, lost: LostNumbers | None = None) -> None:
        """`lost` are the numbers of rows that were gone before."""
        self._spaces = space(spec.xaxis, "x"), space(spec.yaxis, "y")
        self._far = spec.root == "default"
        self._lost = lost or (Magnitudes(), Magnitudes())
        self._count = 0  # rows with both numbers, of those that are there
        self._measured: dict[int, tuple[object, _Measured]] = {}
        self._history = [AxisHistory(each.root, self._far) for each in self._spaces]

    def add(self, new: Sequence[Piece], parts: Sequence[Part]) -> Roots:
        """Take in new rows, which `parts` have too; returns the roots."""
        both = [_both(piece) for piece in new]
        self._count += sum(len(x) for x, _ in both)
        return self._roots(both, parts)

    def lose(self, gone: Sequence[Piece]) -> None:
        """Rows are no more: the roots go on holding them."""
        for x, y in map(_both, gone):
            self._count -= len(x)
            self._lost = self._lost[0].merged(Magnitudes.of(x)), self._lost[1].merged(Magnitudes.of(y))

    def restart(self, parts: Sequence[Part]) -> None:
        """Rows have other values: begin anew with those of these parts, and those that are lost."""
        self._history = [AxisHistory(each.root, self._far) for each in self._spaces]
        self._measured.clear()
        self._count = sum(self._extent(part).whole.count for part in parts)

    def of(self, parts: Sequence[Part], roots: Roots, rows: int) -> Survey:
        """The survey of the rows of parts, of a table of so many rows."""
        found = [self._extent(part) for part in parts]
        whole = Extent()
        for each in found:
            whole.merge(each.whole)
        inside = whole
        if not _hold(roots, whole):
            inside = Extent()
            for part, each in zip(parts, found, strict=True):
                inside.merge(each.whole if _hold(roots, each.whole) else _inside(part, roots, each.measured))
        owners = {id(part.owner) for part in parts}
        self._measured = {key: each for key, each in self._measured.items() if key in owners}
        outside = rows - whole.count
        return Survey(*roots, rows, inside.count, outside, whole.count - inside.count, inside.low, inside.high)

    def _roots(self, both: Sequence[tuple[Array, Array]], parts: Sequence[Part]) -> Roots:
        found = []
        for which, history in enumerate(self._history):

            def again(which: int = which) -> Iterator[Weighted]:
                for part in parts:
                    for piece in rows_of_parts([part]):
                        yield _both(piece)[which], None
                yield self._lost[which].points

            series = parts[0].series
            empty = np.empty(0, (series.x.dtype, series.y.dtype)[which])
            values = np.concatenate([empty, *(each[which] for each in both)])
            found.append(history.add(values, self._count + self._lost[which].rows, again))
        return found[0], found[1]

    def _extent(self, part: Part) -> _Known:
        """How many rows of a part have both numbers, and their extremes; of rows that were counted only the new ones
        are looked at."""
        _, known = self._measured.get(id(part.owner), (None, None))
        if known is None or known.start > part.start or known.stop > part.stop:
            known = _Measured(part.start, part.start, 0)
            self._measured[id(part.owner)] = part.owner, known
        if known.start < part.start:
            known.missing -= missing_between(part, known.start, part.start)
            known.inside = None
        known.missing += missing_between(part, max(known.stop, part.start), part.stop)
        known.start, known.stop = part.start, part.stop
        count = len(part) - known.missing
        if count == 0:
            return _Known(Extent(), known)
        ends = np.array([value_from(part, np.array([part.start]))[0], value_to(part, np.array([part.stop - 1]))[0]])
        x = part.series.x.at(ends)
        low, high = extremes_between(part, int(ends[0]), int(ends[1]) + 1)
        return _Known(Extent(count, (x[0].item(), low), (x[1].item(), high)), known)


@dataclass(frozen=True)
class _Known:
    whole: Extent
    measured: _Measured


def _hold(roots: Roots, extent: Extent) -> bool:
    ends = zip(roots, extent.low or (), extent.high or (), strict=False)
    return all(root.holds(low) and root.holds(high) for root, low, high in ends)


def _inside(part: Part, roots: Roots, known: _Measured) -> Extent:
    """The extent of the rows that lie in both roots. Only those are looked at that are new since the last time."""
    if known.inside is None or known.roots != roots:
        known.inside, known.roots, known.inside_stop = Extent(), roots, part.start
    newer = Part(part.series, part.base, known.inside_stop, part.owner, part.nbytes)
    for piece in rows_of_parts([newer]):
        x, y = _both(piece)
        mask = np.ones(len(x), np.bool_)
        for values, root in ((x, roots[0]), (y, roots[1])):
            mask &= root.codes(np.ascontiguousarray(values), None, np.empty(len(values), np.uint32)) == INSIDE
        known.inside.add(x[mask], y[mask])
    known.inside_stop = part.stop
    return known.inside


def _both(piece: Piece) -> tuple[Array, Array]:
    """x and y of the rows that have both."""
    known = np.isfinite(piece.y) if piece.y.dtype.kind == "f" else piece.known
    return (piece.x, piece.y) if known is None or known.all() else (piece.x[known], piece.y[known])
