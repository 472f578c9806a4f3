"""The pixels that a mark covers, by its shape, its radius, and where in a pixel its centre lies.

As in static/render/marks.js.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.export.axes.nice_numbers import rounded

__all__ = ["OUTLINED", "Stamp", "Stamps", "centred", "joined", "phases_of", "radius_for", "stamp_of"]

Array = npt.NDArray[Any]
Stamps = tuple[Array, Array, Array, Array, Array, Array]
OUTLINED: Final = 2  # from this radius on (CSS pixels) marks have an outline
_LARGEST: Final = 4  # radii of marks in CSS pixels: few ones are easy to see, many leave room for each other
_SMALLEST: Final = 1
_PARTS: Final = ("dx", "dy", "alpha", "core", "edge")
_COVERED: Final = 0.2  # the share of the plot that marks would cover without overlapping
_PHASES: Final = 4  # positions within a pixel that are told apart, on each axis
_CRISP: Final = 2  # smaller marks stand on whole pixels
_BROAD: Final = 24  # of larger ones it does not show
_BAR: Final = 0.16  # half the thickness of the bars of crosses, as a share of their radius
_SLIM: Final = 0.7  # width of a diamond, as a share of its height
_INNER: Final = 1 / math.sqrt(3)


@dataclass(frozen=True)
class Stamp:
    """Offsets of a mark's pixels from the one that holds its centre (int64), and how far each is covered: `alpha`
    uint8, `core` at least half, `edge` those of the core that are its outline."""

    dx: Array
    dy: Array
    alpha: Array
    core: Array
    edge: Array


def radius_for(marks: int, area: float) -> float:
    """The radius of so many marks on a plot of `area` CSS pixels."""
    return min(_LARGEST, max(_SMALLEST, math.sqrt(_COVERED * area / (math.pi * max(1, marks)))))


def phases_of(x: Array, y: Array, radius: float) -> tuple[Array, list[tuple[float, float]]]:
    """For positions in device pixels the number of the place within a pixel where each is drawn, and those places."""
    if radius < _CRISP or radius > _BROAD:
        return np.zeros(len(x), np.int64), [(0.5, 0.5)]
    steps = [np.minimum(_PHASES - 1, np.floor((each - np.floor(each)) * _PHASES)).astype(np.int64) for each in (x, y)]
    places = [((k % _PHASES + 0.5) / _PHASES, (k // _PHASES + 0.5) / _PHASES) for k in range(_PHASES**2)]
    return _PHASES * steps[1] + steps[0], places


@lru_cache(512)
def stamp_of(radius: float, fx: float, fy: float, outlined: bool, shape: str) -> Stamp:
    """The pixels of a mark whose centre lies at (fx, fy) of its pixel; the radius, in device pixels, is rounded to a
    quarter."""
    size = rounded(radius * 4) / 4
    reach = math.ceil(1.2 * size + 1)  # a triangle's tip
    dy, dx = (each.ravel() for each in np.mgrid[-reach : reach + 1, -reach : reach + 1])
    covered = _depth(shape, dx + 0.5 - fx, dy + 0.5 - fy, size) + 0.5
    kept = covered > 0.05
    dx, dy, covered = dx[kept], dy[kept], covered[kept]
    alpha = np.floor(np.minimum(1, covered) * 255 + 0.5).astype(np.uint8)
    core = alpha >= 128
    edge = core & (covered < 1 + size / 12) if outlined else np.zeros(len(core), np.bool_)
    return Stamp(dx.astype(np.int64), dy.astype(np.int64), alpha, core, edge)


def centred(radius: float, shape: str) -> Stamp:
    """A mark in the middle of its pixel, without an outline."""
    return stamp_of(radius, 0.5, 0.5, False, shape)


def joined(stamps: Sequence[Stamp]) -> Stamps:
    """Stamps one after another, for kernels: where each begins, then dx, dy, alpha, core and edge of all."""
    starts = np.cumsum([0, *(len(each.dx) for each in stamps)])
    dx, dy, alpha, core, edge = (np.concatenate([getattr(each, name) for each in stamps]) for name in _PARTS)
    return starts, dx, dy, alpha, core, edge


def _depth(shape: str, x: Array, y: Array, radius: float) -> Array:
    """How far inside a shape's edge places lie, negative outside; y grows downwards."""
    across, down = np.abs(x), np.abs(y)
    if shape == "square":
        return radius - np.maximum(across, down)
    if shape == "diamond":
        return (radius - across / _SLIM - down) / math.hypot(1 / _SLIM, 1)
    if shape == "triangle":
        inner = _INNER * radius
        return np.minimum(inner - y, inner + y / 2 - across * math.sqrt(3) / 2)
    if shape == "cross":
        return _in_bars(across, down, radius)
    if shape == "x":
        half = math.sqrt(0.5)
        return _in_bars(np.abs(x + y) * half, np.abs(x - y) * half, radius)
    return radius - np.hypot(x, y)


def _in_bars(a: Array, b: Array, radius: float) -> Array:
    bar = max(0.5, _BAR * radius)
    return np.maximum(np.minimum(radius - a, bar - b), np.minimum(radius - b, bar - a))
