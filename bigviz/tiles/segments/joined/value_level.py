"""The values of the cells of a level, kept up with the rows that come and go: a sample that depends on the cells alone,
and those with the lowest and the highest values, of which some may be lost before the others have to be looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.render.level_values import LevelValues
from bigviz.tiles.pyramid.levels import values as sampling
from bigviz.tiles.pyramid.levels.merge_level import LEVELS
from bigviz.tiles.pyramid.levels.summary import finite_values
from bigviz.tiles.pyramid.levels.values import ValueTally, key_zeros, level_of
from bigviz.tiles.segments.joined.cell_splice import distinct, spliced
from bigviz.tiles.segments.joined.count_level import Change
from bigviz.tiles.segments.joined.keyed_rows import shift_of

__all__ = ["KeptTally", "ValueLevel"]

Array = npt.NDArray[Any]

_TIMES: Final = 3  # as many cells are kept as a sample has: half of them may go before all are looked at again
_ENDS: Final = 1 << 10  # cells with the highest values that are kept, and with the lowest; up to twice as many


class _Sample(NamedTuple):
    """Cells by the key of their first row, ascending, with their values and how many zeros end the hash of the key."""

    keys: Array
    values: Array
    zeros: Array

    def of(self, which: Array) -> _Sample:
        """Some of them."""
        return _Sample(*(each[which] for each in self))

    def after(self, cells: Array, now: _Sample, drawn: npt.NDArray[np.bool_], shift: np.uint64) -> _Sample:
        """With what some cells (ascending) are now, of which some are drawn."""
        if not len(self.keys):
            return now.of(drawn)
        places = spliced(self.keys, cells, drawn, shift)
        return _Sample(*(np.concatenate(each)[places] for each in zip(self, now, strict=True)))


@dataclass(frozen=True, eq=False)
class _End:
    """The cells with the highest values, or with the lowest, by the key of their first row. All others are at `bound`
    or beyond it (None: there are none)."""

    is_top: bool
    keys: Array
    values: Array
    bound: Any

    @property
    def is_lost(self) -> bool:
        """Whether it is not known any more how far values go."""
        return self.bound is not None and not len(self.keys)

    @property
    def value(self) -> Any:
        """The farthest value; None without any cell."""
        if not len(self.values):
            return None
        return self.values.max() if self.is_top else self.values.min()

    def may_have(self, values: Array) -> npt.NDArray[np.bool_]:
        """Which values are among these, or may be."""
        if self.bound is None:
            return np.ones(len(values), np.bool_)
        return np.asarray(values >= self.bound if self.is_top else values <= self.bound)

    def joined(self, keys: Array, values: Array) -> _End:
        """With some more."""
        some = self.may_have(values)
        if not some.any():
            return self
        keys, values = _append(self.keys, keys[some]), _append(self.values, values[some])
        if len(keys) <= 2 * _ENDS:
            return _End(self.is_top, keys, values, self.bound)
        order = np.argsort(values, kind="stable")
        kept = order[-_ENDS:] if self.is_top else order[:_ENDS]
        return _End(self.is_top, keys[kept], values[kept], values[kept[0] if self.is_top else kept[-1]])

    def without(self, cells: Array, shift: np.uint64) -> _End:
        """Without those of some cells (ascending)."""
        own = self.keys >> shift
        places = np.minimum(np.searchsorted(cells, own), len(cells) - 1)
        keep = cells[places] != own
        return _End(self.is_top, self.keys[keep], self.values[keep], self.bound)


class KeptTally(ValueTally):
    """A tally from whose levels later ones can be made."""

    def __init__(self) -> None:
        super().__init__(_TIMES)
        none = np.empty(0, np.uint64), np.empty(0)
        self._ends = [(_End(False, *none, None), _End(True, *none, None)) for _ in range(LEVELS)]

    def tell(self, values: Array, keys: Array, first: Array, last: Array) -> None:
        super().tell(values, keys, first, last)
        if not len(values):
            return
        with self._lock:
            far = np.flatnonzero(self._far(values, first, last))
            values, keys, first, last = (each[far] for each in (values, keys, first, last))
            for level in range(LEVELS):
                here = (first <= level) & (last >= level)
                if here.any():
                    low, high = self._ends[level]
                    some = keys[here], values[here]
                    self._ends[level] = low.joined(*some), high.joined(*some)

    def state(self, level: int) -> ValueLevel:
        """What is known of a level."""
        values, zeros, keys = self.sample(level)
        sample = _Sample(keys, values, zeros).of(np.argsort(keys))
        return ValueLevel(level, self.floor(level), sample, *self._ends[level])

    def _far(self, values: Array, first: Array, last: Array) -> npt.NDArray[np.bool_]:
        """Which values may be among the highest or the lowest of some level."""
        low, high = np.full(LEVELS, np.inf), np.full(LEVELS, -np.inf)
        for level, (lowest, highest) in enumerate(self._ends):
            if lowest.bound is not None:
                low[level] = lowest.bound
            if highest.bound is not None:
                high[level] = highest.bound
        greatest, least = np.empty((LEVELS, LEVELS)), np.empty((LEVELS, LEVELS))
        for level in range(LEVELS):
            greatest[level, level:] = np.maximum.accumulate(low[level:])
            least[level, level:] = np.minimum.accumulate(high[level:])
        found = np.empty(len(values), np.bool_)
        _note_far(frozen(values), frozen(first), frozen(last), greatest, least, found)
        return found


@dataclass(frozen=True, eq=False)
class ValueLevel:
    """The cells of a level whose first keys' hashes end with `floor` zeros or more, and those with the lowest and the
    highest values."""

    level: int
    floor: int
    sample: _Sample
    low: _End
    high: _End

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ends = sum(array.nbytes for end in (self.low, self.high) for array in (end.keys, end.values))
        return sum(array.nbytes for array in self.sample) + ends

    @cached_property
    def known(self) -> LevelValues:
        """The values of the level."""
        ends = self.low.value, self.high.value
        return level_of(self.sample.values, self.sample.zeros, None if ends[0] is None else ends)

    def after(self, change: Change) -> ValueLevel | None:
        """The level after rows came and went; None where too little is left of what was kept. Raises Cancelled."""
        shift = shift_of(self.level)
        cells = distinct(np.concatenate([change.added, change.gone]) >> shift)
        if not len(cells):
            return self
        heads, values, filled = _values_now(change, cells, self.level)
        low, high = (end.without(cells, shift).joined(heads[filled], values[filled]) for end in (self.low, self.high))
        now, floor = _Sample(heads, values, key_zeros(heads)), self.floor
        sample = self.sample.after(cells, now, filled & (now.zeros >= floor), shift)
        while len(sample.keys) > _TIMES * sampling.MOST_SAMPLED:
            floor += 1
            sample = sample.of(sample.zeros >= floor)
        # Of few cells those with fewer zeros are drawn too, which are not kept.
        is_lost = floor > 0 and len(sample.keys) <= sampling.MOST_SAMPLED
        return None if is_lost or low.is_lost or high.is_lost else ValueLevel(self.level, floor, sample, low, high)


def _values_now(change: Change, cells: Array, level: int) -> tuple[Array, Array, npt.NDArray[np.bool_]]:
    """The key of the first row of each of some cells (ascending), the values, and which are finite."""
    inputs, cancel = change.inputs, change.cancel
    planes = inputs.reduction.create((1, len(cells)), inputs.dtype, len(inputs.labels or ()), cancel.check)
    heads = np.full(len(cells), np.iinfo(np.uint64).max)
    for each in change.sources:
        heads = np.minimum(heads, each.add(inputs.reduction, planes, cells, level, cancel))
    return heads, *finite_values(inputs, planes, cancel)


def _append(held: Array, more: Array) -> Array:
    """Both, in the type of the second where the first has none yet."""
    return np.append(held, more) if len(held) else more


@jit
def _note_far(values: Array, first: Array, last: Array, greatest: Array, least: Array, found: Array) -> None:
    for k in range(values.size):
        value = np.float64(values[k])
        found[k] = value <= greatest[first[k], last[k]] or value >= least[first[k], last[k]]
