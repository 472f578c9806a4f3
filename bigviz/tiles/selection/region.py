"""What a viewer draws around rows: a box, a lasso, or a range of x."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import NEVER, Cancel
from bigviz.tiles.grid.window import Number, check_window, within
from bigviz.tiles.selection.polygon import Polygon

__all__ = ["Lasso", "Rectangle", "Region", "Strip"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]


class Region(Protocol):
    """A part of the plane in axis space."""

    @property
    def windows(self) -> tuple[Window, Window | None]:
        """The half-open windows of x and y that hold it; None: all y."""

    def holds(self, x: Array, y: Array, cancel: Cancel = NEVER) -> npt.NDArray[np.bool_]:
        """Which points lie in it, exactly; numbers are float32, float64, int64 or uint64, NaN lies nowhere."""


@dataclass(frozen=True)
class Rectangle:
    """The half-open box `[x0, x1) x [y0, y1)`. Raises BadInput for ends that do not ascend."""

    x: Window
    y: Window

    def __post_init__(self) -> None:
        check_window(*self.x, "x")
        check_window(*self.y, "y")

    @property
    def windows(self) -> tuple[Window, Window | None]:
        return self.x, self.y

    def holds(self, x: Array, y: Array, cancel: Cancel = NEVER) -> npt.NDArray[np.bool_]:
        return np.logical_and(within(x, *self.x), within(y, *self.y))


@dataclass(frozen=True)
class Strip:
    """The half-open range `[x0, x1)` of x, at every y that is a number. Raises BadInput for ends that do not ascend."""

    x: Window

    def __post_init__(self) -> None:
        check_window(*self.x, "x")

    @property
    def windows(self) -> tuple[Window, Window | None]:
        return self.x, None

    def holds(self, x: Array, y: Array, cancel: Cancel = NEVER) -> npt.NDArray[np.bool_]:
        inside = within(x, *self.x)
        return np.logical_and(inside, np.isfinite(y)) if y.dtype.kind == "f" else inside


@dataclass(frozen=True)
class Lasso:
    """A polygon: even-odd, and an edge belongs to the polygon on its right. Raises BadInput for fewer than 3 points."""

    polygon: Polygon

    @classmethod
    def of(cls, vertices: list[tuple[Number, Number]]) -> Lasso:
        """The lasso through points in order, closed."""
        return cls(Polygon(tuple(vertices)))

    @property
    def windows(self) -> tuple[Window, Window | None]:
        return self.polygon.bounds

    def holds(self, x: Array, y: Array, cancel: Cancel = NEVER) -> npt.NDArray[np.bool_]:
        return self.polygon.holds(x, y, cancel)
