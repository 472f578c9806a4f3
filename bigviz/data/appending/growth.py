"""How a dataset has grown: what tells one version of it from the version before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.data.columns.magnitudes import Magnitudes

__all__ = ["Correction", "Growth", "Mark", "Version"]


@dataclass(frozen=True, eq=False)
class Correction:
    """Rows that were given other values in a version: their numbers (int64), ascending. Those of old versions are told
    together, under the newest of them."""

    version: int
    rows: npt.NDArray[np.int64]


def _none(name: str, cancel: Cancel) -> Magnitudes:
    return Magnitudes()


@dataclass(frozen=True, eq=False)
class Growth:
    """What is known of the rows of one version of a dataset that can be appended to.

    `lineage` is the same for all versions until the dataset is replaced. `first_row` is the number of the first row
    that is still there: those before it were rolled over, and numbers never change. `corrections` are all there were,
    in order of their versions. `appends` holds the number of the first row of each append, ascending. `gone` gives the
    numbers that a column had in the rows before `first_row`, by size.
    """

    lineage: str
    first_row: int = 0
    corrections: tuple[Correction, ...] = ()
    appends: Sequence[int] = field(default=(), repr=False)
    gone: Callable[[str, Cancel], Magnitudes] = field(default=_none, repr=False)


class Version(Protocol):
    """What tells a version of a dataset from others: a `Dataset`, or a `Mark` that remembers one."""

    @property
    def lineage(self) -> str | None: ...

    @property
    def version(self) -> int: ...

    @property
    def num_rows(self) -> int: ...

    @property
    def first_row(self) -> int: ...

    @property
    def corrections(self) -> tuple[Correction, ...]: ...


@dataclass(frozen=True, eq=False)
class Mark:
    """A version of a dataset, remembered without its rows."""

    lineage: str | None
    version: int
    num_rows: int
    first_row: int
    corrections: tuple[Correction, ...]

    @classmethod
    def of(cls, version: Version) -> Mark:
        """The mark of a dataset, which may go then."""
        return cls(version.lineage, version.version, version.num_rows, version.first_row, version.corrections)
