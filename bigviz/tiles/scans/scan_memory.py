"""What passes over a source have found out: where its pieces lie, and which windows have few rows or many."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from bigviz.tiles.answers.marks import MOST_MARKS
from bigviz.tiles.grid.tile_key import Codes, TileKey
from bigviz.tiles.scans.tile_assignment import BLOCKS
from bigviz.tiles.scans.window_rows import Focus, contains

__all__ = ["Learnt"]

_FOCUSES: Final = 2
_WINDOWS: Final = 32  # remembered to have more rows than are picked
_COUNTED: Final = 1024  # tiles whose rows are known block by block: 2 KB each


@dataclass(frozen=True)
class _Counted:
    key: TileKey
    rows: npt.NDArray[np.int64]

    def least(self, codes: Codes) -> int:
        """The rows of its blocks that lie in a rectangle whole."""
        x0, x1, y0, y1 = self.key.codes
        across = _inner(x0, x1, codes[0], codes[1])
        up = _inner(y0, y1, codes[2], codes[3])
        return int(self.rows[BLOCKS - up[1] : BLOCKS - up[0], across[0] : across[1]].sum())


class Learnt:
    """Safe to use from any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._boxes: dict[int, Codes | None] = {}
        self._focuses: deque[Focus] = deque(maxlen=_FOCUSES)
        self._many: deque[Codes] = deque(maxlen=_WINDOWS)
        self._counted: deque[_Counted] = deque(maxlen=_COUNTED)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        with self._lock:
            return sum(focus.nbytes for focus in self._focuses) + len(self._counted) * BLOCKS * BLOCKS * 8

    def boxes(self, boxes: Mapping[int, Codes | None]) -> None:
        """The codes of the rows of whole pieces; None for one without a row in both roots."""
        with self._lock:
            self._boxes.update(boxes)

    def counted(self, keys: Sequence[TileKey], blocks: npt.NDArray[np.int64]) -> None:
        """The rows of the blocks of tiles."""
        with self._lock:
            self._counted.extend(_Counted(key, blocks[slot].copy()) for slot, key in enumerate(keys))

    def focused(self, focus: Focus) -> None:
        """All rows of a rectangle."""
        with self._lock:
            self._focuses.append(focus)

    def crowded(self, codes: Codes) -> None:
        """A rectangle has more rows than are sent as rows."""
        with self._lock:
            self._many.append(codes)

    def may_hold(self, piece: int, codes: Codes | None) -> bool:
        """Whether a piece may have rows in a rectangle (None: in none of the roots)."""
        with self._lock:
            if piece not in self._boxes:
                return True
            box = self._boxes[piece]
        if box is None or codes is None:
            return False
        return box[0] <= codes[1] and codes[0] <= box[1] and box[2] <= codes[3] and codes[2] <= box[3]

    def focus(self, codes: Codes) -> Focus | None:
        """The rows of a rectangle, if they are in memory."""
        with self._lock:
            return next((each for each in reversed(self._focuses) if contains(each.codes, codes)), None)

    def is_crowded(self, codes: Codes) -> bool:
        """Whether a rectangle is known to have more rows than are sent as rows."""
        with self._lock:
            many, counted = list(self._many), list(self._counted)
        if any(contains(codes, each) for each in many):
            return True
        levels: dict[tuple[int, int], dict[TileKey, int]] = {}
        for each in counted:
            levels.setdefault((each.key.zx, each.key.zy), {})[each.key] = each.least(codes)
        return any(sum(rows.values()) > MOST_MARKS for rows in levels.values())


def _inner(start: int, stop: int, low: int, high: int) -> tuple[int, int]:
    """The blocks (first, end) of the codes start .. stop that lie within low .. high."""
    size = (stop + 1 - start) // BLOCKS
    first = max(0, -(-(low - start) // size))
    end = min(BLOCKS, (high + 1 - start) // size)
    return (first, end) if first < end else (0, 0)
