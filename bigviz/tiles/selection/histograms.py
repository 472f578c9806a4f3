"""Histograms that threads fill side by side, and their sum."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Histograms"]

Array = npt.NDArray[Any]


class Histograms:
    """One (uint32, of a `shape`) for each thread that runs at a time."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._free: list[Array] = []
        self._all: list[Array] = []
        self._lock = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[Array]:
        """A histogram that nobody else adds to meanwhile."""
        with self._lock:
            if self._free:
                counts = self._free.pop()
            else:
                counts = np.zeros(self._shape, np.uint32)
                self._all.append(counts)
        try:
            yield counts
        finally:
            with self._lock:
                self._free.append(counts)

    def total(self) -> npt.NDArray[np.int64]:
        """The sum of all of them."""
        total = np.zeros(self._shape, np.int64)
        for each in self._all:
            total += each
        return total
