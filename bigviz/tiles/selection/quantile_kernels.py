"""The loops over slices of numbers that `quantiles` makes: tallies and bins by group, and the keys in some bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit
from bigviz.tiles.selection.sort_keys import key_of

__all__ = ["collect", "survey"]

Array = npt.NDArray[Any]


@jit
def survey(
    bits: Array, floats: Array, terms: Array, valid: Array, codes: Array, low: Array, high: Array, is_signed: bool,
    whole: Array, total: Array, ends: Array, bins: Array,
) -> None:  # fmt: skip
    """Add up and find the extremes of each group, and fill its bins: that they are as many as the numbers says how many
    there are."""
    if codes.size == 0:
        _survey_alone(bits, floats, terms, valid, low, high, is_signed, whole, total, bins[0])
        _find_ends(bits, terms, valid, low, high, ends)
        return
    flip, smear, sign, magnitude, infinity = terms[0], terms[1], terms[2], terms[3], terms[4]
    base, shift, last, none = terms[5], terms[6], np.uint64(bins.shape[1] - 1), np.uint64(bins.shape[0] - 1)
    for r in range(low.size):
        for k in range(np.uint64(low[r]), np.uint64(high[r])):
            word = np.uint64(bits[k])
            if word & magnitude > infinity or (valid.size > 0 and valid[k] == 0):
                continue
            group = min(np.uint64(np.uint8(codes[k])), none)  # a code below 0 is a high one
            key = key_of(word, flip, smear, sign)
            bins[group, _bin(key, base, shift, last)] += np.uint32(1)
            if key < ends[group, 0]:
                ends[group, 0] = key
            if key > ends[group, 1]:
                ends[group, 1] = key
            if floats.size > 0:
                total[group] += floats[k]
            else:
                whole[group, 0] += _upper(word, is_signed)
                whole[group, 1] += np.int64(word & np.uint64(0xFFFFFFFF))


@jit
def _survey_alone(
    bits: Array, floats: Array, terms: Array, valid: Array, low: Array, high: Array, is_signed: bool, whole: Array,
    total: Array, bins: Array,
) -> None:  # fmt: skip
    """The same of one group, but for the extremes. Positions are unsigned, as are bins: else each is compared with 0,
    which takes a third of the time."""
    flip, smear, sign, magnitude, infinity = terms[0], terms[1], terms[2], terms[3], terms[4]
    base, shift, last = terms[5], terms[6], np.uint64(bins.size - 1)
    upper, lower, summed = 0, 0, 0.0
    for r in range(low.size):
        for k in range(np.uint64(low[r]), np.uint64(high[r])):
            word = np.uint64(bits[k])
            if word & magnitude > infinity or (valid.size > 0 and valid[k] == 0):
                continue
            bins[_bin(key_of(word, flip, smear, sign), base, shift, last)] += np.uint32(1)
            if floats.size > 0:
                summed += floats[k]
            else:
                upper += int(_upper(word, is_signed))
                lower += int(word & np.uint64(0xFFFFFFFF))
    whole[0, 0], whole[0, 1], total[0] = upper, lower, summed


@jit
def _find_ends(bits: Array, terms: Array, valid: Array, low: Array, high: Array, ends: Array) -> None:
    """The least and the greatest key: a loop without a branch, of which the compiler makes vectors."""
    word_of = bits.dtype.type  # in their own width twice as many fit into a vector
    flip, smear, sign = word_of(terms[0]), word_of(terms[1]), word_of(terms[2])
    magnitude, infinity = word_of(terms[3]), word_of(terms[4])
    full, none = ~word_of(0), word_of(0)
    least, most = full, none
    for r in range(low.size):
        for k in range(np.uint64(low[r]), np.uint64(high[r])):
            word = bits[k]
            key = word ^ (flip | (smear & (none - (word >> sign))))
            known = word & magnitude <= infinity and (valid.size == 0 or valid[k] != 0)
            least = min(least, key if known else full)
            most = max(most, key if known else none)
    if least <= most:
        ends[0, 0], ends[0, 1] = least, most


@jit
def collect(
    bits: Array, floats: Array, terms: Array, valid: Array, codes: Array, low: Array, high: Array, flags: Array,
    keys: Array, which: Array,
) -> int:  # fmt: skip
    """Write down the keys in flagged bins of their groups, and the groups; how many there are, those for which there
    was no room included."""
    flip, smear, sign, magnitude, infinity = terms[0], terms[1], terms[2], terms[3], terms[4]
    base, shift, last, none = terms[5], terms[6], np.uint64(flags.shape[1] - 1), np.uint64(flags.shape[0] - 1)
    group = none
    found = 0
    for r in range(low.size):
        for k in range(np.uint64(low[r]), np.uint64(high[r])):
            word = np.uint64(bits[k])
            if codes.size > 0:
                group = min(np.uint64(np.uint8(codes[k])), none)
            key = key_of(word, flip, smear, sign)
            if flags[group, _bin(key, base, shift, last)] == 0:
                continue
            if word & magnitude > infinity or (valid.size > 0 and valid[k] == 0):
                continue
            if found < keys.size:
                keys[found] = key
                which[found] = group
            found += 1
    return found


@jit
def _bin(key: np.uint64, base: np.uint64, shift: np.uint64, last: np.uint64) -> np.uint64:
    """The bin of a key: those below the window are in the first one, those above it in the last one."""
    above = key - base if key >= base else np.uint64(0)
    return np.uint64(min(above >> shift, last))


@jit
def _upper(word: np.uint64, is_signed: bool) -> np.int64:
    """The upper half of an integer. Halves are added by themselves, so that no sum overflows."""
    if is_signed:
        return np.int64(word) >> 32
    return np.int64(word >> np.uint64(32))
