"""One normalisation for all tiles of a level, so that pictures of neighbouring tiles join.

The values are those of all of the level's tiles, where they are known without reading any. Else they are read, up to
level 3. Deeper levels have more tiles than can be read for a picture: there they are those of 64 tiles, with high, low
and other values, found by going down from the level above, where a tile that holds nothing is not followed.

What is known of a level changes while an index is built, so a normalisation comes with where its values are from:
pictures of two sources need not join.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy.typing as npt
from cachetools import LRUCache

from bigviz.common.cancel import Cancel
from bigviz.render.level_values import KnownLevel, Level, LevelSource
from bigviz.render.norm import Norm
from bigviz.render.shade import Cells, Shading, Values, level_norm, norm_of, values_of

__all__ = ["LevelNorms"]

Array = npt.NDArray[Any]
Place = tuple[int, int, int, int]
Read = Callable[[Place], Sequence[Array]]
Known = Callable[[Level], KnownLevel]

_MOST_TILES: Final = 64  # the tiles of level 3
_OUTERMOST: Final = 16  # with the highest values that stand for a level in any case, and with the lowest


def _unknown(level: Level) -> KnownLevel:
    """Nothing is known of any level."""
    return KnownLevel("tiles", None)


class LevelNorms:
    """Normalisations by layer, level, shading and source, the last few hundred kept. Blocks; safe in any thread."""

    def __init__(self) -> None:
        self._norms: LRUCache[Any, Norm] = LRUCache(256)
        self._tiles: LRUCache[Any, tuple[Place, ...]] = LRUCache(4_096)
        self._lock = threading.Lock()

    def norm(
        self,
        tag: str,
        level: tuple[int, int],
        shading: Shading,
        cells: Cells,
        read: Read,
        cancel: Cancel,
        source: LevelSource = "tiles",
        known: Known = _unknown,
    ) -> tuple[Norm, LevelSource]:
        """The normalisation of a level of the layer that `tag` names, and the source of its values.

        `read` gives a tile's planes, `known` what is known of a level without them; `source` is where
        that came from a moment ago.
        """
        with self._lock:
            found = self._norms.get((tag, source, level, shading))
        if found is None:
            source, level_values = known(level)
            if level_values is None:
                found = norm_of(list(self._values(tag, level, cells, read, cancel).values()), shading)
            else:
                found = level_norm(level_values, cells, shading)
            with self._lock:
                self._norms[tag, source, level, shading] = found
        return found, source

    def _values(
        self, tag: str, level: tuple[int, int], cells: Cells, read: Read, cancel: Cancel
    ) -> dict[Place, Values]:
        """The tiles of a level that count, with their values."""
        with self._lock:
            places = self._tiles.get((tag, level))
        if places is None:
            places = ((0, 0, 0, 0),)
            if level != (0, 0):
                places = _children(tuple(self._values(tag, _above(level), cells, read, cancel)), level)
        values = {}
        for place in places:
            cancel.check()
            found = values_of(read(place), cells)
            if found.filled.any():
                values[place] = found
        if len(values) > _MOST_TILES:
            values = {place: values[place] for place in _chosen(values)}
        with self._lock:
            self._tiles[tag, level] = tuple(values)
        return values


def _above(level: tuple[int, int]) -> tuple[int, int]:
    """The level from which this one is reached: the deeper axis is one up, both where they are equal."""
    zx, zy = level
    return zx - (zx >= zy), zy - (zy >= zx)


def _children(places: tuple[Place, ...], level: tuple[int, int]) -> tuple[Place, ...]:
    zx, zy = level
    out = []
    for px, py, i, j in places:
        for di in range(1 << (zx - px)):
            for dj in range(1 << (zy - py)):
                out.append((zx, zy, (i << (zx - px)) + di, (j << (zy - py)) + dj))
    return tuple(out)


def _chosen(values: dict[Place, Values]) -> list[Place]:
    """Those of too many tiles that stand for all: a quarter with the highest values, a quarter with the lowest ones,
    and the others at even distances among the rest."""
    ends = {place: _ends(each) for place, each in values.items()}
    highest = sorted(ends, key=lambda place: -ends[place][1])
    lowest = sorted(ends, key=lambda place: ends[place][0])
    chosen = dict.fromkeys([*highest[:_OUTERMOST], *lowest[:_OUTERMOST]])
    rest = [place for place in highest if place not in chosen]
    more = _MOST_TILES - len(chosen)
    return [*chosen, *(rest[number * len(rest) // more] for number in range(more))]


def _ends(values: Values) -> tuple[float, float]:
    held = values.numbers[values.filled]
    return float(held.min()), float(held.max())
