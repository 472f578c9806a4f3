"""The background that a colour map needs: values must never fade into it. As in static/render/contrast.js."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["PLOT_DARK", "PLOT_LIGHT", "luminance", "seen_on", "wants_dark"]

PLOT_LIGHT: Final = (255, 255, 255)
PLOT_DARK: Final = (11, 13, 17)
_RISES: Final = 0.25
_DARKEST: Final = 0.03
_GROUNDS: Final = (0.98, 0.004)  # luminance of light and of dark ones, about
_SEEN: Final = 1.4  # from this contrast with the ground on (WCAG 2, 1 to 21) a single pixel is seen
_MOST: Final = 64  # colours of a map that are left out


def wants_dark(table: npt.NDArray[Any], dark: bool = False) -> bool:
    """Whether a plot in this map, (256, 3) bytes, has a dark ground: on a light page if the map rises to light, on a
    dark one unless it ends in the dark."""
    low, high = luminance(table[0].tolist()), luminance(table[-1].tolist())
    return high > _DARKEST if dark else high - low > _RISES


def seen_on(table: npt.NDArray[np.uint8], dark: bool) -> npt.NDArray[np.uint8]:
    """A map, (256, 3) bytes, without its first colours where they fade into the ground: single rows among many have the
    first one, and are to be seen. Those that are left are stretched over all 256 places."""
    first = next((k for k in range(_MOST) if _contrast(table[k].tolist(), _GROUNDS[dark]) >= _SEEN), _MOST)
    stretched: npt.NDArray[np.uint8] = table[first + (np.arange(256) * (255 - first) + 127) // 255]
    return stretched


def _contrast(rgb: Sequence[int], ground: float) -> float:
    own = luminance(rgb)
    return (max(own, ground) + 0.05) / (min(own, ground) + 0.05)


def luminance(rgb: Sequence[int]) -> float:
    """Relative luminance of sRGB bytes (WCAG 2), from 0 to 1."""
    red, green, blue = (_linear(byte / 255) for byte in rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
