"""What a layer answers that knows of no other version of its dataset."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from bigviz.data.appending.growth import Version
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number

__all__ = ["SingleVersion"]


class SingleVersion:
    """A part of `LayerAnswers`."""

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
