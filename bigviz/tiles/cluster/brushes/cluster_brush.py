"""A brush over a table that workers hold: each moves one over its part, and what their rows add to targets is added up.

A worker that is lost has its part taken over by another one, which begins the brush anew. Until it has, moves are
answered by the others, as estimates that name their share; a brush that rests waits for all.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np

from bigviz.aggregate.inputs import bound
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.parse import parse
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput, Cancelled
from bigviz.common.threads.few_at_a_time import FewAtATime, Signal
from bigviz.common.workers import Crew
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.dataset import Dataset
from bigviz.tiles.brush.asked import Asked
from bigviz.tiles.brush.linked import LineTarget, OtherBrush, RasterTarget, Source, Step, Target
from bigviz.tiles.brush.orders.shapes import Shape
from bigviz.tiles.brush.prepare import check_source, check_target, names_of
from bigviz.tiles.cluster.brushes.added_targets import Added, AddedLine, added_step
from bigviz.tiles.cluster.brushes.added_targets import Asked as AskedParts
from bigviz.tiles.cluster.brushes.brush_facts import asked_facts, shape_facts
from bigviz.tiles.cluster.cluster_maker import ClusterMaker
from bigviz.tiles.cluster.messages import Answer, layer_facts
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.cluster.workers import Moved, Workers

__all__ = ["ClusterBrush", "cluster_brush"]

_LOOK: Final = 0.005  # seconds between two looks at flags
_WAIT: Final = 0.05  # seconds between two looks for workers where all were lost


@dataclass(frozen=True)
class _Learnt:
    """What follows from all rows: the brush as JSON with their roots, the categories whose labels workers need, and
    what the parts' targets are added up in."""

    asked: Asked
    facts: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    targets: Sequence[Added | AddedLine] = ()


