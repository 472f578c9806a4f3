"""The background that a colour map needs: high values must never fade into it. As in static/render/contrast.js."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy.typing as npt

__all__ = ["PLOT_DARK", "PLOT_LIGHT", "luminance", "wants_dark"]

PLOT_LIGHT: Final = (255, 255, 255)
PLOT_DARK: Final = (11, 13, 17)
_RISES: Final = 0.25
_DARKEST: Final = 0.03


def wants_dark(table: npt.NDArray[Any], dark: bool = False) -> bool:
    """Whether a plot in this map, (256, 3) bytes, has a dark ground: on a light page if the map rises to light, on a
    dark one unless it ends in the dark."""
    low, high = luminance(table[0].tolist()), luminance(table[-1].tolist())
    return high > _DARKEST if dark else high - low > _RISES


def luminance(rgb: Sequence[int]) -> float:
    """Relative luminance of sRGB bytes (WCAG 2), from 0 to 1."""
    red, green, blue = (_linear(byte / 255) for byte in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
