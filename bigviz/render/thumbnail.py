"""Pixels of a small picture: layers over each other, lone pixels grown, lines drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

__all__ = ["ACCENTS", "bar_pixels", "grown", "line_pixels", "over"]

Pixels = npt.NDArray[np.uint8]
Rgba = tuple[int, int, int, int]

ACCENTS: Final[tuple[Rgba, ...]] = (
    (59, 130, 246, 255), (249, 115, 22, 255), (20, 184, 166, 255), (168, 85, 247, 255), (202, 138, 4, 255),
    (236, 72, 153, 255),
)  # fmt: skip
"""Of lines and marks: with 3:1 at least, or nearly so, against the ground of a light page and of a dark one."""
_FINER: Final = 2  # a line is drawn so many times as large, then shrunk, which smooths it


def over(below: Pixels, above: Pixels) -> Pixels:
    """RGBA pixels (y, x, 4), not premultiplied, over others of the same shape."""
    upper, lower = above[..., 3:].astype(np.float64) / 255, below[..., 3:].astype(np.float64) / 255
    rest = lower * (1 - upper)
    alpha = upper + rest
    colour = above[..., :3] * upper + below[..., :3] * rest
    out = np.empty_like(below)
    out[..., :3] = np.rint(colour / np.where(alpha > 0, alpha, 1))
    out[..., 3:] = np.rint(alpha * 255)
    return out


def grown(pixels: Pixels, radius: int) -> Pixels:
    """Each pixel as a disc: a transparent one takes the colour of the nearest one no more than `radius` away."""
    steps = range(-radius, radius + 1)
    near = sorted(((dy, dx) for dy in steps for dx in steps), key=lambda step: step[0] ** 2 + step[1] ** 2)
    out = pixels.copy()
    height, width = pixels.shape[:2]
    for dy, dx in near:
        if dy * dy + dx * dx > radius * radius + radius:
            continue
        to = np.s_[max(dy, 0) : height + min(dy, 0), max(dx, 0) : width + min(dx, 0)]
        source = np.s_[max(-dy, 0) : height + min(-dy, 0), max(-dx, 0) : width + min(-dx, 0)]
        here, there = out[to], pixels[source]
        empty = (here[..., 3] == 0) & (there[..., 3] > 0)
        here[empty] = there[empty]
    return out


def bar_pixels(
    left: npt.NDArray[np.float64],
    right: npt.NDArray[np.float64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
    size: Sequence[int],
    colour: Rgba,
) -> Pixels:
    """Rectangles of one colour, by their sides in pixels from the top left of a picture of `size` (width, height)."""
    width, height = size
    out = np.zeros((height, width, 4), np.uint8)
    columns = np.stack([np.clip(np.floor(left + 0.5), 0, width), np.clip(np.ceil(right - 0.5), 0, width)]).astype(int)
    down = np.clip(np.rint(np.sort(np.stack([low, high]), axis=0)), 0, height).astype(int)
    for x0, x1, y0, y1 in zip(*columns.tolist(), *down.tolist(), strict=True):
        out[y0:y1, x0 : max(x1, x0 + 1)] = colour
    return out


def line_pixels(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], runs: npt.NDArray[Any], size: Sequence[int], colour: Rgba
) -> Pixels:
    """A smooth line through positions in pixels from the top left of a picture of `size` (width, height).

    Consecutive positions of the same run are joined; one alone in its run is a dot.
    """
    width, height = size
    image = Image.new("L", (width * _FINER, height * _FINER))
    draw = ImageDraw.Draw(image)
    points = np.clip(np.stack([x, y], 1) * _FINER, -(1 << 14), 1 << 14)
    for part in np.split(points, np.flatnonzero(np.diff(runs)) + 1):
        if len(part) > 1:
            draw.line([tuple(point) for point in part.tolist()], fill=255, width=_FINER + 1)
        elif len(part):
            (across, down) = part[0].tolist()
            draw.ellipse((across - _FINER, down - _FINER, across + _FINER, down + _FINER), fill=255)
    ink = np.asarray(image.resize((width, height), Image.Resampling.BOX), np.float64) / 255
    out = np.empty((height, width, 4), np.uint8)
    out[..., :3] = colour[:3]
    out[..., 3] = np.rint(ink * colour[3])
    return out
