"""Morton keys: the bits of two 32-bit codes in turn."""

from __future__ import annotations

import numpy as np

from bigviz.common.jit import jit

__all__ = ["compact", "spread"]


@jit
def spread(code: np.uint64) -> np.uint64:
    """The 32 bits of a code on the even bits of a word."""
    word = np.uint64(code)
    word = (word | word << np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)
    word = (word | word << np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)
    word = (word | word << np.uint64(4)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    word = (word | word << np.uint64(2)) & np.uint64(0x3333333333333333)
    return (word | word << np.uint64(1)) & np.uint64(0x5555555555555555)


@jit
def compact(word: np.uint64) -> np.uint64:
    """The even bits of a word as one number of 32 bits: the reverse of `spread`."""
    code = word & np.uint64(0x5555555555555555)
    code = (code | code >> np.uint64(1)) & np.uint64(0x3333333333333333)
    code = (code | code >> np.uint64(2)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    code = (code | code >> np.uint64(4)) & np.uint64(0x00FF00FF00FF00FF)
    code = (code | code >> np.uint64(8)) & np.uint64(0x0000FFFF0000FFFF)
    return (code | code >> np.uint64(16)) & np.uint64(0x00000000FFFFFFFF)
