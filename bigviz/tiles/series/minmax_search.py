"""The lowest and the highest row of a range: of a few rows by looking at each, of many by the tree above them.

The tree is read from the top down. What lies at an end of a range is a part of a block whose extremes are known, so it
is searched only if those are beyond what was found so far. Most of a random walk's long columns look at no row but
their first and last one, and the nodes that they read are of levels that the processor's caches hold.

A block that rows may still be added to has no node yet: it is searched. So nodes never change once they are written,
and those of a series that grows can be read meanwhile.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit

__all__ = ["find_parts", "lowest_highest", "position_of"]

Array = npt.NDArray[Any]

_FEW: Final = 16  # rows that are looked at without asking the tree
# Whether rows lie before all that was found, or after it. Literals would have numba compile their callees twice.
_BEFORE: Final[Any] = np.bool_(True)
_AFTER: Final[Any] = np.bool_(False)


@jit
def lowest_highest(y: Array, first: int, stop: int, lowest: Any, highest: Any) -> tuple[Any, Any]:
    """The extremes of some values and of two more; NaN is passed over. Four at a time, else each waits for the last."""
    a = b = c = d = lowest
    p = q = r = s = highest
    k = first
    while k + 4 <= stop:
        one, two, three, four = y[k], y[k + 1], y[k + 2], y[k + 3]
        a = one if one < a else a
        p = one if one > p else p
        b = two if two < b else b
        q = two if two > q else q
        c = three if three < c else c
        r = three if three > r else r
        d = four if four < d else d
        s = four if four > s else s
        k += 4
    while k < stop:
        a = y[k] if y[k] < a else a
        p = y[k] if y[k] > p else p
        k += 1
    a, c = b if b < a else a, d if d < c else c
    p, r = q if q > p else p, s if s > r else r
    return c if c < a else a, r if r > p else p


@jit
def position_of(y: Array, first: int, value: Any) -> int:
    """The first position from `first` on that holds a value, which is there."""
    while y[first] != value:
        first += 1
    return first


@jit
def find_parts(
    y: Array, values: Array, places: Array, starts: Array, parts: Array, found: Array, heights: Array
) -> float:
    """The extremes of each part, rows `parts[k, 2]` to `parts[k, 3]` of which the first has a value.

    `values`, `places` and `starts` are those of a tree. `found[k]` becomes the first lowest and the first highest
    position and the places of their values in the tree (-1: not read there); `heights[k]` the first, lowest, highest
    and last value. Of `y` no more is read than of the blocks of 256 rows that hold a part's first and last row.

    The reads of 32 parts are issued ahead of them: reads that do not depend on each other's results overlap. The return
    value keeps the compiler from removing them.
    """
    warmth = 0.0
    for begin in range(0, parts.shape[0], 32):
        end = min(begin + 32, parts.shape[0])
        warmth += _warm_tree(y, values, parts, begin, end)
        for part in range(begin, end):
            first, stop = parts[part, 2], parts[part, 3]
            heights[part, 0] = heights[part, 1] = heights[part, 2] = y[first]
            heights[part, 3] = y[stop - 1]
            found[part, 0] = found[part, 1] = first
            found[part, 2] = found[part, 3] = -1
            if stop - first < _FEW:
                _compare(y, first, stop, found, heights, part)
                continue
            _descend(values, starts, y.size, first, stop, found, heights, part)
        for part in range(begin, end):
            first, stop = parts[part, 2], parts[part, 3]
            if stop - first < _FEW:
                continue
            head = first if first & 255 == 0 else min((first | 255) + 1, stop)
            tail = max(stop & -256, head)
            if first < head:
                _scan(y, values, places, first, head, _BEFORE, found, heights, part)
            if tail < stop:
                _scan(y, values, places, tail, stop, _AFTER, found, heights, part)
    for part in range(parts.shape[0]):
        for side in range(2):
            node = found[part, 2 + side]
            if node >= 0:
                found[part, side] = places[node >> 1, side]
    return warmth


@jit
def _compare(y: Array, first: int, stop: int, found: Array, heights: Array, part: int) -> None:
    """Compare a few rows with the first of them."""
    for k in range(first + 1, stop):
        if y[k] < heights[part, 1]:
            heights[part, 1] = y[k]
            found[part, 0] = k
        elif y[k] > heights[part, 2]:
            heights[part, 2] = y[k]
            found[part, 1] = k


@jit
def _descend(
    values: Array, starts: Array, size: int, first: int, stop: int, found: Array, heights: Array, part: int
) -> None:
    """Take the whole blocks of rows `first` to `stop` into account, the largest ones first."""
    shift = 8
    if first + 255 >> 8 >= stop >> 8:
        return
    level = 0
    while level + 2 < starts.size and (first + (16 << shift) - 1 >> shift + 4) < stop >> shift + 4:
        level += 1
        shift += 4
    begin, end = first + (1 << shift) - 1 >> shift, stop >> shift
    _look(values, starts[level] + begin, starts[level] + end, _AFTER, found, heights, part)
    while level > 0:
        inner, outer = begin, end
        full = outer + 1 << shift <= size  # the block after the last whole one has a node
        before, after = starts[level] + inner - 1, starts[level] + outer  # blocks that lie in the range in part
        level -= 1
        shift -= 4
        begin, end = first + (1 << shift) - 1 >> shift, stop >> shift
        if begin < inner << 4 and _beyond(values, before, _BEFORE, heights, part):
            _look(values, starts[level] + begin, starts[level] + (inner << 4), _BEFORE, found, heights, part)
        if outer << 4 < end and (not full or _beyond(values, after, _AFTER, heights, part)):
            _look(values, starts[level] + (outer << 4), starts[level] + end, _AFTER, found, heights, part)


@jit
def _beyond(values: Array, node: int, earlier: bool, heights: Array, part: int) -> bool:
    """Whether something in a block may be lower or higher than what was found, or as low or high where the block lies
    before all of that. A block without a value holds NaN, or of integers the number before it, which is no lower."""
    low, high = values[node, 0], values[node, 1]
    return bool(
        low < heights[part, 1]
        or high > heights[part, 2]
        or (earlier and (low == heights[part, 1] or high == heights[part, 2]))
    )


@jit
def _look(values: Array, begin: int, end: int, earlier: bool, found: Array, heights: Array, part: int) -> None:
    """Compare nodes in order with what was found; they lie before all of that (`earlier`), or after all of it."""
    lowest, highest = heights[part, 1], heights[part, 2]
    low = high = -1
    for node in range(begin, end):
        if values[node, 0] < lowest or (earlier and low < 0 and values[node, 0] == lowest):
            lowest = values[node, 0]
            low = node
        if values[node, 1] > highest or (earlier and high < 0 and values[node, 1] == highest):
            highest = values[node, 1]
            high = node
    if low >= 0:
        heights[part, 1] = lowest
        found[part, 2] = 2 * low
    if high >= 0:
        heights[part, 2] = highest
        found[part, 3] = 2 * high + 1


@jit
def _scan(
    y: Array, values: Array, places: Array, begin: int, end: int, earlier: bool, found: Array, heights: Array, part: int
) -> None:
    """Compare rows of one block with what was found; they lie before all of that (`earlier`), or after all of it.

    Where the block's own lowest and highest row are among them, no row is looked at.
    """
    block = begin >> 8
    lower = higher = True
    if block + 1 << 8 <= y.size:
        low, high = values[block, 0], values[block, 1]
        lower = low < heights[part, 1] or (earlier and low == heights[part, 1])
        higher = high > heights[part, 2] or (earlier and high == heights[part, 2])
        if lower and begin <= places[block, 0] < end:
            heights[part, 1] = low
            found[part, 2] = 2 * block
            lower = False
        if higher and begin <= places[block, 1] < end:
            heights[part, 2] = high
            found[part, 3] = 2 * block + 1
            higher = False
    if not (lower or higher):
        return
    start = (y[begin], y[begin]) if earlier else (heights[part, 1], heights[part, 2])
    least, most = lowest_highest(y, begin, end, start[0], start[1])
    if lower and (least < heights[part, 1] or (earlier and least == heights[part, 1])):
        heights[part, 1] = least
        found[part, 0] = position_of(y, begin, least)
        found[part, 2] = -1
    if higher and (most > heights[part, 2] or (earlier and most == heights[part, 2])):
        heights[part, 2] = most
        found[part, 1] = position_of(y, begin, most)
        found[part, 3] = -1


@jit
def _warm_tree(y: Array, values: Array, parts: Array, begin: int, end: int) -> float:
    """Read the values at the ends of some parts, and the nodes above them."""
    total = np.float64(0.0)
    for part in range(begin, end):
        first, last = parts[part, 2], parts[part, 3] - 1
        total += y[first] + y[last] + values[first >> 8, 0] + values[last >> 8, 0]
    return total
