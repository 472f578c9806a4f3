"""The index of a dataset that grows: parts of neighbouring rows, to which each version adds its own.

Nothing of a version changes once it was given out. New rows become a small part, which takes as long as sorting them;
parts are merged in the background, and later versions have the merged ones. A part keeps the root it was sorted by for
as long as that lies within the root of all rows.
"""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import locked
from bigviz.common.workers import Crew
from bigviz.data.appending.growth import Version as AnyVersion
from bigviz.data.columns.column import widen
from bigviz.data.columns.magnitudes import Magnitudes
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.dense_part import DensePart
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.survey import Extent, Survey
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.segments.axis_history import AxisHistory, Weighted
from bigviz.tiles.segments.changes.touched_cells import TouchedCells
from bigviz.tiles.segments.column_pieces import read_numbers
from bigviz.tiles.segments.correcting import corrected, numbers_at
from bigviz.tiles.segments.joined.history import LevelHistory
from bigviz.tiles.segments.lost import LostNumbers, lost_numbers
from bigviz.tiles.segments.remaking import merge, remake, without
from bigviz.tiles.segments.row_part import Numbers, PartOrder, Places, Roots, RowPart, keys_of, part_of
from bigviz.tiles.segments.tiers import next_merge
from bigviz.tiles.segments.tile_pieces import holds

__all__ = ["Added", "StreamIndex", "Use", "Version"]

Array = npt.NDArray[Any]

_MOST_STRAYS: Final = 1 << 12  # rows of a part outside its root that are looked at one by one
_REMEMBERED: Final = 256  # appends of which is known what they changed
_MOST_REMEMBERED: Final = 1 << 20  # rows of those appends
_SAMPLED: Final = 1 << 16  # rows above which the dense part is that of a sample
_SAME_DENSE: Final = 1.01  # times as many rows: what a sample says of them does not change
_NOTED: Final = 4096  # layers of versions
_EATEN: Final = 1 << 18  # rows of a part that are filtered with each rollover: some milliseconds


@dataclass(frozen=True, eq=False)
class Version:
    """The index of one version: rows with the numbers from `first` to `stop`, in parts, oldest first.

    `corrected` is the last version that gave rows other values (0: none). Those up to `settled` may have touched any
    tile, and later ones only tiles that have a cell of `edits`. `survey` is that of a table of these rows, under the
    roots of all that there ever were.
    """

    number: int
    first: int
    stop: int
    corrected: int
    survey: Survey
    parts: tuple[RowPart, ...]
    settled: int
    edits: TouchedCells = field(repr=False)

    @property
    def roots(self) -> Roots:
        """The roots of its tiles."""
        return self.survey.x, self.survey.y

    def corrected_in(self, key: TileKey) -> int:
        """No later version than this one gave rows of a tile other values, or took some in or out that had them."""
        return max(self.settled, self.edits.last(key))


@dataclass(frozen=True, eq=False)
class Use:
    """What the parts of an index keep for a layer: columns by name, and the layers of a reduction; where it has a
    filter, these are of what that keeps, by its `key`."""

    names: frozenset[Hashable]
    key: Hashable | None = None


@dataclass(frozen=True, eq=False)
class Added:
    """What one step from a version to a later one has changed: rows in order that were added, under the roots of both
    (None where those differ, or nothing is known), and the cells in which others were dropped or corrected. `kept` is
    what filters keep of the k-th of `orders`, by k and the filter's key, as far as it is known."""

    before: int
    after: int
    orders: tuple[PartOrder, ...] | None
    touched: TouchedCells
    kept: dict[tuple[int, Hashable], PartOrder] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> int:
        """How many rows are held for it."""
        return sum(len(order.rows) for order in self.orders or ())


