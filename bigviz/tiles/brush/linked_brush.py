"""A brush as a server holds it: prepared in the background, moved over a sample until then, and then over all rows.

Where memory does not hold what lies beside the rows, each step is an estimate, and a brush that rests is exact by a
pass over the table.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, TypeGuard

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput, Cancelled, TooLarge, Unreadable
from bigviz.common.threads.few_at_a_time import Signal
from bigviz.tiles.brush.asked import Asked, moving_brush
from bigviz.tiles.brush.block_counting import BlockCounting
from bigviz.tiles.brush.brush import MovingBrush, State
from bigviz.tiles.brush.linked import BoxSource, LineInBrush, LineTarget, OtherBrush, RasterTarget, Source, Step, Target
from bigviz.tiles.brush.orders.shapes import Shape
from bigviz.tiles.brush.passing import passed
from bigviz.tiles.brush.prepare import check_source, check_target, prepare_order, prepare_target
from bigviz.tiles.brush.prepared import Prepared
from bigviz.tiles.brush.some_rows import SAMPLED, sample_of

__all__ = ["LinkedBrush", "linked_brush"]

_LOOK: Final = 0.005
_LAYERED: Final = (BoxSource, RasterTarget, LineTarget)
_FEW: Final = 2  # samples: a table of no more rows is in order as soon as a sample is read


class LinkedBrush:
    """See `bigviz.tiles.interface.Brush`."""

    def __init__(self, asked: Asked, prepared: Prepared) -> None:
        self._asked, self._prepared = asked, prepared
        self._exact: MovingBrush | None = None
        self._rough: MovingBrush | None = None
        self._error: BaseException | None = None
        self._too_large = False
        self._shape: Shape | None = None
        self._some, self._ready = Signal(), Signal()
        self._closed = prepared.crew.cancel
        self._counting = BlockCounting(asked.source, prepared)
        self._lock = threading.Lock()

    @property
    def ready(self) -> bool:
        return self._exact is not None

    @property
    def prepared(self) -> bool:
        return self._ready.is_set()

    @property
    def nbytes(self) -> int:
        """Bytes of memory of the targets' cells."""
        return sum(each.nbytes for each in (self._exact, self._rough) if each is not None)

    def wait(self, cancel: Cancel = NEVER, ready: bool = True) -> None:
        self._await(self._ready if ready else self._some, cancel)

    def tell(self, told: Callable[[], object]) -> None:
        self._some.tell(told)

    def move(self, shape: Shape | None, cancel: Cancel = NEVER) -> Step:
        if shape is not None:
            shape.check()
        self._shape = shape
        self._await(self._some, cancel)
        with self._answering():
            exact = self._exact
            step = self._guess(shape, cancel) if exact is None else exact.move(shape, cancel)
        if exact is not None:
            self._counting.after(step, exact)
        return step

    def settle(self, cancel: Cancel = NEVER) -> Step:
        self._await(self._ready, cancel)
        exact, shape = self._exact, self._shape
        if exact is not None:
            with self._answering():
                exact.move(shape, cancel)
                return exact.settle(cancel)
        return passed(self._asked, self._prepared, shape, self._guess(shape, cancel), cancel)

    def retarget(self, number: int, target: Target, cancel: Cancel = NEVER) -> Step:
        asked = self._asked
        if not 0 <= number < len(asked.targets):
            raise BadInput(f"targets are 0 to {len(asked.targets) - 1}, got {number}", "target", number)
        check_target(self._prepared.dataset, target)
        self._counting.stop()
        self._await(self._ready, cancel)
        exact = self._exact
        if exact is None:
            return self._rough_again(number, target, cancel)
        if _is_zoomed(target, asked.targets[number]):
            with self._answering():
                step = exact.replace(number, target, cancel)
        else:
            prepared = replace(self._prepared, crew=replace(self._prepared.crew, cancel=cancel))
            order = prepare_order(asked.source, prepared)
            rows = prepare_target(target, asked.source, order, prepared, prepared.crew.threads, asked.ranges)
            with self._answering():
                step = exact.retarget(number, State(target, rows, asked.spared(number)), cancel)
        self._asked = self._with(number, target)
        return step

    def line(self, number: int, shape: Shape | None, cancel: Cancel = NEVER) -> LineInBrush:
        """All rows of a line in its window under a brush; before it is ready, those of the sample."""
        self._await(self._some, cancel)
        with self._answering():
            moving = self._exact or self._rough
            if moving is None:
                raise Cancelled()
            return moving.line(number, shape, cancel)

    def count_blocks(self, cancel: Cancel = NEVER) -> None:
        self._await(self._ready, cancel)
        if self._exact is not None:
            self._counting.count(self._exact, cancel)

    def close(self) -> None:
        self._closed.cancel()
        self._counting.stop()
        with self._lock:
            moving, self._exact, self._rough = (self._exact, self._rough), None, None
        for each in moving:
            if each is not None:
                each.close()
        for waited_for in (self._some, self._ready):
            waited_for.set()

    def begin(self) -> None:
        """Have it prepared in the background: first its sample, unless the table has few rows."""
        is_small = self._prepared.dataset.num_rows <= _FEW * SAMPLED
        self._prepared.behind.quick.begin(self._prepare_all if is_small else self._prepare_some, self._closed.cancel)

    def _prepare_some(self) -> None:
        """Make the sample; or all that it needs, where another brush has had the same."""
        if self._finds_all():
            return
        with self._prepares():
            self._keep_rough(self._sampled(self._asked))
            self._some.set()
            self._prepared.behind.columns.begin(self._prepare_all, self._closed.cancel)

    def _finds_all(self) -> bool:
        """Whether all that it needs is there, and is used."""
        asked = self._asked
        if not asked.ranges or any(isinstance(each, LineTarget) for each in asked.targets):
            return False  # which take a pass over the rows
        try:
            made = moving_brush(asked, replace(self._prepared, only_kept=True), self._prepared.crew.threads)
        except Exception:  # NotKept, or what preparing it raises too
            return False
        self._keep_exact(made)
        return True

    def _prepare_all(self) -> None:
        """Make what it needs."""
        with self._prepares():
            self._keep_exact(moving_brush(self._asked, self._prepared, self._prepared.crew.threads))

    def _keep_exact(self, made: MovingBrush) -> None:
        with self._lock:
            self._exact = made
        self._some.set()
        self._ready.set()
        if self._closed.cancelled:
            self.close()

    @contextmanager
    def _prepares(self) -> Iterator[None]:
        """While something is made: if that fails, who waits is told."""
        try:
            self._closed.check()
            yield
            return
        except TooLarge as error:
            self._error = None if self._rough is not None else error
        except Unreadable as error:
            self._error = self._mended(error)
        except BaseException as error:
            self._error = error
        self._some.set()
        self._ready.set()
        if self._closed.cancelled:
            self.close()

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """For one answer, builds make way; if a store turns out to be damaged, the brush has to begin again."""
        try:
            with self._prepared.layers.request():
                yield
        except Unreadable as error:
            self._error = self._mended(error)
            raise self._error from error

    def _mended(self, error: Unreadable) -> Unreadable:
        """The error as a client sees it; a damaged store is removed."""
        layers = [each.layer for each in (self._asked.source, *self._asked.targets) if isinstance(each, _LAYERED)]
        for layer in layers:
            mended = self._prepared.layers.mended(self._prepared.dataset, layer, error)
            if mended is not error:
                return mended
        return error

    def _sampled(self, asked: Asked) -> MovingBrush:
        """The brush over a sample."""
        rough = moving_brush(asked, sample_of(self._prepared, asked.names(self._prepared)), 1)
        rough.scale(self._prepared.dataset.num_rows / SAMPLED)
        return rough

    def _keep_rough(self, made: MovingBrush) -> None:
        with self._lock:
            self._rough = made

    def _guess(self, shape: Shape | None, cancel: Cancel) -> Step:
        """A step over the sample, multiplied up."""
        rough = self._rough
        if rough is None:
            raise Cancelled()
        step, rows = rough.move(shape, cancel), self._prepared.dataset.num_rows
        targets = [replace(each, exact=False, share=SAMPLED / rows) for each in step.targets]
        return replace(step, targets=targets, rows=round(step.rows * rows / SAMPLED), of=rows, exact=False)

    def _rough_again(self, number: int, target: Target, cancel: Cancel) -> Step:
        rough, asked = self._rough, self._with(number, target)
        if rough is not None and _is_zoomed(target, self._asked.targets[number]):
            rough.replace(number, target, cancel)
        else:
            self._keep_rough(self._sampled(asked))
            if rough is not None:
                rough.close()
        self._asked = asked
        return self._guess(self._shape, cancel)

    def _with(self, number: int, target: Target) -> Asked:
        targets = (*self._asked.targets[:number], target, *self._asked.targets[number + 1 :])
        return replace(self._asked, targets=targets)

    def _await(self, event: Signal, cancel: Cancel) -> None:
        """Wait until it is prepared so far. Raises what preparing it did, and Cancelled once it is closed."""
        while not event.wait(_LOOK):
            cancel.check()
        if self._error is not None:
            raise self._error
        self._closed.check()


def _is_zoomed(target: Target, before: Target) -> TypeGuard[LineTarget]:
    """Whether a target is the line that it was, in another window."""
    return isinstance(target, LineTarget) and isinstance(before, LineTarget) and target.layer == before.layer


def linked_brush(
    source: Source, targets: Sequence[Target], others: Sequence[OtherBrush], prepared: Prepared
) -> LinkedBrush:
    """Begin a brush. Raises BadInput, NotFound or Unplottable for what the dataset does not have."""
    check_source(prepared.dataset, source)
    for target in targets:
        check_target(prepared.dataset, target)
    for other in others:
        check_source(prepared.dataset, other.source)
        other.shape.check()
    brush = LinkedBrush(Asked(source, tuple(targets), tuple(others)), prepared)
    brush.begin()
    return brush
