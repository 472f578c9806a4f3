"""A finished tile and what it cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.tiles.grid.tile_key import TileKey
from bigviz.wire.codec import EncodedPlane

__all__ = ["Cost", "Drawn", "Estimate", "Tile", "microseconds"]


@dataclass
class Cost:
    """Microseconds of waiting, of kernels and of encoding; rows read, and bytes of rows and planes."""

    queue_us: int = 0
    kernel_us: int = 0
    encode_us: int = 0
    rows: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """The planes of a tile as the wire has them, and what they cost. It refers to nothing else, so it can be kept."""

    planes: tuple[EncodedPlane, ...]
    cost: Cost

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(plane.nbytes for plane in self.planes) + 200

    @property
    def wire_bytes(self) -> int:
        """Bytes of the payloads."""
        return sum(len(plane.payload) for plane in self.planes)


@dataclass(frozen=True)
class Estimate:
    """What an estimate is of: the share of the table's rows, the standard error of a cell's value (root mean square
    over the filled cells; None where it is not known), and whether those rows are the table's first ones."""

    share: float
    error: float | None
    start: bool


@dataclass(frozen=True)
class Tile:
    """The planes of a tile as the wire has them; `arrays()` computes what HTTP sends."""

    key: TileKey
    planes: list[EncodedPlane]
    cost: Cost
    exact: Callable[[], list[npt.NDArray[Any]]] = field(repr=False, compare=False)

    def arrays(self) -> list[npt.NDArray[Any]]:
        """One (256, 256) array a plane, row 0 the highest y, in the types of docs/reference.md, "Payloads".

        Cells without a value are 0 for count and any, 0 and masked (numpy.ma) for sum, NaN for other floats, and masked
        for other integers.
        """
        return [np.asanyarray(array) for array in self.exact()]


def microseconds(seconds: float) -> int:
    """Seconds as whole microseconds."""
    return round(seconds * 1e6)