class ClusterBrush:
    """See `bigviz.tiles.interface.Brush`."""

    def __init__(self, dataset: Dataset, asked: Asked, workers: Workers, maker: ClusterMaker, threads: int) -> None:
        self._dataset, self._workers, self._maker = dataset, workers, maker
        self._learnt = _Learnt(asked)
        self._closed = Cancel()
        self._crew = Crew(threads, cancel=self._closed)
        self._ident = workers.next_ident()
        self._shape: Shape | None = None
        self._error: BaseException | None = None
        self._known, self._some, self._all = Signal(), Signal(), Signal()
        self._found = threading.Event()
        self._ready_parts: dict[Part, int] = {}
        self._lock = threading.Lock()
        self._preparing = False

    @property
    def ready(self) -> bool:
        return self._all.is_set() and self._error is None and not self._missing()

    @property
    def prepared(self) -> bool:
        return self._all.is_set()

    def wait(self, cancel: Cancel = NEVER, ready: bool = True) -> None:
        self._await(self._all if ready else self._some, cancel)

    def tell(self, told: Callable[[], object]) -> None:
        self._some.tell(told)

    def move(self, shape: Shape | None, cancel: Cancel = NEVER) -> Step:
        if shape is not None:
            shape.check()
        self._shape = shape
        self._await(self._some, cancel)
        while True:
            parts, missing = self._parts(), set(self._missing())
            if missing:
                self._prepare_parts()
            there = [part for part in parts if part not in missing]
            if not there:  # all workers were lost
                cancel.check()
                self._check()
                self._found.clear()
                self._found.wait(_WAIT)
                continue
            try:
                return self._step("move", shape, there, cancel, dict(self._ready_parts))
            except Moved:
                continue

    def settle(self, cancel: Cancel = NEVER) -> Step:
        self._await(self._known, cancel)
        return self._step("settle", self._shape, self._parts(), cancel, None)

    def retarget(self, number: int, target: Target, cancel: Cancel = NEVER) -> Step:
        before = self._learnt.asked
        if not 0 <= number < len(before.targets):
            raise BadInput(f"targets are 0 to {len(before.targets) - 1}, got {number}", "target", number)
        check_target(self._dataset, target)
        self._await(self._all, cancel)
        before = self._learnt.asked
        targets = (*before.targets[:number], target, *before.targets[number + 1 :])
        self._learn(replace(before, targets=targets), replace(self._crew, cancel=cancel))
        return self.move(self._shape, cancel)

    def count_blocks(self, cancel: Cancel = NEVER) -> None:
        self._await(self._all, cancel)
        self._ask(self._learnt, "count", self._shape, self._parts(), cancel, None)

    def close(self) -> None:
        self._closed.cancel()
        self._fail(Cancelled())
        self._workers.begin(self._close_parts())

    def prepare(self) -> None:
        """Learn what follows from all rows, and have parts make what they need; no thread waits for that."""
        try:
            self._closed.check()
            self._learn(self._learnt.asked, self._crew)
            self._known.set()
        except BaseException as error:
            self._fail(error)
            return
        self._prepare_parts()

    def _learn(self, asked: Asked, crew: Crew) -> None:
        """Find the roots, labels and types of all rows."""
        dataset, maker = self._dataset, self._maker
        of = (asked.source, *asked.targets, *(each.source for each in asked.others))
        names = sorted(set().union(*(names_of(each, dataset) for each in of)))
        labels = maker.find_labels(dataset, names, crew)

        def told(layer: Layer) -> Mapping[str, Any]:
            return layer_facts(layer.bound(dataset), maker.roots(dataset, layer.bound(dataset), crew))

        targets = [self._added(target, crew) for target in asked.targets]
        self._learnt = _Learnt(asked, asked_facts(asked, told), labels, targets)

    def _added(self, target: Target, crew: Crew) -> Added | AddedLine:
        dataset = self._dataset
        if isinstance(target, LineTarget):
            return AddedLine(target, self._maker.prepared(dataset, target.layer.bound(dataset), crew).axes)
        if isinstance(target, RasterTarget):
            reduction = target.layer.bound(dataset).reduction
        else:
            reduction = bound(parse(target.agg), dataset)
        return Added(target, reduction, self._dtype(reduction, crew))

    def _dtype(self, reduction: Reduction, crew: Crew) -> np.dtype[Any]:
        name = reduction.plane.column or reduction.column
        if name is None:
            return np.dtype(np.uint32)
        own = axis_dtype(self._dataset.info(name).type)
        extremes = partial(self._maker.bounds, self._dataset, name, crew)
        return reduction.accumulator_of(own, self._dataset.num_rows, extremes)

    def _prepare_parts(self) -> None:
        """Have parts make what they need, unless that is under way."""
        with self._lock:
            if self._preparing or self._closed.cancelled:
                return
            self._preparing = True
        self._workers.begin(self._prepare_missing())

    async def _prepare_missing(self) -> None:
        def note(part: Part, epoch: int, answer: Answer) -> None:
            self._ready_parts[part] = epoch
            for event in (self._some, self._found):
                event.set()

        try:
            while missing := self._missing():
                await self._answers("begin", missing, note)
            await self._answers("wait", self._parts(), None)
            self._all.set()
        except asyncio.CancelledError:
            self._fail(Cancelled())
            raise
        except BaseException as error:
            self._fail(error)
        finally:
            with self._lock:
                self._preparing = False

    async def _answers(
        self, do: str, parts: Sequence[Part], answered: Callable[[Part, int, Answer], None] | None
    ) -> None:
        self._closed.check()
        asked, ident = self._asked(self._learnt, do, self._shape), self._workers.next_ident()
        await self._workers.answers(parts, asked, ident, self._closed, answered, None)

    def _fail(self, error: BaseException) -> None:
        self._error = error
        for event in (self._known, self._some, self._all):
            event.set()

    def _parts(self) -> tuple[Part, ...]:
        return self._workers.parts_of(self._dataset)

    def _missing(self) -> list[Part]:
        """The parts whose brushes are not there yet, or were lost."""
        held = ((part, self._workers.holder(part)) for part in self._parts())
        return [part for part, holder in held if holder is None or holder[1] != self._ready_parts.get(part)]

    def _step(
        self,
        do: str,
        shape: Shape | None,
        parts: Sequence[Part],
        cancel: Cancel,
        expected: Mapping[Part, int] | None,
    ) -> Step:
        learnt = self._learnt  # answers are of these targets, whatever another thread does meanwhile
        every = self._parts()
        answers = self._ask(learnt, do, shape, parts, cancel, expected)

        def more(line: Mapping[str, Any]) -> list[Answer]:
            return self._ask(learnt, "line", shape, parts, cancel, expected, line=line)

        return added_step(learnt.targets, answers, AskedParts(parts, every, more), cancel)

    def _ask(
        self,
        learnt: _Learnt,
        do: str,
        shape: Shape | None,
        parts: Sequence[Part],
        cancel: Cancel,
        expected: Mapping[Part, int] | None,
        line: Mapping[str, Any] | None = None,
    ) -> list[Answer]:
        """What parts answer, each in one message. Raises Cancelled once the brush is closed."""
        self._closed.check()
        asked = {**self._asked(learnt, do, shape), "line": line}
        return self._workers.ask(parts, asked, cancel, None, expected)

    def _asked(self, learnt: _Learnt, do: str, shape: Shape | None) -> dict[str, Any]:
        told = {"brush": learnt.facts, "labels": learnt.labels}
        return {"ask": "brush", "ident": self._ident, "do": do, "shape": shape_facts(shape), **told}

    async def _close_parts(self) -> None:
        asked, ident = {"ask": "brush_close", "ident": self._ident}, self._workers.next_ident()
        held = {part: holder[1] for part in self._parts() if (holder := self._workers.holder(part)) is not None}
        calls = [self._workers.answers([part], asked, ident, NEVER, None, held) for part in held]
        await asyncio.gather(*calls, return_exceptions=True)  # a worker that is gone has no brush

    def _await(self, event: Signal, cancel: Cancel) -> None:
        """Wait until it is prepared so far. Raises what preparing it did, and Cancelled once it is closed."""
        while not event.wait(_LOOK):
            cancel.check()
            self._closed.check()
        self._check()

    def _check(self) -> None:
        self._closed.check()
        if self._error is not None:
            raise self._error


def cluster_brush(
    dataset: Dataset,
    source: Source,
    targets: Sequence[Target],
    others: Sequence[OtherBrush],
    workers: Workers,
    maker: ClusterMaker,
    threads: int,
    behind: FewAtATime,
) -> ClusterBrush:
    """Begin a brush. Raises BadInput, NotFound or Unplottable for what the dataset does not have."""
    check_source(dataset, source)
    for target in targets:
        check_target(dataset, target)
    for other in others:
        check_source(dataset, other.source)
        other.shape.check()
    brush = ClusterBrush(dataset, Asked(source, tuple(targets), tuple(others)), workers, maker, threads)
    behind.begin(brush.prepare, brush.close)
    return brush