class StreamIndex:
    """The parts of an order over all versions of a dataset, from the newest one on. Safe to use from any threads."""

    def __init__(self, spec: OrderSpec) -> None:
        self.spec = spec
        self._head: Version | None = None
        self._given: weakref.WeakValueDictionary[int, Version] = weakref.WeakValueDictionary()
        self._added: deque[Added] = deque(maxlen=_REMEMBERED)
        self._used: weakref.WeakSet[Use] = weakref.WeakSet()
        self._histories: weakref.WeakValueDictionary[Hashable, LevelHistory] = weakref.WeakValueDictionary()
        self._dense: tuple[Hashable, int, DensePart | None] | None = None
        self._label_orders: set[object] = set()
        self._labels: dict[tuple[int, Hashable], int] = {}
        self._lost: LostNumbers = Magnitudes(), Magnitudes()
        self._building = threading.Lock()  # of versions: one is made from the other
        self._lock = threading.Lock()  # held for a moment, so that answers of older versions wait for no newer one
        self._forget_history()

    def lacks(self, dataset: Dataset) -> int:
        """How many rows of a version are in no part yet."""
        head = self._head
        return dataset.num_rows if head is None else max(0, dataset.first_row + dataset.num_rows - head.stop)

    def version(self, dataset: Dataset, crew: Crew) -> Version | None:
        """The index of a version of the dataset: there, or made from the newest one there was. None for an older one
        that nobody holds any more. Raises Cancelled, and what reading raises."""
        with self._lock:
            found = self._given.get(dataset.version)
        if found is not None:
            return found
        with locked(self._building, crew.cancel):
            with self._lock:
                found, head = self._given.get(dataset.version), self._head
            if found is not None:
                return found
            if head is not None and dataset.version < head.number:
                return None
            made, touched = self._tried(head, dataset, crew)
            with self._lock:
                if head is not None:
                    same = made.roots == head.roots and made.first <= head.stop
                    fresh = tuple(part.order for part in made.parts if part.first >= head.stop)
                    self._added.append(Added(head.number, made.number, fresh if same else None, touched))
                    while sum(each.rows for each in self._added) > _MOST_REMEMBERED:
                        self._added.popleft()
                self._head = self._given[made.number] = made
            return made

    def keep(self, key: Hashable, parts: Sequence[tuple[RowPart, RowPart]]) -> None:
        """Remember what a filter keeps of parts, each given with what is kept of it."""
        kept = {id(part.order): some.order for part, some in parts}
        with self._lock:
            for step in self._added:
                for at, order in enumerate(step.orders or ()):
                    if id(order) in kept:
                        step.kept[at, key] = kept[id(order)]

    def changes(
        self, before: AnyVersion, after: Version, key: Hashable | None = None
    ) -> tuple[list[PartOrder], list[TouchedCells]] | None:
        """What two versions differ by: rows that were added, in order, of those that a filter keeps (of a version for
        which no layer of that filter was made, all), and cells with rows that were dropped or corrected. None where
        that is not known."""
        with self._lock:
            steps = list(self._added)
        found: list[PartOrder] = []
        touched: list[TouchedCells] = []
        at = after.number
        for step in reversed(steps):
            if at == before.version:
                break
            if step.after > at:
                continue
            if step.after != at or step.orders is None:
                return None
            found += [step.kept.get((place, key), order) for place, order in enumerate(step.orders)]
            touched.append(step.touched)
            at = step.before
        return (found, touched) if at == before.version else None

    def dense(self, version: Version, find: Callable[[], DensePart | None]) -> DensePart | None:
        """Where nearly all rows lie, as found for a version of nearly as many rows, or found now."""
        rows = version.survey.inside
        with self._lock:
            known = self._dense
        same = known is not None and known[0] == (version.roots, version.first, version.corrected)
        if known is not None and same and max(known[1], _SAMPLED) <= rows <= known[1] * _SAME_DENSE:
            return known[2]
        found = find()
        with self._lock:
            self._dense = (version.roots, version.first, version.corrected), rows, found
        return found

    def note(self, version: int, layer: Hashable, labels: int, orders: tuple[object, ...]) -> None:
        """Remember how many labels a layer had in a version, and hold what later versions have their order from."""
        with self._lock:
            self._label_orders.update(orders)
            self._labels[version, layer] = labels
            while len(self._labels) > _NOTED:
                del self._labels[next(iter(self._labels))]

    def use(self, reduction: Reduction, key: Hashable | None = None) -> Use:
        """A layer of a reduction is about to be made: for as long as what is returned lives, parts keep what belongs to
        it. What no layer uses any more is let go of."""
        use = Use(frozenset((*reduction.columns, (str(reduction),))), key)
        with self._lock:
            self._used.add(use)
            used = list(self._used)
            keys = {each.key for each in used}
            for step in self._added:
                for place in [place for place in step.kept if place[1] not in keys]:
                    del step.kept[place]
            for part in () if self._head is None else self._head.parts:
                _let_go(part, used)
        return use

    def history(self, layer: Hashable) -> LevelHistory:
        """What is known of the levels of a layer, for as long as one of its versions lives."""
        with self._lock:
            found = self._histories.get(layer)
            if found is None:
                found = self._histories[layer] = LevelHistory()
            return found

    def wants_merge(self) -> bool:
        """Whether `merge_once` has something to do."""
        head = self._head
        return head is not None and next_merge([part.stop - part.first for part in head.parts]) is not None

    def labels_of(self, version: int, layer: Hashable) -> int | None:
        """How many labels a layer had in a version; None where that is not known."""
        return self._labels.get((version, layer))

    def merge_once(self, crew: Crew, finish: Callable[[RowPart], None] = lambda part: None) -> bool:
        """Merge what should be merged next, for later versions; False where all is well. `finish` is called with the
        new part before others see it. One caller at a time."""
        with self._lock:
            head = self._head
        chosen = None if head is None else next_merge([part.stop - part.first for part in head.parts])
        if head is None or chosen is None:
            return False
        old = head.parts[chosen[0] : chosen[1]]
        made = merge(old, head.roots, crew)
        finish(made)
        with self._building, self._lock:
            return self._swap(old, made)

    def _swap(self, old: Sequence[RowPart], made: RowPart) -> bool:
        """Let later versions have a part in the place of others, unless they lack those already."""
        head = self._head
        if head is None:
            return False
        starts = [at for at, part in enumerate(head.parts) if part is old[0]]
        if not starts or head.parts[starts[0] : starts[0] + len(old)] != tuple(old):
            return True
        if not all(holds(root, own) for root, own in zip(head.roots, made.order.roots, strict=True)):
            return True
        parts = (*head.parts[: starts[0]], made, *head.parts[starts[0] + len(old) :])
        self._head = self._given[head.number] = replace(head, parts=parts)
        return True

    def _tried(self, head: Version | None, dataset: Dataset, crew: Crew) -> tuple[Version, TouchedCells]:
        """The next version; where that fails, or is cancelled, nothing is kept of it."""
        lost = self._lost
        try:
            return self._next(head, dataset, crew)
        except BaseException:
            self._lost = lost
            self._forget_history()
            raise

    def _next(self, head: Version | None, dataset: Dataset, crew: Crew) -> tuple[Version, TouchedCells]:
        first, stop = dataset.first_row, dataset.first_row + dataset.num_rows
        parts = [] if head is None else list(head.parts)
        before = first if head is None else max(head.stop, first)
        dropped: list[Places] = []
        changed: list[Places] = []
        if head is None or first > head.stop:  # of rows between, there is only what is kept of all that are gone
            parts, self._lost = [], lost_numbers(dataset, self.spec, crew.cancel)
            self._forget_history()
        elif first > head.first:
            parts = self._rolled(parts, first, dropped, crew)
        rows = [] if head is None else [each.rows for each in dataset.corrections if each.version > head.number]
        wrong = np.unique(np.concatenate([np.empty(0, np.int64), *rows]))
        if rows:
            parts = [self._corrected(part, wrong, dataset, changed, crew) for part in parts]
            self._forget_history()
        new = read_numbers(dataset, self.spec, before, stop, crew)
        roots = self._roots(parts, new)
        parts = [self._suiting(part, roots, crew) for part in parts if len(part)]
        if len(new):
            parts.append(part_of(before, stop, new, roots, crew))
        survey = _survey(parts, roots, dataset.num_rows)
        corrected = max((each.version for each in dataset.corrections), default=0)
        edits = TouchedCells.of(keys_of(changed, roots), corrected)
        touched = TouchedCells.of(keys_of(dropped, roots), dataset.version).joined(edits)
        if head is None:  # another index of this dataset has seen other versions, and tells tiles by those
            settled = dataset.version if corrected else 0
        elif head.roots != roots:
            settled = corrected
        else:
            unseen = len(wrong) and wrong[-1] >= head.stop  # rows that came since, with values that they have no more
            settled = corrected if unseen and not head.settled else head.settled
            edits = head.edits.joined(edits)
        return Version(dataset.version, first, stop, corrected, survey, tuple(parts), settled, edits), touched

    def _roots(self, parts: Sequence[RowPart], new: Numbers) -> Roots:
        found, there = [], sum(len(part) for part in parts) + len(new)
        for which, (history, values) in enumerate(zip(self._history, (new.x, new.y), strict=True)):

            def again(which: int = which, values: Array = values) -> Iterator[Weighted]:
                for part in parts:
                    for own in (part.order.own, part.order.far_own):
                        yield widen(own[which]), None
                yield widen(values), None
                yield self._lost[which].points

            found.append(history.add(widen(values), there + self._lost[which].rows, again))
        return found[0], found[1]

    def _suiting(self, part: RowPart, roots: Roots, crew: Crew) -> RowPart:
        """The part, sorted anew where its root does not lie within those of all rows, or where it leaves many of its
        rows out that those do not."""
        if all(holds(root, own) for root, own in zip(roots, part.order.roots, strict=True)):
            strays = part.strays(roots) if len(part.order.far) > _MOST_STRAYS and part.order.roots != roots else None
            if strays is None or len(strays[0]) <= _MOST_STRAYS:
                return part
        return remake((part,), roots, crew)

    def _rolled(self, parts: Sequence[RowPart], first: int, dropped: list[Places], crew: Crew) -> list[RowPart]:
        """The parts without the rows before a number, whose places are noted. The oldest part is cut in halves first,
        as long as it is large: so the next time few rows have to be looked at."""
        kept: list[RowPart] = []
        for part in parts:
            if part.first >= first:
                kept.append(part)
                continue
            gone = list(part.numbers_where(lambda rows: rows < first, crew))
            self._lose(gone)
            dropped += gone
            if part.stop <= first:
                continue
            ends: list[RowPart] = []
            left, stop = part, part.stop
            while len(left) * (stop - first) > _EATEN * (left.stop - left.first) and stop - first > 1:
                middle = (first + stop) // 2
                ends.append(without(left, middle, stop, None, crew))
                left, stop = without(left, first, middle, None, crew), middle
            if left is part:
                left = without(part, first, stop, None, crew)
            kept += [each for each in (left, *reversed(ends)) if len(each)]
        return kept

    def _lose(self, gone: Sequence[Places]) -> None:
        for x, y in gone:
            self._lost = self._lost[0].merged(Magnitudes.of(x)), self._lost[1].merged(Magnitudes.of(y))

    def _corrected(self, part: RowPart, wrong: Array, dataset: Dataset, changed: list[Places], crew: Crew) -> RowPart:
        """A part with the new values of its rows among the wrong ones; where these were and are now is noted."""
        rows = wrong[(wrong >= part.first) & (wrong < part.stop)]
        if not len(rows):
            return part
        new = numbers_at(dataset, self.spec, rows, crew)
        changed += [part.numbers_of(rows), (widen(new.x), widen(new.y))]
        return corrected(part, rows, new, dataset, crew)

    def _forget_history(self) -> None:
        spaces = space(self.spec.xaxis, "x"), space(self.spec.yaxis, "y")
        far = self.spec.root == "default"
        self._history = [AxisHistory(each.root, far) for each in spaces]


def _let_go(part: RowPart, used: Sequence[Use]) -> None:
    """Drop what no layer uses of a part, and of what filters keep of it."""
    wanted: set[Hashable] = {each.key for each in used}
    wanted.update(*(each.names for each in used if each.key is None))
    for name, held in list(part.layers.items()):
        if _kind(name) not in wanted:
            part.layers.pop(name, None)
        elif isinstance(held, RowPart):
            _let_go(held, [replace(each, key=None) for each in used if each.key == name])


def _kind(name: Hashable) -> Hashable:
    """A column's name, or what reduction a layer is of, whatever it is added up in."""
    return name[:1] if isinstance(name, tuple) else name


def _survey(parts: Sequence[RowPart], roots: Roots, rows: int) -> Survey:
    """The survey of rows in parts whose roots lie within these."""
    whole, inside = 0, Extent()
    for part in parts:
        whole += part.whole.count
        inside.merge(part.inside)
        strays = part.strays(roots)
        if strays is not None:
            inside.add(*(part.order.far_numbers(which)[strays[0]] for which in (0, 1)))
    return Survey(*roots, rows, inside.count, rows - whole, whole - inside.count, inside.low, inside.high)
