"""A worker's side: brushes over its parts, each with what its own rows add to the targets."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from cachetools import LRUCache

from bigviz.common.errors import Cancelled
from bigviz.data.dataset_slice import DatasetSlice
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.brush.linked import Accumulated, Brushed, Step
from bigviz.tiles.brush.linked_brush import LinkedBrush
from bigviz.tiles.cluster.brushes.brush_facts import asked_of, shape_of
from bigviz.tiles.cluster.lines.part_lines import torn_gaps, torn_runs
from bigviz.tiles.cluster.lines.part_picks import Keys, PartPicks, part_picks
from bigviz.tiles.cluster.messages import Answer, kept_bytes
from bigviz.tiles.cluster.question import Question
from bigviz.tiles.engine import Engine
from bigviz.tiles.series.m4 import Picks

__all__ = ["PartBrushes"]

_CLOSED: Final = 4096  # that are remembered
_KEPT: Final = 64  # brushes: one whose server has gone is never closed, and one that is asked for again is made anew


@dataclass
class _Held:
    """A brush over a part, and what its targets show."""

    brush: LinkedBrush
    targets: list[Any]
    lock: threading.Lock = field(default_factory=threading.Lock)


class PartBrushes:
    """Safe to use from any number of threads. A question tells all that a brush is of, so one that is not there, since
    another worker had it, is made."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held: OrderedDict[tuple[str, str], _Held] = OrderedDict()
        self._closed: LRUCache[tuple[str, str], None] = LRUCache(_CLOSED)  # a question may come after the last word
        self._lock = threading.Lock()

    @property
    def questions(self) -> dict[str, Callable[[Question], Answer]]:
        """What is answered here, by the names of questions."""
        return {"brush": self._answer, "brush_close": self._close}

    def forget(self, fingerprint: str) -> None:
        """Close the brushes over a part."""
        with self._lock:
            gone = [self._held.pop(key) for key in list(self._held) if key[0] == fingerprint]
        for each in gone:
            each.brush.close()

    def _answer(self, asked: Question) -> Answer:
        key = asked.part.fingerprint, asked.head["ident"]
        asked.crew.cancel.check()
        held = self._find(key, asked.part, asked.head["brush"])
        try:
            return self._step(held, asked)
        except Cancelled:
            asked.crew.cancel.check()
            self._drop(key, held)  # it was closed meanwhile
            return self._answer(asked)
        except BaseException:
            self._drop(key, held)  # who asks again begins anew
            raise

    def _step(self, held: _Held, asked: Question) -> Answer:
        """What a brush has after it was moved, or nothing where it is waited for."""
        do, cancel, shape = asked.head["do"], asked.crew.cancel, shape_of(asked.head["shape"])
        with held.lock:
            wanted = asked.head["brush"]["targets"]
            if wanted != held.targets:
                targets = asked_of(asked.head["brush"]).targets
                for number, told in enumerate(wanted):
                    if told != held.targets[number]:
                        held.brush.retarget(number, targets[number], cancel)
                        held.targets[number] = told
        if do in ("begin", "wait"):
            held.brush.wait(cancel, do == "wait")
            return Answer({"ready": held.brush.ready})
        if do == "count":
            held.brush.count_blocks(cancel)
            return Answer({"ready": held.brush.ready})
        if do == "line":  # more about some columns of a line, of which a step has told already
            more = asked.head["line"]
            found = held.brush.line(more["target"], shape, cancel)
            return (torn_gaps if more["ask"] == "line_gaps" else torn_runs)(found.part, found.bounds, more)
        step = held.brush.move(shape, cancel)
        return _step_answer(held.brush.settle(cancel) if do == "settle" else step)

    def _find(self, key: tuple[str, str], part: DatasetSlice, facts: Mapping[str, Any]) -> _Held:
        gone: _Held | None = None
        with self._lock:
            if key in self._closed:
                raise Cancelled()
            found = self._held.get(key)
            if found is None:
                asked = asked_of(facts)
                brush = self._engine.brush_of_part(part, asked.source, asked.targets, asked.others, part.offset)
                found = self._held[key] = _Held(brush, list(facts["targets"]))
            self._held.move_to_end(key)
            if len(self._held) > _KEPT:
                _, gone = self._held.popitem(last=False)
        if gone is not None:
            gone.brush.close()
        return found

    def _drop(self, key: tuple[str, str], held: _Held) -> None:
        with self._lock:
            if self._held.get(key) is held:
                del self._held[key]
        held.brush.close()

    def _close(self, asked: Question) -> Answer:
        key = asked.part.fingerprint, asked.head["ident"]
        with self._lock:
            self._closed[key] = None
            found = self._held.pop(key, None)
        if found is not None:
            found.brush.close()
        return Answer({})


def _step_answer(step: Step) -> Answer:
    """A step of a part's brush."""
    targets, bodies = [], []
    for each in step.targets:
        head, own = _line_told(each) if each.accumulated is None else _cells_told(each.accumulated)
        targets.append({"exact": each.exact, "share": each.share, "bodies": len(own), **head})
        bodies += own
    cost = [step.cost.kernel_us, step.cost.encode_us, step.cost.rows, step.cost.bytes]
    return Answer({"targets": targets, "rows": step.rows, "exact": step.exact, "cost": cost}, bodies)


def _cells_told(told: Accumulated) -> tuple[dict[str, Any], list[bytes]]:
    """A target of cells as JSON and bytes."""
    kept = [[len(each.values), len(each.others)] for each in told.kept]
    size = [told.planes, told.width, told.height]
    return {"size": size, "dtype": told.dtype.str, "kept": kept}, [kept_bytes(each) for each in told.kept]


def _line_told(brushed: Brushed) -> tuple[dict[str, Any], list[bytes]]:
    """A line as JSON and bytes: what its part picks of the rows in the brush."""
    picks = _picks_of(brushed.columns) if brushed.line is None else part_picks(brushed.line.part, brushed.line.bounds)
    head, body = picks.told()
    return {"picks": head}, [body]


def _picks_of(columns: Columns | None) -> PartPicks:
    """What a part without gaps picks."""
    assert columns is not None
    nothing = Keys(columns.x[:0], columns.row[:0])
    picks = Picks(columns.column, columns.run, columns.row, columns.x, columns.y, columns.column[:0], len(columns.row))
    return PartPicks(picks, columns.column[:0], nothing, nothing)
