"""Arrays whose memory comes in small pages."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["in_small_pages"]


def in_small_pages(rows: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """An array of so many rows, not yet set, whose memory the system gives in small pages, when they are written.

    numpy asks for huge ones, for which the system may have to move others together, or a virtual machine's host to
    find memory first: that takes 4 ms a MB where it does, and an array that is written once by a pass and read in
    order gains nothing by them.
    """
    kind = np.dtype(dtype)
    if not rows:
        return np.empty(0, kind)
    private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
    return np.frombuffer(mmap.mmap(-1, rows * kind.itemsize, **private), kind)
