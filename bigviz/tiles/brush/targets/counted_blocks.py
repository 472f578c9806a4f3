"""How many rows each block of a source's order has in each cell of a target.

Rows that are near each other in a source's order often are so in a target, too: thousands of them lie in some tens of
its cells. A range of rows is then counted as the blocks that lie in it, of 128 rows, of 8 times as many, and so on,
which costs the cells that these have; the rows at its ends are left. Where a target has nothing to do with the source's
order, blocks have about as many cells as rows: some of them are looked at first, and sizes that would not be worth
their memory are left out.

It is what `bin_blocks` is for few bins and `lines.line_blocks` for lines. A pass over all rows makes it, so it is made
in the background, and the steps of a brush do without until then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.tiles.brush.orders.position_ranges import Picked
from bigviz.tiles.brush.targets.lines.line_kernels import FAN, split_ranges

__all__ = ["NO_BLOCKS", "CountedBlocks", "counted_blocks"]

Array = npt.NDArray[Any]

_FINEST: Final = 7  # bits of the number of rows of the smallest blocks
_LEVELS: Final = 5  # sizes of blocks, at most
_TRIED: Final = 16  # of the largest blocks, which tell what all are worth
_WORTH: Final = 4  # rows of a block for each of its cells, at least
_MOST: Final = 1 << 28  # bytes
_ENTRY: Final = 8  # bytes of a cell of a block, and of where a block begins
_STAGE: Final = "counting blocks"

_Level = tuple[Array, Array, Array]  # cells, their numbers of rows, and where those of each block end


@dataclass(frozen=True, eq=False)
class CountedBlocks:
    """Block b has `numbers[k]` rows in the cell `cells[k]` for each k from `starts[b]` to `starts[b + 1]`. Blocks of
    2^`bits` rows come first, from `levels[1]` on those of 8 of them, and so on; the last ones end with all `rows`."""

    rows: int
    bits: int
    levels: Array
    starts: Array
    cells: Array
    numbers: Array

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.starts.nbytes + self.cells.nbytes + self.numbers.nbytes)

    @property
    def some(self) -> bool:
        """Whether there are any blocks."""
        return len(self.starts) > 1

    def count(self, picked: Picked, sign: int, counts: Array) -> Picked:
        """Add 1 or -1, the `sign`, to the count (int32) of the cell of each row that lies in a block of the ranges; the
        rows that do not."""
        ends = np.empty((2, 2 * len(picked.low)), np.int64)
        blocks = np.empty((picked.rows >> self.bits) + 2, np.int64)
        split = picked.low, picked.high, self.rows, self.bits, self.levels, blocks, ends
        left, rows = _count(*split, self.starts, self.cells, self.numbers, sign, counts)
        low, high = frozen(ends[0, :left]), frozen(ends[1, :left])
        return Picked(low, high, picked.places, rows + len(picked.places))


NO_BLOCKS: Final = CountedBlocks(
    0, _FINEST, np.zeros(2, np.int64), np.zeros(1, np.int64), np.empty(0, np.int32), np.empty(0, np.uint32)
)


def counted_blocks(cells_of: Callable[[int, int], Array], rows: int, size: int, crew: Crew) -> CountedBlocks:
    """The blocks of all rows, whose cells (int32, below `size`; -1: none) `cells_of(start, stop)` gives."""
    seen = np.zeros(size, np.int32)

    def look(piece: tuple[int, int]) -> list[_Level]:
        return _levels_of(cells_of(*piece), seen)

    pieces = slices(rows, 1 << _FINEST + FAN * (_LEVELS - 1))
    tried = pieces[:: -(-len(pieces) // _TRIED)] if pieces else []
    first = _worth([look(piece) for piece in crew.paced(tried)], rows / max(sum(b - a for a, b in tried), 1))
    made: list[list[_Level]] = []

    def fill(piece: tuple[int, int]) -> int:
        made.append(look(piece)[first:])
        return piece[1] - piece[0]

    if first < _LEVELS:
        crew.run(_STAGE, fill, pieces, rows)
    return _joined([[piece[level] for piece in made] for level in range(_LEVELS - first)], rows, _FINEST + FAN * first)


def _levels_of(cells: Array, seen: Array) -> list[_Level]:
    """What blocks of each size have, of rows that are one of the largest. `seen` (int32) is as long as there are cells,
    and holds anything."""
    stops = np.append(np.arange(1 << _FINEST, len(cells), 1 << _FINEST), len(cells))
    found = [_merged(cells, np.ones(len(cells), np.uint32), stops, seen)]
    for _ in range(_LEVELS - 1):
        before = found[-1]
        stops = np.append(before[2][(1 << FAN) - 1 : -1 : 1 << FAN], before[2][-1])
        found.append(_merged(before[0], before[1], stops, seen))
    return found


def _merged(cells: Array, numbers: Array, stops: Array, seen: Array) -> _Level:
    """The cells of blocks, each once, where those of a block end at `stops` now."""
    out, counts, ends = np.empty(len(cells), np.int32), np.empty(len(cells), np.uint32), np.empty(len(stops), np.int64)
    some = _merge(frozen(cells), frozen(numbers), frozen(stops), seen, out, counts, ends)
    return out[:some].copy(), counts[:some].copy(), ends


def _worth(tried: list[list[_Level]], factor: float) -> int:
    """The first size of blocks that is worth its memory, where `factor` times as many rows as those that were tried are
    all."""
    sizes = [factor * sum(len(piece[level][0]) for piece in tried) for level in range(_LEVELS)]
    blocks = [factor * sum(len(piece[level][2]) for piece in tried) for level in range(_LEVELS)]
    rows = factor * sum(int(piece[0][1].sum()) for piece in tried)
    for first in range(_LEVELS):
        if sizes[first] * _WORTH <= rows and (sum(sizes[first:]) + sum(blocks[first:])) * _ENTRY <= _MOST:
            return first
    return _LEVELS


def _joined(levels: list[list[_Level]], rows: int, bits: int) -> CountedBlocks:
    """All blocks, of those of consecutive pieces by their size."""
    every = [piece for level in levels for piece in level]
    sizes = [np.diff(ends, prepend=0) for _, _, ends in every]
    blocks = [sum(len(ends) for _, _, ends in level) for level in levels]
    cells = np.concatenate([np.empty(0, np.int32), *(each for each, _, _ in every)])
    numbers = np.concatenate([np.empty(0, np.uint32), *(each for _, each, _ in every)])
    starts = np.cumsum(np.concatenate([np.zeros(1, np.int64), *sizes]))
    at = np.cumsum([0, *blocks], dtype=np.int64)
    return CountedBlocks(rows, bits, frozen(at), frozen(starts), frozen(cells), frozen(numbers))


@jit
def _merge(
    cells: Array, numbers: Array, stops: Array, seen: Array, out: Array, counts: Array, ends: Array
) -> int:  # fmt: skip
    """Write each block's cells, each once, with how many rows it has, and where they end; how many there are. `seen`
    says where a cell was written last, of this block or of an older one."""
    at = k = 0
    for block in range(stops.size):
        begin = at
        while k < stops[block]:
            cell = cells[k]
            if cell >= 0:
                slot = np.int64(seen[cell])
                if begin <= slot < at and out[slot] == cell:
                    counts[slot] += numbers[k]
                else:
                    out[at] = cell
                    counts[at] = numbers[k]
                    seen[cell] = at
                    at += 1
            k += 1
        ends[block] = at
    return at


@jit
def _count(
    lows: Array, highs: Array, rows: int, bits: int, levels: Array, blocks: Array, ends: Array, starts: Array,
    cells: Array, numbers: Array, sign: int, counts: Array,
) -> tuple[int, int]:  # fmt: skip
    """Count the blocks of ranges; how many ranges are left, and how many rows they have."""
    some, left = split_ranges(lows, highs, rows, bits, levels, blocks, ends)
    for b in range(some):
        for k in range(starts[blocks[b]], starts[blocks[b] + 1]):
            counts[cells[k]] += np.int32(sign) * np.int32(numbers[k])
    rest = 0
    for r in range(left):
        rest += ends[1, r] - ends[0, r]
    return left, rest
