"""How a dataset has grown: what tells one version of it from the version before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["Correction", "Growth"]


@dataclass(frozen=True, eq=False)
class Correction:
    """Rows that were given other values in a version: their numbers (int64), ascending. Those of old versions are told
    together, under the newest of them."""

    version: int
    rows: npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Growth:
    """What is known of the rows of one version of a dataset that can be appended to.

    `lineage` is the same for all versions until the dataset is replaced. `first_row` is the number of the first row
    that is still there: those before it were rolled over, and numbers never change. `corrections` are all there were,
    in order of their versions. `appends` holds the number of the first row of each append, ascending.
    """

    lineage: str
    first_row: int = 0
    corrections: tuple[Correction, ...] = ()
    appends: Sequence[int] = field(default=(), repr=False)
