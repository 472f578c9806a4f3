"""Pixels over others, as a canvas of 8 bits a channel adds them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import jit
from bigviz.export.png.data.ink import Placed
from bigviz.export.png.data.stamps import joined, phases_of, stamp_of

__all__ = ["draw_over", "draw_sprites", "draw_veiled"]

Array = npt.NDArray[Any]
Rgb = tuple[int, int, int]


def draw_over(canvas: Array, pixels: Array) -> None:
    """Draw pixels (y, x, 4), not premultiplied, over an opaque canvas (y, x, 3), both uint8."""
    alpha = pixels[..., 3:].astype(np.uint32)
    upper = (pixels[..., :3] * alpha + 127) // 255
    canvas[...] = upper + (canvas * (255 - alpha) + 127) // 255


def draw_veiled(canvas: Array, colour: Rgb, alpha: Array) -> None:
    """Draw one colour over an opaque canvas (y, x, 3), as far as `alpha` (y, x), 0 to 1, says."""
    shown = alpha[..., None]
    canvas[...] = np.floor(canvas * (1 - shown) + np.array(colour) * shown + 0.5)


def draw_sprites(canvas: Array, marks: Placed, radius: float, shape: str, colour: Rgb, opacity: float) -> None:
    """Draw marks of one colour over an opaque canvas, one after the other."""
    height, width = canvas.shape[:2]
    plain = stamp_of(radius, 0.5, 0.5, False, shape)
    reach = 1 + int(max(np.abs(plain.dx).max(initial=0), np.abs(plain.dy).max(initial=0)))
    near = (marks.x > -reach) & (marks.x < width + reach) & (marks.y > -reach) & (marks.y < height + reach)
    x, y = marks.x[near], marks.y[near]
    numbers, places = phases_of(x, y, radius)
    starts, dx, dy, alpha, *_ = joined([stamp_of(radius, fx, fy, False, shape) for fx, fy in places])
    columns, rows = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    shown = int(opacity * 255 + 0.5)
    inks = [(alpha.astype(np.int64) * channel + 127) // 255 for channel in (*colour, 255)]
    ink = np.stack([(each * shown + 127) // 255 for each in inks], 1)
    _draw((starts, dx, dy, ink), (columns, rows, numbers), reach, canvas)


@jit
def _draw(stamps: tuple[Array, ...], marks: tuple[Array, ...], reach: int, canvas: Array) -> None:
    starts, dx, dy, ink = stamps
    columns, rows, phases = marks
    height, width = canvas.shape[:2]
    for k in range(columns.size):
        for p in range(starts[phases[k]], starts[phases[k] + 1]):
            x, y = columns[k] + dx[p], rows[k] + dy[p]
            if abs(dx[p]) > reach or abs(dy[p]) > reach or x < 0 or y < 0 or x >= width or y >= height:
                continue
            for c in range(3):
                canvas[y, x, c] = ink[p, c] + ((canvas[y, x, c] * (256 - ink[p, 3])) >> 8)
