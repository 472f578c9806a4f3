"""The index of a line of a dataset that grows: each version is made of the one before and of what is new."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import locked
from bigviz.common.workers import Crew, slices
from bigviz.data.columns.column import Column
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.near_runs import near_runs
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.survey import Survey, numbers_of
from bigviz.tiles.segments.column_pieces import read_columns
from bigviz.tiles.segments.growing_mask import KeptRows
from bigviz.tiles.segments.lines.line_changes import LineChanges, Span, spans_of
from bigviz.tiles.segments.lines.line_survey import LineSurvey
from bigviz.tiles.segments.lost import lost_numbers
from bigviz.tiles.series.falls import Falls
from bigviz.tiles.series.growing_line import GrowingLine
from bigviz.tiles.series.line import MergedLine
from bigviz.tiles.series.merged_rows import Piece
from bigviz.tiles.series.series import build_series

__all__ = ["LineIndex", "LineVersion"]


@dataclass(frozen=True, eq=False)
class LineVersion:
    """The index of one version, of the rows with the numbers from `first` to `stop`. `survey` is that of a table of
    these rows under the roots of all that there ever were, which are so since the version `rooted`; `changes` says
    since when the line is as it is."""

    number: int
    first: int
    stop: int
    survey: Survey
    rooted: int
    line: MergedLine
    changes: LineChanges


@dataclass(frozen=True)
class _News:
    """What is new in a version: `added` rows, and rows that have other values, by number; all in row order, those
    without x too, whose `kept` is False."""

    added: list[tuple[Piece, np.ndarray]]
    corrected: list[tuple[Piece, np.ndarray]]


class LineIndex:
    """A line over all versions of a dataset, from the newest one on. Safe to use from any number of threads.

    Of a filtered line, versions are given with the rows that are kept and the version of the whole line, whose survey
    they have: rows that are not kept have no x.
    """

    def __init__(self, spec: OrderSpec) -> None:
        self.spec = spec
        self._spaces = space(spec.xaxis, "x"), space(spec.yaxis, "y")
        self._head: LineVersion | None = None
        self._line: GrowingLine | None = None
        self._survey = LineSurvey(spec)
        self._given: weakref.WeakValueDictionary[int, LineVersion] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    @property
    def begun(self) -> bool:
        """Whether there is a version that the next one can be made from."""
        return self._head is not None

    def version(
        self, dataset: Dataset, crew: Crew, kept: KeptRows | None = None, whole: LineVersion | None = None
    ) -> LineVersion | None:
        """The index of a version of the dataset: there, or made from the newest one there was. None for an older one
        that nobody holds any more. Raises Cancelled, and what reading raises."""
        with locked(self._lock, crew.cancel):
            found, head = self._given.get(dataset.version), self._head
            if found is not None:
                return found
            if head is not None and dataset.version < head.number:
                return None
            if head is not None and dataset.first_row > head.stop:  # rows came and went since
                head = None
            news = None if head is None else self._read(head, dataset, kept, crew)
            # Whatever happens from here on, the line is not the head's any more.
            self._head = None
            if head is None or news is None or self._line is None:
                made = self._begin(dataset, kept, crew)
            else:
                made = self._next(head, self._line, dataset, news)
            if whole is not None:
                made = replace(made, survey=whole.survey, rooted=whole.rooted)
            self._head = self._given[made.number] = made
            return made

    def wants_merge(self) -> bool:
        """Whether `merge_once` has something to do."""
        line = self._line
        return line is not None and line.is_due

    def merge_once(self, look: Callable[[], None]) -> bool:
        """Merge what is to be merged next, for later versions; False where all is well. `look` is called now and then;
        what it raises ends the merge."""
        line = self._line
        merge = None if line is None else line.due()
        if line is None or merge is None:
            return False
        made = None
        try:
            made = merge.run(look)
        finally:
            line.put(merge, made)
        return True

    def _begin(self, dataset: Dataset, kept: KeptRows | None, crew: Crew) -> LineVersion:
        """The first version: as any line is made, and what it needs to go on."""
        first, stop = dataset.first_row, dataset.first_row + dataset.num_rows
        x, y = self._axes(dataset, first, stop, kept, crew)
        series = build_series(x, y, crew)
        falls = Falls()
        for start, end in slices(len(x)) if not series.sorted else ():
            piece, has_x = _piece(x, y, start, end, first)
            falls.add(piece.x[has_x], piece.rows[has_x])
        if series.sorted and len(series):
            last = np.array([len(series) - 1])
            falls.add(series.x.at(last), series.numbers(last) + first)
        self._line = GrowingLine.of(series, first, falls)
        self._survey = LineSurvey(self.spec, lost_numbers(dataset, self.spec, crew.cancel))
        line = self._line.snapshot()
        self._survey.restart(line.parts)
        return self._made(None, dataset, line, [], LineChanges.whole(dataset.version))

    def _next(self, head: LineVersion, line: GrowingLine, dataset: Dataset, news: _News) -> LineVersion:
        spans: list[Span] = []
        if dataset.first_row > head.first:
            gone = line.forget_before(dataset.first_row)
            self._survey.lose(gone)
            spans += [span for piece in gone for span in spans_of(head.line, piece)]
        for piece, kept in news.corrected:
            removed = line.correct(piece.rows, piece.x, piece.y, piece.known, kept)
            spans += [span for each in (*removed, piece.where(kept)) for span in spans_of(head.line, each)]
        added = [piece.where(kept) for piece, kept in news.added]
        for piece in added:
            line.append(piece.x, piece.y, piece.known, piece.rows)
            spans += spans_of(head.line, piece)
        after = line.snapshot()
        if news.corrected:
            self._survey.restart(after.parts)
            added = []
        changes = head.changes.then(spans, dataset.version)
        return self._made(head, dataset, after, added, changes)

    def _made(
        self, head: LineVersion | None, dataset: Dataset, line: MergedLine, added: Sequence[Piece], changes: LineChanges
    ) -> LineVersion:
        first, stop = dataset.first_row, dataset.first_row + dataset.num_rows
        roots = self._survey.add(added, line.parts)
        survey = self._survey.of(line.parts, roots, dataset.num_rows)
        same = head is not None and (head.survey.x, head.survey.y) == roots
        rooted = head.rooted if head is not None and same else dataset.version
        return LineVersion(dataset.version, first, stop, survey, rooted, line, changes)

    def _read(self, head: LineVersion, dataset: Dataset, kept: KeptRows | None, crew: Crew) -> _News:
        """What is new since a version."""
        stop = dataset.first_row + dataset.num_rows
        start = max(head.stop, dataset.first_row)
        x, y = self._axes(dataset, start, stop, kept, crew)
        added = [_piece(x, y, begin, end, start) for begin, end in slices(len(x))]
        wrong = [each.rows for each in dataset.corrections if each.version > head.number]
        rows = np.unique(np.concatenate(wrong)) if wrong else np.empty(0, np.int64)
        rows = rows[(rows >= dataset.first_row) & (rows < start)]
        corrected = []
        for ends in near_runs(rows, 1) if len(rows) else ():
            x, y = self._axes(dataset, int(ends[0]), int(ends[-1]) + 1, kept, crew)
            corrected += [_piece(x, y, begin, end, int(ends[0])) for begin, end in slices(len(x))]
        return _News(added, [_joined(corrected)] if corrected else [])

    def _axes(self, dataset: Dataset, start: int, stop: int, kept: KeptRows | None, crew: Crew) -> tuple[Axis, Axis]:
        names = tuple(dict.fromkeys((self.spec.x, self.spec.y)))
        columns: list[Column] = read_columns(dataset, names, start, stop, crew)
        x = columns[0] if kept is None else kept.hide(columns[0], start)
        return Axis(x, self._spaces[0]), Axis(columns[-1], self._spaces[1])


def _piece(x: Axis, y: Axis, start: int, stop: int, first: int) -> tuple[Piece, np.ndarray]:
    """Rows of two axes, of which row 0 has the number `first`, and which have an x."""
    xs, has_x = numbers_of(*x.slice(start, stop))
    ys, known = numbers_of(*y.slice(start, stop))
    rows = np.arange(first + start, first + stop, dtype=np.int64)
    return Piece(xs, ys, known, rows), np.ones(len(rows), np.bool_) if has_x is None else has_x


def _joined(found: Sequence[tuple[Piece, np.ndarray]]) -> tuple[Piece, np.ndarray]:
    known = None
    if any(piece.known is not None for piece, _ in found):
        known = np.concatenate([np.ones(len(p.x), np.bool_) if p.known is None else p.known for p, _ in found])
    x, y, rows = (np.concatenate([piece[side] for piece, _ in found]) for side in (0, 1, 3))
    return Piece(x, y, known, rows), np.concatenate([kept for _, kept in found])
