"""A tile of counts from what all parts have of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Unreadable
from bigviz.tiles.cluster.messages import Answer
from bigviz.tiles.cluster.planes.packed_counts import add_packed
from bigviz.wire.codec import SIDE

__all__ = ["added_counts"]

Counts = npt.NDArray[np.uint32]


def added_counts(answers: Sequence[Answer], categories: int | None, own: bool, cancel: Cancel) -> Counts:
    """The counts of a tile: (256, 256), or (categories, 256, 256). With `own` in memory of their own; else the
    thread's next call writes over a single plane. Raises Unreadable for what `tile_of_part` did not write."""
    planes = 1 if categories is None else categories
    parts = [_planes_of(answer, planes) for answer in answers]
    shared = categories is None and not own
    counts = _scratch.counts[None] if shared else np.empty((planes, SIDE, SIDE), np.uint32)
    for number, plane in enumerate(counts):
        cancel.check()
        add_packed([part[number] for part in parts], plane)
    return counts[0] if categories is None else counts


def _planes_of(answer: Answer, planes: int) -> Sequence[bytes | memoryview]:
    """The packed planes of a part."""
    (body,), sizes = answer.bodies, answer.head["packed"]
    if len(sizes) != planes or sum(sizes) != len(body) or min(sizes, default=0) < 0:
        words = f"A worker sent planes of {sizes} bytes in {len(body)}, where {planes} of them were expected."
        raise Unreadable(words, "tiles", len(body))
    if planes == 1:
        return (body,)
    whole = memoryview(body)
    return [whole[start:stop] for start, stop in pairwise(accumulate(sizes, initial=0))]


class _Scratch(threading.local):
    """Room for a plane, for each thread: a new array costs page faults, which take as long as filling it."""

    def __init__(self) -> None:
        self.counts = np.empty((SIDE, SIDE), np.uint32)


_scratch = _Scratch()
