"""Numbers as unsigned integers in the same order, by which they are counted, compared and sorted: the keys of a radix
sort (Herf, "Radix Tricks", 2001)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit

__all__ = ["KeyRule", "key_of", "keys_of", "number_of"]

Array = npt.NDArray[Any]

_FULL: Final = (1 << 64) - 1


class KeyRule(NamedTuple):
    """How the bits of a number become a key: `word ^ (flip | smear where the bit `sign` is set)`, unless what is left
    of the word by `magnitude` is above `infinity`, which makes it NaN. -0 comes before 0."""

    flip: int
    smear: int
    sign: int
    magnitude: int
    infinity: int

    @staticmethod
    def of(dtype: np.dtype[Any]) -> KeyRule:
        """That of float32, float64, int64 and uint64."""
        if dtype == np.float32:
            return KeyRule(1 << 31, (1 << 32) - 1, 31, (1 << 31) - 1, 0x7F800000)
        if dtype.kind == "f":
            return KeyRule(1 << 63, _FULL, 63, _FULL >> 1, 0x7FF0000000000000)
        return KeyRule(1 << 63 if dtype.kind == "i" else 0, 0, 63, 0, 0)


def keys_of(values: Array) -> npt.NDArray[np.uint64]:
    """The keys of numbers (float32, float64, int64 or uint64) that are none of them NaN."""
    rule = KeyRule.of(values.dtype)
    words = values.view(f"u{values.dtype.itemsize}").astype(np.uint64)
    negative = np.where(words >> np.uint64(rule.sign), np.uint64(rule.smear), np.uint64(0))
    return np.asarray(words ^ (np.uint64(rule.flip) | negative), np.uint64)


def number_of(key: int, dtype: np.dtype[Any]) -> int | float:
    """The number of a dtype that a key stands for."""
    if dtype.kind == "u":
        return key
    if dtype.kind == "i":
        return key - (1 << 63)
    bits = 8 * dtype.itemsize
    word = key ^ (1 << bits - 1) if key >> bits - 1 else ~key & (1 << bits) - 1
    return float(np.array(word, f"u{dtype.itemsize}").view(dtype))


@jit
def key_of(word: np.uint64, flip: np.uint64, smear: np.uint64, sign: np.uint64) -> np.uint64:
    """The key of a number that is given by its bits; the rest is its rule."""
    return np.uint64(word ^ (flip | (smear & (np.uint64(0) - (word >> sign)))))
