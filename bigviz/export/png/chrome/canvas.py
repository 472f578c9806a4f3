"""A canvas in CSS pixels, with what of a browser's the page's axes and legends need."""

from __future__ import annotations

import math
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from bigviz.export.png.chrome.fonts import face_of
from bigviz.export.png.data.coverage import coverage
from bigviz.export.png.data.stroke import dashed, stroked
from bigviz.export.png.theme import Rgb

__all__ = ["FONT_SIZE", "Canvas", "Font"]

Array = npt.NDArray[Any]
Align = Literal["left", "right", "center"]
Baseline = Literal["alphabetic", "middle", "top"]
Font = tuple[float, bool]
"""Size in CSS pixels, and whether it is bold."""

FONT_SIZE: Final = 11.5
_FINER: Final = 8  # text is drawn so many times as large, then shrunk, which places it between pixels
_BREAKS: Final = str.maketrans(dict.fromkeys("\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029", " "))
"""A text is one line, as on the page's canvas: what breaks lines is a space. Pillow fails at some of it."""


class Canvas:
    """Opaque pixels (y, x, 3) uint8; positions and sizes are CSS pixels from the top left, `dpr` device pixels each."""

    def __init__(self, pixels: Array, dpr: float) -> None:
        self.pixels, self.dpr = pixels, dpr

    @staticmethod
    def width_of(text: str, font: Font) -> float:
        """How wide a text is."""
        return face_of(font[1]).width(text.translate(_BREAKS), font[0])

    def fill(self, x: float, y: float, width: float, height: float, colour: Rgb, opacity: float = 1.0) -> None:
        """Fill a rectangle; pixels at its edges as far as it covers them."""
        alpha, top, left = self.covered(x, y, width, height)
        self.veil(alpha * opacity, colour, top, left)

    def covered(self, x: float, y: float, width: float, height: float) -> tuple[Array, int, int]:
        """How far a rectangle covers the pixels that it lies on, (y, x) from 0 to 1, and the first row and column."""
        rows, top = _covered(y * self.dpr, (y + height) * self.dpr, self.pixels.shape[0])
        columns, left = _covered(x * self.dpr, (x + width) * self.dpr, self.pixels.shape[1])
        return rows[:, None] * columns[None, :], top, left

    def veil(self, alpha: Array, colour: Rgb | Array, top: int = 0, left: int = 0) -> None:
        """Draw a colour, or one a pixel (y, x, 3), as far as `alpha` (y, x) says, from a row and a column on; what lies
        beyond the canvas is cut off."""
        height, width = self.pixels.shape[:2]
        above, before = max(0, -top), max(0, -left)
        shown = alpha[above : max(above, height - top), before : max(before, width - left), None]
        part = self.pixels[top + above : top + above + shown.shape[0], left + before : left + before + shown.shape[1]]
        over: Array = np.asarray(colour, np.float64)
        if over.ndim > 1:
            over = over[above : above + shown.shape[0], before : before + shown.shape[1]]
        part[...] = np.floor(part * (1 - shown) + over * shown + 0.5)

    def rectangle(self, x: float, y: float, width: float, height: float, line: float, colour: Rgb) -> None:
        """Stroke a rectangle with lines of a width about its edges."""
        half = line / 2
        for left, top, across, down in (
            (x - half, y - half, width + line, line),
            (x - half, y + height - half, width + line, line),
            (x - half, y + half, line, height - line),
            (x + width - half, y + half, line, height - line),
        ):
            self.fill(left, top, across, down, colour)

    def line(self, x0: float, y0: float, x1: float, y1: float, line: float, colour: Rgb) -> None:
        """Stroke a horizontal or vertical line, its ends cut square."""
        half = line / 2
        if x0 == x1:
            self.fill(x0 - half, min(y0, y1), line, abs(y1 - y0), colour)
        else:
            self.fill(min(x0, x1), y0 - half, abs(x1 - x0), line, colour)

    def dashes(
        self, x: float, y: float, length: float, line: float, dash: tuple[float, ...], colour: Rgb, opacity: float
    ) -> None:
        """Stroke a horizontal line with dashes, its ends cut square."""
        path = np.array([[x, y], [x + length, y]]) * self.dpr
        parts = dashed(path, [each * self.dpr for each in dash]) if dash else [path]
        height, width = self.pixels.shape[:2]
        outlines = [stroked(part, line * self.dpr, rounded=False) for part in parts]
        self.veil(coverage(outlines, (height, width)) * opacity, colour)

    def text(
        self, text: str, x: float, y: float, font: Font, colour: Rgb,
        align: Align = "left", baseline: Baseline = "alphabetic", opacity: float = 1.0,
    ) -> None:  # fmt: skip
        """Write a text at a place, which is its left end, its right end or its middle, on its baseline, or above or
        about that."""
        if not text:
            return
        text = text.translate(_BREAKS)
        size, bold = font
        face = face_of(bold)
        left = x - face.width(text, size) * {"left": 0.0, "center": 0.5, "right": 1.0}[align]
        down = {"alphabetic": 0.0, "middle": (face.ascent - face.descent) / 2, "top": face.ascent}[baseline] * size
        row = math.floor((y + down) * self.dpr + 0.5)  # letters stand on whole pixels
        self._write(text, left * self.dpr, row, face.font(size * self.dpr * _FINER), colour, opacity)

    def _write(self, text: str, left: float, row: int, font: Any, colour: Rgb, opacity: float) -> None:
        x0, y0, x1, y1 = font.getbbox(text, anchor="ls")
        column = math.floor(left) + math.floor(x0 / _FINER) - 1
        top = row + math.floor(y0 / _FINER) - 1
        width = math.ceil(x1 / _FINER) - math.floor(x0 / _FINER) + 3
        height = math.ceil(y1 / _FINER) - math.floor(y0 / _FINER) + 2
        image = Image.new("L", (width * _FINER, height * _FINER))
        place = ((left - column) * _FINER, (row - top) * _FINER)
        ImageDraw.Draw(image).text(place, text, fill=255, font=font, anchor="ls")
        ink = np.asarray(image.resize((width, height), Image.Resampling.BOX), np.float64) / 255
        self.veil(ink * opacity, colour, top, column)

    def fit(self, text: str, width: float, font: Font) -> str:
        """A text cut with an ellipsis to a width."""
        if self.width_of(text, font) <= width:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) >> 1
            if self.width_of(f"{text[:middle]}…", font) <= width:
                low = middle
            else:
                high = middle - 1
        return f"{text[:low]}…" if low else ""

    def fit_end(self, text: str, width: float, font: Font) -> str:
        """A number cut to a width: it differs from its neighbours at its end, which stays."""
        if not text[-1:].isdigit():
            return self.fit(text, width, font)
        shown = text
        while len(shown) > 2 and self.width_of(shown, font) > width:
            shown = f"…{shown[2:]}"
        return shown


def _covered(start: float, stop: float, size: int) -> tuple[Array, int]:
    """How far an interval covers each of the pixels 0 .. size that it lies on, and the first of them."""
    first, last = max(0, math.floor(start)), min(size, math.ceil(stop))
    edges = np.arange(first, max(first, last) + 1)
    share: Array = np.minimum(edges[1:], stop) - np.maximum(edges[:-1], start)
    return np.clip(share, 0, 1), first
