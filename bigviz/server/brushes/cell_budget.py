"""How many cells the brushes of all connections may have, which are held for as long as a brush lasts."""

from __future__ import annotations

import threading

from bigviz.common.errors import Busy, TooLarge

__all__ = ["CellBudget"]


class CellBudget:
    """Thread-safe. A brush has at most `of_one` cells, over all planes of all its targets, and all brushes `of_all`."""

    def __init__(self, of_one: int, of_all: int) -> None:
        self._of_one, self._of_all = of_one, of_all
        self._held: dict[object, int] = {}
        self._lock = threading.Lock()

    @property
    def cells(self) -> int:
        """How many are held."""
        with self._lock:
            return sum(self._held.values())

    def hold(self, brush: object, cells: int) -> None:
        """A brush has so many cells from now on. Raises TooLarge, and Busy where others leave it no room; it has what
        it had then."""
        if cells > self._of_one:
            raise TooLarge(
                f"The targets of a brush have at most {self._of_one:,} cells together, over all planes, got {cells:,}.",
                "targets",
                cells,
            )
        with self._lock:
            others = sum(self._held.values()) - self._held.get(brush, 0)
            if others + cells > self._of_all:
                raise Busy("Other brushes hold all the memory that there is for them: try again later.", "targets")
            self._held[brush] = cells

    def free(self, brush: object) -> None:
        """A brush is over."""
        with self._lock:
            self._held.pop(brush, None)
