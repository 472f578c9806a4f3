"""Axes of few whole numbers or labels: their cells are drawn as bands about their numbers. As in
static/layers/tiles/bands.js."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.export.axes.nice_numbers import rounded
from bigviz.export.axes.span import Span

__all__ = ["Band", "banded", "bands_along"]

Array = npt.NDArray[Any]
Band = tuple[int, int, int]
"""In pixels from the low end of an axis: the one that holds a number's cells, and where these are to be seen."""

_LEAST_STEP: Final = 4  # device pixels from one whole number to the next, where they become bands
_GAP: Final = 0.06


def bands_along(s: Span, pixels: int, cell: float) -> list[Band] | None:
    """The bands of an axis of whole numbers whose cells are `cell` wide; None where it has none."""
    step = pixels / s.length
    if not step >= _LEAST_STEP or cell >= 1:
        return None
    gap = min(6, max(1, rounded(step * _GAP)))
    out = []
    for k in range(math.ceil(s.lo - 0.5), math.floor(s.hi + 0.5) + 1):
        at = math.floor((k + cell / 2 - s.lo) * step)
        if 0 <= at < pixels:
            first = rounded((k - 0.5 - s.lo) * step) + gap // 2
            out.append((at, first, rounded((k + 0.5 - s.lo) * step) - -(-gap // 2)))
    return out


def banded(pixels: Array, x: list[Band] | None, y: list[Band] | None) -> Array:
    """A picture (y, x, 4) of hairlines as one of bands."""
    height, width = pixels.shape[:2]
    if x is not None:
        pixels = _stretched(pixels, x, width)
    if y is not None:
        flipped = [(height - 1 - at, height - last, height - first) for at, first, last in y]
        pixels = _stretched(pixels.transpose(1, 0, 2), flipped, height).transpose(1, 0, 2)
    return pixels


def _stretched(pixels: Array, bands: list[Band], size: int) -> Array:
    """Columns drawn as wide as their bands; nothing elsewhere."""
    out = np.zeros_like(pixels)
    for at, first, last in bands:
        out[:, max(0, first) : max(0, min(size, last))] = pixels[:, at : at + 1]
    return out
