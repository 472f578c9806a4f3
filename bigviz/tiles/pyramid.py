"""The pyramid of a layer: the encoded planes of every tile that is too large to be scanned on request.

Tiles with more rows than cells (65,536; more where planes are costly) are computed once, each from its four children; a
child with fewer rows is scanned at its parent's resolution, so every row is read once. A tile whose rows are few piles
needs no plane: counting leaps over a pile, and a pile's other accumulators are kept as one cell.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.jit import jit
from bigviz.aggregate.reductions import Planes
from bigviz.data.cancel import Cancel
from bigviz.tiles.codec import SIDE
from bigviz.tiles.order import compact
from bigviz.tiles.planes import Kept, keep, revive
from bigviz.tiles.scan import (
    DEEPEST,
    Ranges,
    TileKey,
    cells_of,
    count_cells,
    lower_bound,
    positions_of,
    ranges_within,
    run_end,
)
from bigviz.tiles.values import Inputs
from bigviz.tiles.work import Crew

__all__ = ["Pyramid", "build_pyramid"]

Array = npt.NDArray[Any]

_CHUNK: Final = 1 << 17  # rows whose cells and values a thread takes at a time: they stay in its cache
_FEW: Final = 1024  # a tile of so few runs of equal cells is counted on request, however many rows they hold
_PARTS: Final = 16  # pieces of work for each thread, so that all end at about the same time


@dataclass(frozen=True)
class Node:
    """A square of the quadtree that is worth keeping: its place, its rows, and its children of either kind.

    `children` are those worth keeping, by quarter (0 low y low x, 1 low y high x, 2 and 3 high y);
    `bounds` the five positions that separate the quarters.
    """

    level: int
    morton: int
    bounds: tuple[int, ...]
    children: dict[int, Node]

    @property
    def rows(self) -> int:
        """Rows of the square."""
        return self.bounds[4] - self.bounds[0]

    def tile(self) -> TileKey:
        """The square as a tile."""
        i, row = int(compact(np.uint64(self.morton))), int(compact(np.uint64(self.morton >> 1)))
        return TileKey(self.level, self.level, i, (1 << self.level) - 1 - row)


@dataclass
class Pyramid:
    """Keys in order, the inputs of a reduction, and the planes of the large tiles by (level, Morton number).

    `piles` holds the accumulators (one cell) of each large pile of rows on one key, by its first position.
    """

    keys: Array
    inputs: Inputs
    nodes: dict[tuple[int, int], Kept] = field(default_factory=dict)
    piles: dict[int, Planes] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes held by the planes."""
        return sum(kept.nbytes for kept in self.nodes.values()) + 200 * len(self.piles)

    def kept(self, tile: TileKey) -> Kept | None:
        """The stored planes of a tile, if it has some."""
        return self.nodes.get((tile.zx, tile.morton)) if tile.zx == tile.zy else None

    def scan(self, tile: TileKey, cancel: Cancel) -> tuple[Planes, int]:
        """Accumulate a tile from rows and, where zx and zy differ, from stored squares; and the rows read."""
        ranges = ranges_within(self.keys, tile.codes, cancel)
        planes = self.inputs.create()
        large = ranges.whole & (ranges.high - ranges.low > self.inputs.many)
        big = np.flatnonzero(large) if tile.zx != tile.zy else ()
        taken = [k for k in big if self._add_square(tile, int(ranges.low[k]), planes)]
        if taken:
            rest = np.ones(len(ranges.low), np.bool_)
            rest[taken] = False
            ranges = Ranges(ranges.low[rest], ranges.high[rest], ranges.whole[rest])
        self.add_rows(tile, ranges, planes, cancel)
        return planes, ranges.rows

    def add_rows(self, tile: TileKey, ranges: Ranges, planes: Planes, cancel: Cancel) -> None:
        """Add the rows of the ranges that lie in the tile."""
        if self.inputs.counts_rows:
            count_cells(self.keys, ranges, tile, planes[0], cancel)
            return
        short = ranges.high - ranges.low <= _CHUNK // 4
        for low, high in zip(ranges.low[~short].tolist(), ranges.high[~short].tolist(), strict=True):
            self._add_long(tile, low, high, planes, cancel)
        lows, highs = ranges.low[short], ranges.high[short]
        ends = np.cumsum(highs - lows) // _CHUNK
        for part in np.split(np.arange(len(ends)), np.flatnonzero(np.diff(ends)) + 1):
            cancel.check()
            positions = positions_of(lows[part], highs[part])
            cells = cells_of(self.keys[positions], tile)
            self.inputs.append(planes, cells, positions)

    def _add_long(self, tile: TileKey, low: int, high: int, planes: Planes, cancel: Cancel) -> None:
        while low < high:
            cancel.check()
            if low in self.piles:
                end = int(run_end(self.keys, low, high, np.uint64(0)))
                self._add_pile(tile, low, planes)
            else:
                end = self._next_pile(low, min(high, low + _CHUNK))
                self.inputs.append(planes, cells_of(self.keys[low:end], tile), slice(low, end))
            low = end

    def _next_pile(self, low: int, high: int) -> int:
        """The first position from `low` on, at most `high`, where a pile begins."""
        return min((start for start in self.piles if low < start < high), default=high)

    def _add_pile(self, tile: TileKey, low: int, planes: Planes) -> None:
        cell = int(cells_of(self.keys[low : low + 1], tile)[0])
        if cell >= 0:
            place = (..., slice(cell // SIDE, cell // SIDE + 1), slice(cell % SIDE, cell % SIDE + 1))
            self.inputs.reduction.combine(tuple(plane[place] for plane in planes), self.piles[low])

    def _add_square(self, tile: TileKey, low: int, planes: Planes) -> bool:
        """Add a stored square of the finer level, halved on the coarser axis as often as the levels differ."""
        level = max(tile.zx, tile.zy)
        morton = int(self.keys[low]) >> 64 - 2 * level
        kept = self.nodes.get((level, morton))
        if kept is None:
            return False
        square = Node(level, morton, (0,) * 5, {}).tile()
        added = revive(self.inputs.reduction, kept, self.inputs.dtype)
        along_y = tile.zx > tile.zy
        for _ in range(min(abs(tile.zx - tile.zy), 8)):
            added = self.inputs.reduction.pool(added, x=not along_y, y=along_y)
        length = added[0].shape[-2 if along_y else -1]
        if along_y:
            first = SIDE * (square.row - (tile.row << tile.zx - tile.zy)) >> tile.zx - tile.zy
            place = (..., slice(SIDE - first - length, SIDE - first), slice(None))
        else:
            first = SIDE * (square.i - (tile.i << tile.zy - tile.zx)) >> tile.zy - tile.zx
            place = (..., slice(None), slice(first, first + length))
        self.inputs.reduction.combine(tuple(plane[place] for plane in planes), added)
        return True


def build_pyramid(keys: Array, inputs: Inputs, crew: Crew) -> Pyramid:
    """Compute the planes of all large tiles, on all threads."""
    pyramid = Pyramid(keys, inputs)
    root = _tree(keys, 0, 0, 0, len(keys), inputs.many)
    if root is None:
        return pyramid
    share = max(root.rows // (_PARTS * crew.threads), inputs.many)
    tops, parts = _divide(root, share)
    pooled: dict[tuple[int, int], Planes | None] = {}
    builder = _Builder(pyramid, pooled, crew.cancel)
    crew.run("building tiles", builder.part, sorted(parts, key=lambda node: -node.rows), root.rows)
    for node in reversed(tops):
        builder.part(node)
    return pyramid


def _divide(root: Node, share: int) -> tuple[list[Node], list[Node]]:
    """The nodes above `share` rows, parents first, and the largest ones at or below it."""
    tops, parts, waiting = [], [], [root]
    while waiting:
        node = waiting.pop()
        if node.rows <= share or not node.children:
            parts.append(node)
        else:
            tops.append(node)
            waiting.extend(node.children.values())
    return tops, parts


def _tree(keys: Array, level: int, morton: int, low: int, high: int, many: int) -> Node | None:
    """The node of a square and those below it, down to piles; None for one of few rows."""
    if high - low <= many:
        return None
    if level == DEEPEST or keys[low] == keys[high - 1]:
        return Node(level, morton, (low, high, high, high, high), {})
    step = 62 - 2 * level
    cuts = [low, *(lower_bound(keys, low, high, np.uint64((4 * morton + q) << step)) for q in (1, 2, 3)), high]
    children = (_tree(keys, level + 1, 4 * morton + q, cuts[q], cuts[q + 1], many) for q in range(4))
    return Node(level, morton, tuple(cuts), {q: child for q, child in enumerate(children) if child is not None})


class _Builder:
    """Computes nodes, children first; threads work on different subtrees."""

    def __init__(self, pyramid: Pyramid, pooled: dict[tuple[int, int], Planes | None], cancel: Cancel) -> None:
        self._pyramid, self._pooled, self._cancel = pyramid, pooled, cancel
        self._lock = threading.Lock()

    def part(self, node: Node) -> int:
        """Compute a subtree whose deeper parts may be done, and leave the quarter that its parent needs."""
        planes = self._compute(node)
        with self._lock:
            self._pooled[node.level, node.morton] = planes
        return node.rows

    def _compute(self, node: Node) -> Planes | None:
        """The planes of a node at half resolution (its parent's); None where they are counted on request."""
        inputs, keys = self._pyramid.inputs, self._pyramid.keys
        below: dict[int, Planes | None] = {}
        for quarter, child in node.children.items():
            done = (child.level, child.morton)
            below[quarter] = self._pooled.pop(done) if done in self._pooled else self._compute(child)
        self._cancel.check()
        low, high = node.bounds[0], node.bounds[4]
        if inputs.counts_rows:
            if _runs(keys, low, high, 2 * (DEEPEST - node.level), _FEW) <= _FEW:
                return None
        elif keys[low] == keys[high - 1]:
            self._keep_pile(low, high)
            return None
        planes = inputs.create()
        tile = node.tile()
        for quarter in range(4):
            part = below.get(quarter)
            if part is not None:
                self._place(planes, part, quarter)
            else:
                ends = np.array(node.bounds[quarter : quarter + 2], np.int64)
                ranges = Ranges(ends[:1], ends[1:], np.ones(1, np.bool_))
                self._pyramid.add_rows(tile, ranges, planes, self._cancel)
        self._pyramid.nodes[node.level, node.morton] = keep(inputs.reduction, planes)
        return inputs.reduction.pool(planes)

    def _place(self, planes: Planes, part: Planes, quarter: int) -> None:
        half = SIDE // 2
        row, column = 0 if quarter >= 2 else half, half if quarter % 2 else 0
        for plane, pooled in zip(planes, part, strict=True):
            plane[..., row : row + half, column : column + half] = pooled

    def _keep_pile(self, low: int, high: int) -> None:
        inputs = self._pyramid.inputs
        if low in self._pyramid.piles:
            return
        planes = inputs.create(1)
        for start in range(low, high, _CHUNK):
            self._cancel.check()
            stop = min(start + _CHUNK, high)
            inputs.append(planes, np.zeros(stop - start, np.int32), slice(start, stop))
        self._pyramid.piles[low] = planes


@jit
def _runs(keys: Array, low: int, high: int, shift: int, most: int) -> int:
    """The number of runs of keys that agree above `shift` bits, or more than `most` once that is sure."""
    runs = 0
    while low < high and runs <= most:
        low = run_end(keys, low, high, np.uint64(shift))
        runs += 1
    return runs
