"""Complete pyramids for tests."""

from __future__ import annotations

from bigviz.common.workers import Crew
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.pyramid.build import complete
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.pyramid.plane_store import Shelf
from bigviz.tiles.pyramid.pyramid import Pyramid

__all__ = ["build_pyramid"]


def build_pyramid(guard: SortedKeys, inputs: Inputs, crew: Crew, shelf: Shelf | None = None) -> Pyramid:
    """A complete pyramid, made on all threads."""
    pyramid = Pyramid(guard, inputs, shelf)
    complete(pyramid, crew)
    return pyramid
