"""The finished order, read once more: checked to be sorted and whole, and summed block by block."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.common.workers import SLICE, Crew, slices
from bigviz.common.xxh64 import BLOCK, block_count, sum_blocks
from bigviz.tiles.morton.packed_rtree import BOXED, boxes_of
from bigviz.tiles.store.files.unordered_digest import digests
from bigviz.tiles.store.order.partition import Dealt, Files
from bigviz.tiles.store.order.plan import Plan

__all__ = ["PITCH", "Checks", "Torn", "check_order"]

Array = npt.NDArray[Any]

PITCH: Final = BLOCK // 8  # keys between two fences
_LEAD: Final = 8  # numbers before a piece, of which the last is read: so the piece begins at a whole word


class Torn(Exception):
    """The files do not hold the rows that were written: the machine stopped before they were on its disk."""


@dataclass(frozen=True)
class Checks:
    """The sums of the blocks of each file, in the order of `Files.all`, the first key of each block of keys, and the
    boxes of each 256 keys."""

    sums: list[npt.NDArray[np.uint64]]
    fences: npt.NDArray[np.uint64]
    boxes: npt.NDArray[np.uint32]


def check_order(plan: Plan, dealt: Dealt, files: Files, crew: Crew) -> Checks:
    """Read everything back. Raises `Torn` if rows are out of order, or are not those that were dealt."""
    rows = plan.survey.inside
    checks = Checks(
        [np.empty(block_count(rows * file.dtype.itemsize), np.uint64) for file in files.all],
        np.empty(-(-rows // PITCH), np.uint64),
        np.empty((-(-rows // BOXED), 4), np.uint32),
    )
    starts = plan.buckets.starts
    found = np.zeros_like(dealt.digests)
    lock = threading.Lock()
    held = threading.local()

    def look(piece: tuple[int, int]) -> int:
        start, stop = piece
        if not hasattr(held, "arrays"):
            held.arrays = [np.empty(SLICE + _LEAD, file.dtype) for file in files.all]
        before = int(start > 0)  # the row before the piece, which begins at a whole block
        arrays = [array[_LEAD - before : _LEAD + stop - start] for array in held.arrays]
        for file, out in zip(files.all, arrays, strict=True):
            file.read(start - before, out)
        if not _ascending(frozen(arrays[0]), frozen(arrays[1])):
            raise Torn
        arrays = [array[before:] for array in arrays]
        for sums, array in zip(checks.sums, arrays, strict=True):
            first = start * array.itemsize // BLOCK
            part = sum_blocks(array)
            sums[first : first + len(part)] = part
        checks.fences[start // PITCH : start // PITCH + -(-(stop - start) // PITCH)] = arrays[0][::PITCH]
        checks.boxes[start // BOXED : start // BOXED + -(-(stop - start) // BOXED)] = boxes_of(arrays[0])
        low, high = np.searchsorted(starts, [start, stop - 1], "right") - 1  # the first and the last bucket
        bounds = np.clip(starts[low : high + 2], start, stop) - start
        parts = [digests(array, arrays[1], bounds) for array in (arrays[0], *arrays[2:])]
        with lock:
            found[:, low : high + 1] += np.array(parts)
        return stop - start

    crew.run("checking", look, slices(rows), rows)
    if not np.array_equal(found, dealt.digests):
        raise Torn
    return checks


@jit
def _ascending(keys: Array, rows: Array) -> bool:
    """Whether keys ascend, and row numbers where keys are equal."""
    for k in range(1, keys.size):
        if keys[k - 1] > keys[k] or (keys[k - 1] == keys[k] and rows[k - 1] >= rows[k]):
            return False
    return True
