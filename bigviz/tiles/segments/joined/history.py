"""The values of each level of a layer from one version to the next: looked for once, then kept up with the rows that
came and went, where somebody asks for them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.picture_cells import PRESENCE, picture_cells
from bigviz.common.cancel import Cancel, locked
from bigviz.render.level_values import LevelValues
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.segments.joined.count_level import Change, CountLevel
from bigviz.tiles.segments.joined.keyed_rows import KeyedRows, keyed_rows, keys_between
from bigviz.tiles.segments.joined.levels import joined_levels
from bigviz.tiles.segments.joined.value_level import KeptTally, ValueLevel
from bigviz.tiles.segments.part_layer import PartLayer
from bigviz.tiles.segments.row_part import Roots

__all__ = ["LevelHistory", "VersionRows"]

Array = npt.NDArray[Any]

_LEAST_NOTED: Final = 1 << 14  # rows that came and went, of which is noted where they lie
_NOTED: Final = 16  # and of larger tables one row in so many: looking at more takes as long as looking at all


@dataclass(frozen=True, eq=False)
class VersionRows:
    """The rows of a version, as `Version` tells them, in the parts of a layer. `inputs` has no columns."""

    number: int
    first: int
    stop: int
    corrected: int
    roots: Roots
    parts: tuple[PartLayer, ...]
    inputs: Inputs


class LevelHistory:
    """The levels of a layer over versions. Safe to use from any threads.

    Of a level that somebody has asked for, each later version takes as long as the rows that have come and gone since:
    about a microsecond each. A version with corrected rows, or under other roots, is looked at as a whole again, and
    older versions than the newest one too.
    """

    def __init__(self) -> None:
        self._now: VersionRows | None = None
        self._states: dict[int, tuple[int, CountLevel | ValueLevel]] = {}  # and which step they are of
        self._steps: deque[tuple[Array, Array]] = deque()  # the keys of what came and of what went, the newest last
        self._step = 0  # the number of the newest
        self._sources: dict[int, tuple[PartLayer, tuple[KeyedRows, ...]]] = {}
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes held, beside those of the parts."""
        states, steps, sources = list(self._states.values()), list(self._steps), list(self._sources.values())
        size = sum(state.nbytes for _, state in states) + sum(keys.nbytes for step in steps for keys in step)
        return size + sum(rows.nbytes for _, held in sources for rows in held)

    def follow(self, rows: VersionRows) -> None:
        """A version is there: notes how it differs from the one before, unless somebody is looking at that."""
        if self._states and self._lock.acquire(blocking=False):
            try:
                self._follow(rows)
            finally:
                self._lock.release()

    def level(self, rows: VersionRows, level: int, cancel: Cancel) -> dict[int, LevelValues]:
        """The values of a level of a version, by level: of other levels too where all were looked at. Raises
        Cancelled."""
        if picture_cells(rows.inputs.reduction) == PRESENCE:
            ones = np.ones(1, np.int64)
            return {level: LevelValues(ones, ones)}
        with locked(self._lock, cancel):
            self._follow(rows)
            state = self._state(level, cancel) if self._now is not None and self._now.number == rows.number else None
            return {level: state.values()} if state is not None else self._whole(rows, cancel)

    def _state(self, level: int, cancel: Cancel) -> CountLevel | ValueLevel | None:
        """A level of the newest version; None where it is not known any more."""
        now = self._now
        step, state = self._states.get(level, (0, None))
        if now is None or state is None or step == self._step:
            return state
        steps = list(self._steps)[step - self._step :]
        added, gone = (np.concatenate(each) for each in zip(*steps, strict=True))
        found = state.after(Change(added, gone, [*self._rows(now, cancel)], now.inputs, cancel))
        if found is None:
            del self._states[level]
        else:
            self._states[level] = self._step, found
        self._trim(len(self._steps))
        return found

    def _rows(self, now: VersionRows, cancel: Cancel) -> Iterator[KeyedRows]:
        for part in now.parts:
            cancel.check()
            found = self._sources.get(id(part))
            if found is None:
                found = self._sources[id(part)] = part, keyed_rows(part, now.roots)
            yield from found[1]

    def _whole(self, rows: VersionRows, cancel: Cancel) -> dict[int, LevelValues]:
        """All levels, for which all rows are looked at."""
        tally = KeptTally()
        found = joined_levels(rows.parts, rows.roots, rows.inputs, tally, cancel)
        if self._now is None or rows.number >= self._now.number:
            counts = rows.inputs.reduction.traits.counts
            self._forget()
            self._now = rows
            for level, values in enumerate(found):
                self._states[level] = self._step, CountLevel(level, values) if counts else tally.state(level)
        return dict(enumerate(found))

    def _follow(self, rows: VersionRows) -> None:
        before = self._now
        if before is None or rows.number <= before.number:
            return
        step = _difference(before, rows)
        if step is None:
            self._forget()
            return
        self._now = rows
        if len(step[0]) or len(step[1]):
            self._steps.append(step)
            self._step += 1
        there = {id(part) for part in rows.parts}
        self._sources = {name: held for name, held in self._sources.items() if name in there}
        most = max(_LEAST_NOTED, sum(len(part.part) for part in rows.parts) // _NOTED)
        kept = len(self._steps)
        while sum(len(keys) for each in list(self._steps)[len(self._steps) - kept :] for keys in each) > most:
            kept -= 1
        self._trim(kept)

    def _trim(self, most: int) -> None:
        """Let go of steps beyond so many, of the levels that need them, and of those that no level needs."""
        self._states = {level: each for level, each in self._states.items() if each[0] >= self._step - most}
        if not self._states:
            self._forget()
            return
        needed = self._step - min(step for step, _ in self._states.values())
        while len(self._steps) > needed:
            self._steps.popleft()

    def _forget(self) -> None:
        self._now = None
        self._states.clear()
        self._steps.clear()
        self._sources.clear()


def _difference(before: VersionRows, after: VersionRows) -> tuple[Array, Array] | None:
    """The keys of the rows that came and of those that went; None where others may have changed, or their keys."""
    old, new = before.inputs, after.inputs
    labels = old.labels or ()
    if (before.corrected, before.roots, old.dtype, old.own) != (after.corrected, after.roots, new.dtype, new.own):
        return None
    if labels != (new.labels or ())[: len(labels)]:
        return None
    same = {id(part) for part in before.parts} & {id(part) for part in after.parts}
    added, gone = ([np.empty(0, np.uint64)] for _ in range(2))
    for part in after.parts:
        if id(part) not in same and part.part.stop > before.stop:
            added.append(keys_between(part, after.roots, max(before.stop, after.first), after.stop))
    for part in before.parts:
        if id(part) not in same and part.part.first < after.first:
            gone.append(keys_between(part, after.roots, before.first, min(after.first, before.stop)))
    return np.concatenate(added), np.concatenate(gone)
