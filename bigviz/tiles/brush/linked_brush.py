"""A brush as a server holds it: prepared behind, and moved as soon as it is."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.daemon_thread import start_daemon
from bigviz.common.errors import BadInput, Cancelled
from bigviz.tiles.brush.brush import MovingBrush, State
from bigviz.tiles.brush.linked import LineTarget, OtherBrush, Source, Step, Target
from bigviz.tiles.brush.orders.shapes import Shape
from bigviz.tiles.brush.others import failed_rows
from bigviz.tiles.brush.prepare import Prepared, check_source, check_target, prepare_order, prepare_target

__all__ = ["LinkedBrush", "linked_brush"]

_LOOK: Final = 0.005


@dataclass(frozen=True)
class _Asked:
    """What a brush is of."""

    source: Source
    others: tuple[OtherBrush, ...]
    prepared: Prepared


class LinkedBrush:
    """See `bigviz.tiles.interface.Brush`."""

    def __init__(self, asked: _Asked, targets: Sequence[Target]) -> None:
        self._asked = asked
        self._targets = list(targets)
        self._moving: MovingBrush | None = None
        self._error: BaseException | None = None
        self._ready = threading.Event()
        self._closed = asked.prepared.crew.cancel

    @property
    def ready(self) -> bool:
        return self._ready.is_set() and self._error is None

    @property
    def nbytes(self) -> int:
        moving = self._moving
        return 0 if moving is None else moving.nbytes

    def wait(self, cancel: Cancel = NEVER) -> None:
        self._made(cancel)

    def move(self, shape: Shape | None, cancel: Cancel = NEVER) -> Step:
        if shape is not None:
            shape.check()
        return self._made(cancel).move(shape, cancel)

    def settle(self, cancel: Cancel = NEVER) -> Step:
        return self._made(cancel).settle(cancel)

    def retarget(self, number: int, target: Target, cancel: Cancel = NEVER) -> Step:
        if not 0 <= number < len(self._targets):
            raise BadInput(f"targets are 0 to {len(self._targets) - 1}, got {number}", "target", number)
        prepared = self._asked.prepared
        check_target(prepared.dataset, target)
        moving, before = self._made(cancel), self._targets[number]
        if isinstance(target, LineTarget) and isinstance(before, LineTarget) and target.layer == before.layer:
            step = moving.replace(number, target)
        else:
            spared = moving.state(number).spared
            step = moving.retarget(number, self._state(target, spared, cancel), cancel)
        self._targets[number] = target
        return step

    def close(self) -> None:
        self._closed.cancel()
        moving, self._moving = self._moving, None
        if moving is not None:
            moving.close()

    def prepare(self) -> None:
        """Make what it needs; called in a thread of its own."""
        try:
            self._moving = self._prepared()
        except BaseException as error:
            self._error = error
        self._ready.set()
        if self._closed.cancelled:
            self.close()

    def _prepared(self) -> MovingBrush:
        asked = self._asked
        prepared = asked.prepared
        order = prepare_order(asked.source, prepared)
        others = [(prepare_order(other.source, prepared), other.shape) for other in asked.others]
        spared = [
            sum(1 << bit for bit, other in enumerate(asked.others) if number in other.spares)
            for number in range(len(self._targets))
        ]
        states = [
            self._state(target, bits, prepared.crew.cancel) for target, bits in zip(self._targets, spared, strict=True)
        ]
        failed = failed_rows(order, others, prepared.crew)
        return MovingBrush(order, states, failed, prepared.crew.threads)

    def _state(self, target: Target, spared: int, cancel: Cancel) -> State:
        prepared = replace(self._asked.prepared, crew=replace(self._asked.prepared.crew, cancel=cancel))
        order = prepare_order(self._asked.source, prepared)
        rows = prepare_target(target, self._asked.source, order, prepared, prepared.crew.threads)
        return State(target, rows, spared)

    def _made(self, cancel: Cancel) -> MovingBrush:
        """The brush, once it is prepared. Raises what preparing it did, and Cancelled once it is closed."""
        while not self._ready.wait(_LOOK):
            cancel.check()
        if self._error is not None:
            raise self._error
        if self._moving is None:
            raise Cancelled()
        return self._moving


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
    brush = LinkedBrush(_Asked(source, tuple(others), prepared), targets)
    start_daemon("bigviz-brush", brush.prepare, stop=prepared.crew.cancel.cancel)
    return brush
