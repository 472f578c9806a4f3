"""What a figure shows: two ranges and a size in device pixels. As in static/geometry/view.js."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from bigviz.export.axes.span import Span, padded
from bigviz.wire.offsets import offsets

__all__ = ["View", "window_ends"]

Number = int | float
_LAST_TIME = (1 << 63) - 1
_LAST_WHOLE = 1 << 64
_TINY = 2.0**-900


@dataclass(frozen=True)
class View:
    """Ranges of x and y, and the plot's size in device pixels; `locked` keeps one unit of x as long as one of y."""

    x: Span
    y: Span
    width: int
    height: int
    locked: bool = False

    def lock(self) -> View:
        """A locked view in which both axes have the same length a pixel: the denser one shows more about its middle."""
        if not self.locked:
            return self
        x, y = self.x.length / self.width, self.y.length / self.height
        if abs(x / y - 1) < 1e-12:
            return self
        if x < y:
            return replace(self, x=padded(self.x, (y / x - 1) / 2))
        return replace(self, y=padded(self.y, (x / y - 1) / 2))

    def resized(self, width: int, height: int) -> View:
        """The same ranges (a locked view shows more of one) at another size."""
        return replace(self, width=width, height=height).lock()

    def across(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """Device pixels from the left of axis numbers."""
        return _pixels(values, self.x, self.width)

    def down(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
        """Device pixels from the top of axis numbers."""
        return self.height - _pixels(values, self.y, self.height)


def window_ends(s: Span, exact: bool, times: bool) -> tuple[Number, Number]:
    """The ends of the window that the page asks for: whole numbers on exact axes, within what their columns hold."""
    if not exact or not s.exact:
        return s.lo + s.origin, s.hi + s.origin
    most = _LAST_TIME if times else _LAST_WHOLE
    start, end = (
        max(-most, min(most, s.origin + math.floor(edge + 0.5))) for edge in (math.floor(s.lo), math.ceil(s.hi))
    )
    return start, max(end, start + 1)


def _pixels(values: npt.NDArray[np.generic], s: Span, pixels: int) -> npt.NDArray[np.float64]:
    unit = 2.0**500 if s.length < _TINY else 1.0
    return (offsets(values, s.origin) - s.lo) * unit * (pixels / (s.length * unit))
