"""The lowest or the highest value in each cell while rows come and go.

A cell is two words side by side, so that a row costs one miss of the cache and not three: its value as a key (the lower
one beats the higher), and twice the number of its rows, plus one while it is stale.
"""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Planes
from bigviz.aggregate.reductions.extremes import Extreme
from bigviz.common.jit import frozen, jit
from bigviz.tiles.brush.orders.position_ranges import Picked
from bigviz.tiles.brush.targets.values import Values
from bigviz.wire.codec import CELLS, SIDE

__all__ = ["ExtremeCells"]

Array = npt.NDArray[Any]

_SIGN: Final = -(1 << 63)


class ExtremeCells:
    """An accumulator of `size` cells (see `accumulators.Accumulator`) for values of a type; what it gives has `dtype`.

    A cell that loses its value, and has rows left, is stale until rows are added again.
    """

    def __init__(self, parts: int, size: int, values: Values, reduction: Extreme, dtype: np.dtype[Any]) -> None:
        self.parts = parts
        self._words = np.zeros((size, 2), np.int64)
        self._values, self._dtype = values, dtype
        self._keys = _Keys(values.values.dtype, reduction.lowest)
        self._stale = 0
        self._lock = threading.Lock()

    @property
    def exact(self) -> bool:
        return self._stale == 0

    @property
    def nbytes(self) -> int:
        return int(self._words.nbytes)

    def counts(self, worker: int) -> Array | None:
        """None: there is more than counts."""
        return None

    def add(self, worker: int, picked: Picked, cells: Array, sign: int) -> None:
        keys = self._keys.of(self._values.at(picked, cells), cells)
        with self._lock:
            if sign > 0:
                self._stale -= _come(cells, keys, False, self._words)
            else:
                self._stale += _go(cells, keys, self._words)

    def add_again(self, picked: Picked, cells: Array) -> None:
        keys = self._keys.of(self._values.at(picked, cells), cells)
        with self._lock:
            _only_stale(cells, self._words)
            _come(cells, keys, True, self._words)

    def block(self, number: int) -> Planes:
        words = self._words[number * CELLS : (number + 1) * CELLS]
        best, filled = self._keys.values(words[:, 0]).astype(self._dtype, copy=False), words[:, 1] > 1
        return best.reshape(SIDE, SIDE), filled.view(np.uint8).reshape(SIDE, SIDE)

    def clear(self) -> None:
        self._words[:] = 0
        self._stale = 0

    def recount(self) -> None:
        self._words[self._words[:, 1] & 1 > 0, 1] = 1

    def recounted(self) -> None:
        self._words[:, 1] &= -2
        self._stale = 0


class _Keys:
    """Values of a type as whole numbers in their order, or against it: the lower one always beats. Of zeros the
    negative one is the lower."""

    def __init__(self, dtype: np.dtype[Any], lowest: bool) -> None:
        self._float = dtype if dtype.kind == "f" else None
        self._bits = np.dtype(f"i{dtype.itemsize}") if dtype.kind == "f" else np.dtype(np.int64)
        self._top = np.iinfo(self._bits).max
        self._bias = _SIGN if dtype == np.uint64 else 0
        self._turn = 0 if lowest else -1

    def of(self, values: Array, cells: Array) -> Array:
        """Keys (int64) of some values, in one of the four types of kernels; the cells of NaN become -1."""
        keys = np.empty(len(values), np.int64)
        if self._float is None:
            np.bitwise_xor(values.view(np.int64), np.int64(self._bias ^ self._turn), out=keys)
        else:
            endless = int(np.array(np.inf, self._float).view(self._bits))
            _float_keys(frozen(values.view(self._bits)), self._top, endless, self._turn, cells, keys)
        return frozen(keys)

    def values(self, keys: Array) -> Array:
        """The values of keys."""
        words = keys ^ np.int64(self._turn)
        if self._float is None:
            words ^= np.int64(self._bias)
            return words.view(np.uint64) if self._bias else words
        return (words ^ (words >> 63 & self._top)).astype(self._bits).view(self._float)


@jit
def _float_keys(bits: Array, top: int, endless: int, turn: int, cells: Array, keys: Array) -> None:
    """IEEE 754: the bits of floats that are not negative ascend with them, those of others descend."""
    for k in range(bits.size):
        word = np.int64(bits[k])
        keys[k] = word ^ (word >> 63 & top) ^ turn
        if word & top > endless:
            cells[k] = -1


@jit
def _come(cells: Array, keys: Array, again: bool, words: Array) -> int:
    """Add rows; returns how many cells are no longer stale. A value that beats what a stale cell held, or equals it,
    makes it fresh: nothing that is left beats it."""
    fresh = 0
    for k in range(cells.size):
        cell = cells[k]
        if cell < 0:
            continue
        key, held, word = keys[k], words[cell, 0], words[cell, 1]
        if word < 2 or key < held:
            words[cell, 0] = held = key
        if not again and key == held and word & 1:
            word -= 1
            fresh += 1
        words[cell, 1] = word + 2
    return fresh


@jit
def _go(cells: Array, keys: Array, words: Array) -> int:
    """Take rows away; returns how many more cells are stale: one that loses what it holds is, unless it was its last
    row."""
    stale = 0
    for k in range(cells.size):
        cell = cells[k]
        if cell < 0:
            continue
        word = words[cell, 1] - 2
        after = 0 if word < 2 else word | np.int64(keys[k] == words[cell, 0])
        stale += (after & 1) - (word & 1)
        words[cell, 1] = after
    return stale


@jit
def _only_stale(cells: Array, words: Array) -> None:
    """Set the cells of rows to -1 where these are not stale."""
    for k in range(cells.size):
        if cells[k] >= 0 and words[cells[k], 1] & 1 == 0:
            cells[k] = -1
