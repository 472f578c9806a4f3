"""The colours of a light and of a dark page. As in static/render/theme.js."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["THEMES", "Palette", "Rgb", "rgb"]

Rgb = tuple[int, int, int]


def rgb(digits: str) -> Rgb:
    """A colour of six hexadecimal digits."""
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


@dataclass(frozen=True)
class Palette:
    """What a page draws with: its ground, text, lines round the plot, grounds of plots, and colours of lines."""

    dark: bool
    page: Rgb
    ink: Rgb
    muted: Rgb
    grid: Rgb
    frame: Rgb
    plot_light: Rgb
    plot_dark: Rgb
    line: tuple[Rgb, ...]


def _palette(dark: bool, words: str, line: str) -> Palette:
    page, ink, muted, grid, frame, plot_light, plot_dark = map(rgb, words.split())
    return Palette(dark, page, ink, muted, grid, frame, plot_light, plot_dark, tuple(map(rgb, line.split())))


THEMES: Final = {
    "light": _palette(
        False,
        "ffffff 1b1f27 5a6272 e8ebf0 c3c9d2 ffffff 0b0d11",
        "1d5fc4 c2410c 0f766e 9333ea a16207 be185d",
    ),
    "dark": _palette(
        True,
        "0f1217 e7eaf0 9ba5b5 232932 3a4250 f4f5f7 08090c",
        "7fb0ff ff9d5c 4fd1c0 c9a2ff e6c45c ff8fb8",
    ),
}
