"""What the colours of a level are chosen by: the values of its filled cells."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["KnownLevel", "Level", "LevelSource", "LevelValues"]

Level = tuple[int, int]
"""A level of tiles: on x, and on y."""

LevelSource = Literal["none", "tiles", "sample", "summary"]
"""Where the values come from that the colours of a layer's levels are chosen by now: from no built layer, from the
tiles, from some cells of deep levels, or from all cells. What comes from one of them is always the same."""


class LevelValues(NamedTuple):
    """Finite values of filled cells, 1-D, and how many cells each stands for (int64; 0 where it is known as an extreme
    alone). The lowest and the highest are those of all cells."""

    values: npt.NDArray[Any]
    weights: npt.NDArray[np.int64]


class KnownLevel(NamedTuple):
    """What is known of a level without its tiles (None: nothing), and where it comes from."""

    source: LevelSource
    values: LevelValues | None
