"""Row numbers in runs of neighbours, each of which is worth one reading."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["near_runs"]


def near_runs(rows: npt.NDArray[Any], near: int) -> list[npt.NDArray[Any]]:
    """Ascending numbers cut where the next one is more than `near` away; one empty run of none."""
    return np.split(rows, np.flatnonzero(np.diff(rows) > near) + 1)
