"""Sparse pictures are hard to see: their pixels are spread over the empty ones around. As in
static/render/spread.js."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["spread"]

Array = npt.NDArray[Any]
_SPARSE: Final = 1 / 8  # a picture of more filled pixels than this share is not sparse
_CROWDED: Final = 0.5  # spread while at most this share of filled pixels would have another one within reach
_ROOM: Final = 1 / 20  # few pixels are spread however near they are, to cover this share of the picture at most
_FARTHEST: Final = 2  # the largest reach in CSS pixels
_LOOKED: Final = 4096


def spread(pixels: Array, values: Array, filled: npt.NDArray[np.bool_], dpr: float) -> Array:
    """The pixels (y, x, 4) with the colours of filled ones also on empty ones near them, by how alone they are; where
    several reach one, the highest of `values` (y, x) shows."""
    places = np.flatnonzero(filled)
    radius = _radius(filled, places, dpr) if 0 < len(places) <= math.floor(filled.size * _SPARSE) else 0
    if radius == 0:
        return pixels
    height, width = filled.shape
    best = np.full(filled.size, -1, np.int64)
    numbers = values.ravel()
    for dx, dy in _disc(radius + 0.25):
        column, row = places % width + dx, places // width + dy
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        source, target = places[inside], (row * width + column)[inside]
        free = ~filled.ravel()[target]
        source, target = source[free], target[free]
        now = best[target]
        old, new = numbers[np.maximum(now, 0)], numbers[source]
        better = (now < 0) | (new > old) | ((new == old) & (source < now))
        best[target[better]] = source[better]
    out = pixels.reshape(-1, 4).copy()
    reached = np.flatnonzero(best >= 0)
    out[reached] = out[best[reached]]
    return out.reshape(pixels.shape)


def _radius(filled: npt.NDArray[np.bool_], places: Array, dpr: float) -> int:
    """How many pixels far a picture is to be spread; 0 where it is dense."""
    step = math.ceil(dpr / 2)
    radius, following = 0, step
    while following <= _FARTHEST * dpr and (
        len(places) * (1 + len(_disc(following + 0.25))) <= _ROOM * filled.size
        or _crowded(filled, places, following) <= _CROWDED
    ):
        radius, following = following, following + step
    return radius


def _crowded(filled: npt.NDArray[np.bool_], places: Array, radius: int) -> float:
    """The share of filled pixels that have another one within twice a radius."""
    height, width = filled.shape
    looked = places[:: max(1, len(places) // _LOOKED)]
    near = np.zeros(len(looked), np.bool_)
    for dx, dy in _disc(2 * radius):
        column, row = looked % width + dx, looked // width + dy
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        near[inside] |= filled[row[inside], column[inside]]
    return float(near.mean())


def _disc(radius: float) -> list[tuple[int, int]]:
    """Offsets (x, y) within a radius, without (0, 0)."""
    steps = range(-math.floor(radius), math.floor(radius) + 1)
    return [(dx, dy) for dy in steps for dx in steps if (dx or dy) and math.hypot(dx, dy) <= radius]
