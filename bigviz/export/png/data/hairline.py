"""Strokes no wider than a device pixel: two pixels a column, or a row, share each segment.

Source: Skia's antialiased hairlines (`SkScan_Antihair.cpp`; BSD licence), rewritten for lines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit

__all__ = ["draw_hairlines"]

Array = npt.NDArray[Any]
_ROUND: Final = math.pi / 8  # pixels that a round end goes on
_LONGEST: Final = 511 * 64  # 64ths of a pixel: longer segments are halved


def draw_hairlines(
    canvas: Array, paths: Sequence[Array], colour: tuple[int, int, int], opacity: float, rounded: bool
) -> None:
    """Draw paths (points, 2), in device pixels, over an opaque canvas (y, x, 3), segment by segment; a width below 1 is
    part of the opacity."""
    for path in paths:
        steps = np.hypot(*np.diff(path, axis=0).T) if len(path) > 1 else np.zeros(0)
        points = path[np.concatenate([[True], steps > 0])]
        if len(points) < 2:
            continue
        points = points.copy()
        if rounded:
            first, last = points[0] - points[1], points[-1] - points[-2]
            points[0] += first / np.hypot(*first) * _ROUND
            points[-1] += last / np.hypot(*last) * _ROUND
        places = np.trunc(points * 64).astype(np.int64)
        _draw(canvas, _halved(places), np.array(colour, np.float64), opacity)


def _halved(places: Array) -> Array:
    """Points with more between those that are far apart."""
    size = np.abs(np.diff(places, axis=0)).max(1)
    if (size <= _LONGEST).all():
        return places
    parts = [places[:1]]
    for start, stop, far in zip(places[:-1], places[1:], size, strict=True):
        count = 1 << max(0, math.ceil(math.log2(far / _LONGEST))) if far else 1
        shares = np.arange(1, count + 1)[:, None]
        parts.append(start + (stop - start) * shares // count)
    return np.concatenate(parts)


@jit
def _draw(canvas: Array, places: Array, colour: Array, opacity: float) -> None:
    for k in range(len(places) - 1):
        x0, y0, x1, y1 = places[k, 0], places[k, 1], places[k + 1, 0], places[k + 1, 1]
        steep = abs(x1 - x0) <= abs(y1 - y0)
        if steep:
            x0, y0, x1, y1 = y0, x0, y1, x1
        if x0 > x1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        if x0 == x1:
            continue
        slope = ((y1 - y0) << 16) // (x1 - x0)
        place = (y0 << 10) + ((slope * (32 - (x0 & 63)) + 32) >> 6) + (1 << 15)
        first, last = x0 >> 6, (x1 + 63) >> 6
        for at in range(first, last):
            share = 64
            if last - first == 1:
                share = x1 - x0
            elif at == first:
                share = 64 - (x0 & 63)
            elif at == last - 1 and x1 & 63:
                share = x1 & 63
            lower = (place >> 8) & 255
            _blend(canvas, at, (place >> 16) - 1, steep, ((255 - lower) * share) >> 6, colour, opacity)
            _blend(canvas, at, place >> 16, steep, (lower * share) >> 6, colour, opacity)
            place += slope


@jit
def _blend(canvas: Array, along: int, across: int, steep: bool, alpha: int, colour: Array, opacity: float) -> None:
    x, y = (across, along) if steep else (along, across)
    if x < 0 or y < 0 or x >= canvas.shape[1] or y >= canvas.shape[0]:
        return
    share = alpha / 255 * opacity
    for c in range(3):
        canvas[y, x, c] = int(canvas[y, x, c] * (1 - share) + colour[c] * share + 0.5)
