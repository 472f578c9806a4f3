"""Parts of `LayerAnswers` that layers of several kinds share."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew
from bigviz.data.appending.growth import Version
from bigviz.render.level_values import KnownLevel, Level, LevelSource
from bigviz.tiles.answers.answer import Drawn
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number

__all__ = ["NoColumnsOrBars", "SingleVersion", "TileByTile", "TileColours"]


class SingleVersion:
    """What a layer answers that knows of no other version of its dataset."""

    @property
    def spans_versions(self) -> bool:
        """False: it keeps its dataset, and is dropped like others."""
        return False

    def state(self, key: TileKey) -> Hashable:
        """None: a tile is that of this version alone."""
        return None

    def changed(self, before: Version, keys: Sequence[TileKey]) -> list[bool] | None:
        """None: all tiles may be others."""
        return None

    def changed_from(self, before: Version) -> Number | None:
        """None: all of a line may be another."""
        return None


class TileColours:
    """The colours of a layer whose levels are known from tiles alone."""

    @property
    def level_source(self) -> LevelSource:
        """The tiles."""
        return "tiles"

    def level_values(self, level: Level, cancel: Cancel = NEVER) -> KnownLevel:
        """None: tiles have to be read."""
        return KnownLevel("tiles", None)


class NoColumnsOrBars:
    """What points, whose rows are in no order of x, do not answer."""

    def columns(self, low: Number, high: Number, width: int, cancel: Cancel = NEVER) -> None:
        """None: only lines have columns."""

    def bars(self, low: Number, high: Number, cancel: Cancel = NEVER) -> None:
        """None: they are a histogram's."""


class _Draws(Protocol):
    def draw(self, key: TileKey, cancel: Cancel = NEVER) -> Drawn: ...


class TileByTile:
    """The tiles of a view where they take no pass."""

    def draw_all(self: _Draws, keys: Sequence[TileKey], window: object, crew: Crew) -> list[Drawn]:
        """Tiles, one by one."""
        return [self.draw(key, crew.cancel) for key in keys]
