"""Axis spaces: from a column's numbers to the numbers that an axis is divided by.

`linear` and `datetime` keep the numbers. `log` takes log10 in float64. `mercator` takes degrees to fractions of the
world, from the west and from the south. What has no place on an axis becomes NaN, which is in no cell.

Logarithms and tangents are taken one at a time from the C library: numpy's vectorised ones differ from it, and from
each other between processors, in the last bit of one number in sixty.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root
from bigviz.aggregate.layer_options import AXIS_KINDS
from bigviz.common.errors import BadInput
from bigviz.common.jit import frozen, jit

Array = npt.NDArray[Any]
MOST_LATITUDE: Final = 85.0511287798066
WORLD: Final = Root(0, 0)  # [0, 1)
_BELOW_ONE: Final = math.nextafter(1.0, 0.0)
_POLE: Final = 700.0  # from where on the latitude is 90 in float64; beyond 710 its hyperbolic sine is no float64


@dataclass(frozen=True)
class Space:
    """One axis's space: `forward` and `inverse` of a number, and the root that all datasets have there, if one."""

    name: str
    forward: Callable[[Array, Array], None] | None = None
    inverse: Callable[[float], float] | None = None
    root: Root | None = None

    def map(self, values: Array, valid: Array | None) -> tuple[Array, Array | None]:
        """Numbers of a column (float32, float64, int64 or uint64) as numbers of the axis.

        Spaces that keep numbers return the arrays they got. The others return float64 with NaN for what has no place,
        and None: integers are rounded to float64 first.
        """
        if self.forward is None:
            return values, valid
        numbers = frozen(np.ascontiguousarray(values, np.float64))
        out = np.empty(len(numbers))
        self.forward(numbers, out)
        if valid is not None:
            out[~valid] = np.nan
        return out, None

    def value(self, number: float) -> float:
        """The column's number at a place on the axis."""
        return number if self.inverse is None else self.inverse(number)


def space(kind: str, axis: Literal["x", "y"]) -> Space:
    """The space of an axis of a kind. Raises BadInput for an unknown kind."""
    if kind == "mercator":
        return MERCATOR_X if axis == "x" else MERCATOR_Y
    for each in (LINEAR, LOG, DATETIME):
        if each.name == kind:
            return each
    raise BadInput(f"an axis is {', '.join(AXIS_KINDS[:-1])} or {AXIS_KINDS[-1]}, got {kind!r}", f"{axis}axis", kind)


@jit
def _log10(values: Array, out: Array) -> None:
    """log10; NaN for 0 and below."""
    for k in range(values.size):
        out[k] = math.log10(values[k]) if values[k] > 0.0 else math.nan


@jit
def _longitude(values: Array, out: Array) -> None:
    """(lon + 180) / 360, with 180 at -180.

    The sum rounds to 360 just west of 180; that stays in the world's last cell. Longitudes beyond 180 are not
    wrapped: they are numbers outside the root.
    """
    for k in range(values.size):
        degrees = values[k]
        if degrees == 180.0:
            out[k] = 0.0
        elif degrees < 180.0:
            out[k] = min((degrees + 180.0) / 360.0, _BELOW_ONE)
        else:
            out[k] = (degrees + 180.0) / 360.0


@jit
def _latitude(values: Array, out: Array) -> None:
    """1/2 + asinh(tan(lat)) / 2 pi: 0 at the southern end of the map, below 1 at the northern, NaN beyond both."""
    for k in range(values.size):
        degrees = values[k]
        if abs(degrees) <= MOST_LATITUDE:
            place = 0.5 + math.asinh(math.tan(degrees * (math.pi / 180.0))) / (2.0 * math.pi)
            out[k] = min(max(place, 0.0), _BELOW_ONE)
        else:
            out[k] = math.nan


def _degrees_north(place: float) -> float:
    angle = (place - 0.5) * 2.0 * math.pi
    return math.degrees(math.atan(math.sinh(min(max(angle, -_POLE), _POLE))))


def _degrees_east(place: float) -> float:
    return place * 360.0 - 180.0


def _power_of_ten(place: float) -> float:
    return math.pow(10.0, place) if place < 308.25 else math.inf


LINEAR: Final = Space("linear")
DATETIME: Final = Space("datetime")
LOG: Final = Space("log", _log10, _power_of_ten)
MERCATOR_X: Final = Space("mercator-x", _longitude, _degrees_east, WORLD)
MERCATOR_Y: Final = Space("mercator-y", _latitude, _degrees_north, WORLD)
