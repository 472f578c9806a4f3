"""What the colours of a level are chosen by: the values of its filled cells."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["LevelValues"]


class LevelValues(NamedTuple):
    """Finite values of filled cells, 1-D, and how many cells each stands for (int64; 0 where it is known as an extreme
    alone). The lowest and the highest are those of all cells."""

    values: npt.NDArray[Any]
    weights: npt.NDArray[np.int64]
