"""The values of each level of a layer from one version to the next: looked for once, then kept up with the rows that
came and went, where somebody asks for them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.picture_cells import PRESENCE, picture_cells
from bigviz.common.cancel import NEVER, Cancel, locked
from bigviz.render.level_values import Level, LevelValues
from bigviz.tiles.segments.joined.count_level import Change, CountLevel
from bigviz.tiles.segments.joined.drawn_level import DrawnLevel, drawn_level
from bigviz.tiles.segments.joined.drawn_parts import DrawnParts
from bigviz.tiles.segments.joined.keyed_rows import KeyedRows, keyed_rows
from bigviz.tiles.segments.joined.levels import joined_levels
from bigviz.tiles.segments.joined.value_level import KeptTally, ValueLevel
from bigviz.tiles.segments.joined.version_rows import VersionRows, difference
from bigviz.tiles.segments.part_layer import PartLayer

__all__ = ["LevelHistory"]

Array = npt.NDArray[Any]
State = CountLevel | ValueLevel | DrawnLevel

_LEAST_NOTED: Final = 1 << 14  # rows that came and went, of which is noted where they lie
_NOTED: Final = 16  # and of larger tables one row in so many: looking at more takes as long as looking at all
_WANTED: Final = 16  # versions for which a level is kept up, or held in parts, that nobody asks for
_MOST_WANTED: Final = 4  # levels that are kept up before somebody asks
_MOST_DRAWN: Final = 8  # levels of which parts are held


class LevelHistory:
    """The levels of a layer over versions. Safe to use from any threads.

    Of a level that somebody has asked for, each later version takes as long as the rows that have come and gone since:
    about a microsecond each. Of those asked for lately that is done when the version is made. A version under other
    roots is looked at as a whole again, and older versions than the newest one too.
    """

    def __init__(self) -> None:
        self._now: VersionRows | None = None
        self._states: dict[Level, tuple[int, State]] = {}  # and which step they are of
        self._steps: deque[tuple[Array, Array]] = deque()  # the keys of what came and of what went, the newest last
        self._step = 0  # the number of the newest
        self._sources: dict[int, tuple[PartLayer, tuple[KeyedRows, ...]]] = {}
        self._drawn: dict[Level, DrawnParts] = {}
        self._versions = 0  # that were followed
        self._asked: dict[Level, int] = {}  # at which of them somebody asked for a level last
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes held, beside those of the parts."""
        states, steps, sources = list(self._states.values()), list(self._steps), list(self._sources.values())
        size = sum(state.nbytes for _, state in states) + sum(keys.nbytes for step in steps for keys in step)
        drawn = sum(each.nbytes for each in list(self._drawn.values()))
        return size + drawn + sum(rows.nbytes for _, held in sources for rows in held)

    def follow(self, rows: VersionRows, cancel: Cancel = NEVER) -> dict[Level, LevelValues]:
        """A version is there: notes how it differs from the one before, unless somebody is looking at that. The values
        of the levels that somebody asked for lately, as far as they are known. Raises Cancelled."""
        found: dict[Level, LevelValues] = {}
        if (self._states or self._drawn) and self._lock.acquire(blocking=False):
            try:
                self._follow(rows)
                for level in self._wanted()[:_MOST_WANTED] if self._is_newest(rows) else ():
                    state = self._state(level, cancel)
                    if state is not None:
                        found[level] = state.known
                    elif level in self._drawn and self._drawn[level].are_whole:
                        # There are many new rows: what is known of parts is put together again. A look at all rows that
                        # was given up is not gone on with here: new versions would wait for it.
                        found.update(self._all_drawn(rows, level, cancel))
            finally:
                self._lock.release()
        return found

    def note(self, level: Level) -> None:
        """Somebody asks for a level of the newest version, whose values may be known already. Takes no time."""
        self._asked.pop(level, None)  # so that the order is that of the last time
        self._asked[level] = self._versions

    def level(self, rows: VersionRows, level: Level, cancel: Cancel) -> dict[Level, LevelValues]:
        """The values of a level of a version, by level: of other levels too where all were looked at. Raises
        Cancelled."""
        if picture_cells(rows.inputs.reduction) == PRESENCE:
            ones = np.ones(1, np.int64)
            return {level: LevelValues(ones, ones)}
        with locked(self._lock, cancel):
            self._follow(rows)
            state = None
            if self._now is None or self._is_newest(rows):
                self.note(level)
                state = self._state(level, cancel)
            if state is not None:
                return {level: state.known}
            return self._all_drawn(rows, level, cancel) if rows.draws(level) else self._whole(rows, cancel)

    def _is_newest(self, rows: VersionRows) -> bool:
        return self._now is not None and self._now.number == rows.number

    def _wanted(self) -> list[Level]:
        """The levels that somebody asked for lately, the latest first."""
        asked = self._asked.copy()  # others may note some meanwhile
        return [level for level in reversed(asked) if asked[level] + _WANTED > self._versions]

    def _state(self, level: Level, cancel: Cancel) -> State | None:
        """A level of the newest version; None where it is not known any more."""
        now = self._now
        step, state = self._states.get(level, (0, None))
        if now is None or state is None or isinstance(state, DrawnLevel) != now.draws(level):
            return None
        if step == self._step:
            return state
        steps = list(self._steps)[step - self._step :]
        added, gone = (np.concatenate(each) for each in zip(*steps, strict=True))
        found: State | None
        if isinstance(state, DrawnLevel):
            parts = self._drawn[level].of(now, level, state.floor, cancel)
            found = state.after(np.append(added, gone), parts, now.inputs, cancel)
            if found.is_lost:
                found = None
                del self._drawn[level]
        else:
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

    def _whole(self, rows: VersionRows, cancel: Cancel) -> dict[Level, LevelValues]:
        """All levels of square tiles, for which all rows are looked at."""
        tally = KeptTally()
        found = joined_levels(rows.parts, rows.roots, rows.inputs, tally, cancel)
        counts = rows.inputs.reduction.traits.counts
        for level, values in enumerate(found):
            self._keep(rows, (level, level), CountLevel(level, values) if counts else tally.state(level))
        return {(level, level): values for level, values in enumerate(found)}

    def _all_drawn(self, rows: VersionRows, level: Level, cancel: Cancel) -> dict[Level, LevelValues]:
        """A level of which cells are drawn, for which all rows of parts are looked at that were not looked at yet."""
        if self._now is None or self._is_newest(rows):
            others = [each for each in self._wanted() if each in self._drawn and each != level]
            self._drop(others[_MOST_DRAWN - 1 :])
            parts = self._drawn.setdefault(level, DrawnParts())
        else:
            parts = DrawnParts()
        found = drawn_level(level, parts.of(rows, level, 0, cancel), rows.inputs, cancel)
        self._keep(rows, level, found)
        return {level: found.known}

    def _keep(self, rows: VersionRows, level: Level, state: State) -> None:
        """Keep a level of the newest version."""
        if self._now is None:
            self._now = rows
        if self._is_newest(rows):
            self._states[level] = self._step, state

    def _follow(self, rows: VersionRows) -> None:
        before = self._now
        if before is None or rows.number <= before.number:
            return
        self._versions += 1
        wanted = set(self._wanted())
        self._asked = {level: version for level, version in self._asked.copy().items() if level in wanted}
        self._drop([level for level in self._drawn if level not in wanted or not rows.draws(level)])
        step = difference(before, rows)
        if step is None:
            self._forget()
            return
        self._now = rows
        if len(step[0]) or len(step[1]):
            self._steps.append(step)
            self._step += 1
        there = {id(part) for part in rows.parts}
        self._sources = {name: held for name, held in self._sources.items() if name in there}
        size = 0 if rows.is_drawn else sum(len(part.part) for part in rows.parts)
        most = max(_LEAST_NOTED, size // _NOTED)
        kept = len(self._steps)
        while sum(len(keys) for each in list(self._steps)[len(self._steps) - kept :] for keys in each) > most:
            kept -= 1
        self._trim(kept)

    def _trim(self, most: int) -> None:
        """Let go of steps beyond so many, of the levels that need them, and of those that no level needs."""
        self._states = {level: each for level, each in self._states.items() if each[0] >= self._step - most}
        if not self._states and not self._drawn:
            self._forget()
            return
        needed = self._step - min((step for step, _ in self._states.values()), default=self._step)
        while len(self._steps) > needed:
            self._steps.popleft()

    def _drop(self, levels: list[Level]) -> None:
        """Let go of levels of which cells are drawn."""
        for level in levels:
            del self._drawn[level]
            self._states.pop(level, None)

    def _forget(self) -> None:
        self._now = None
        self._states.clear()
        self._steps.clear()
        self._sources.clear()
        self._drawn.clear()
