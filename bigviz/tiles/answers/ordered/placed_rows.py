"""The cells of an image in which consecutive rows of an order lie, from their keys alone where these are enough."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.glyphs.place_points import Places
from bigviz.common.jit import frozen
from bigviz.tiles.answers.ordered.key_places import KeyMaps, place_by_keys
from bigviz.tiles.answers.ordered.pixel_nodes import Nodes, place_nodes
from bigviz.tiles.morton.order import Order

__all__ = ["CHUNK", "PlacedRows"]

Array = npt.NDArray[Any]
Cells = npt.NDArray[np.int32]

CHUNK: Final = 1 << 11  # rows that a kernel takes at a time: what it makes of them stays in the first cache


class PlacedRows:
    """Rows of an order, and the image they are placed in; for one thread."""

    def __init__(self, order: Order, places: Places, most: int, nodes: Nodes | None = None) -> None:
        """At most `most` rows are placed at a time, in memory that is used again for the next ones; by the `nodes` of
        the image, where its squares hold many rows each."""
        self.order, self.places = order, places
        self.maps = KeyMaps.of((order.survey.x, order.survey.y), (places.x, places.y), places.outside)
        self._nodes = None if nodes is None else nodes.with_outside(places.outside)
        self._left, self._cells = np.empty(most, np.int64), np.empty(most, np.int32)
        self._words = np.empty(CHUNK, np.uint32)

    def by_keys(self, start: int, stop: int) -> tuple[Cells, Array]:
        """The cell of each row of a range of positions, as `places` has them, and the positions (int64) of the rows
        that are placed by their numbers alone: their cells are `outside` here. They are good until the next call."""
        out = self._cells[: stop - start]
        keys = frozen(self.order.guard.keys.take(slice(start, stop)))
        if self._nodes is not None:
            count = place_nodes(keys, *self._nodes, out, self._left)
        else:
            count = place_by_keys(keys, self.maps, self._words, out, self._left)
        return out, self._left[:count] + start

    def by_numbers(self, positions: Array) -> Cells:
        """The cell of each of some positions."""
        out = np.empty(len(positions), np.int32)
        numbers = [self.order.numbers(which, positions) for which in (0, 1)]
        self.places.write((numbers[0], None), (numbers[1], None), out)
        return out
