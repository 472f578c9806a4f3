"""The deepest level at which two keys lie in one cell of a square tile."""

from __future__ import annotations

from typing import Final

import numpy as np

from bigviz.common.jit import jit
from bigviz.tiles.grid.tile_key import DEEPEST

__all__ = ["LEVELS", "merge_level"]

LEVELS: Final = DEEPEST + 1
_TWO, _FOUR, _EIGHT, _SIXTEEN, _HALF = (np.uint64(bits) for bits in (2, 4, 8, 16, 32))
_NONE: Final = np.uint64(0)


@jit
def merge_level(a: np.uint64, b: np.uint64) -> int:
    """-1 where they lie in different cells at all levels, `DEEPEST` where they are equal."""
    differ = a ^ b
    if differ == _NONE:
        return DEEPEST
    pair = 0  # of bits, the highest one that differs
    if differ >> _HALF != _NONE:
        pair += 16
        differ >>= _HALF
    if differ >> _SIXTEEN != _NONE:
        pair += 8
        differ >>= _SIXTEEN
    if differ >> _EIGHT != _NONE:
        pair += 4
        differ >>= _EIGHT
    if differ >> _FOUR != _NONE:
        pair += 2
        differ >>= _FOUR
    if differ >> _TWO != _NONE:
        pair += 1
    return max(DEEPEST - 1 - pair, -1)
