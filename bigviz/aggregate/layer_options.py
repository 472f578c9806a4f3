"""The words that a layer's options take: glyphs, axis kinds, roots and orders of bars. Imports nothing, so that the
command line can import it."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = [
    "AXIS_KINDS", "BARS", "BINS", "GLYPHS", "MOST_BINS", "ROOTS", "SORTS", "AxisKind", "Glyph", "Root", "Sort",
    "default_agg",
]  # fmt: skip

AxisKind = Literal["linear", "log", "datetime", "mercator"]
Glyph = Literal["points", "line", "histogram", "bar"]
Root = Literal["default", "full"]  # without far rows, or with them
Sort = Literal["label", "value"]  # bars by their label, or the largest first

AXIS_KINDS: Final[tuple[str, ...]] = get_args(AxisKind)
GLYPHS: Final[tuple[str, ...]] = get_args(Glyph)
ROOTS: Final[tuple[str, ...]] = get_args(Root)
SORTS: Final[tuple[str, ...]] = get_args(Sort)
BARS: Final = ("histogram", "bar")  # glyphs without a column for y: it shows what the reduction makes of a bar's rows
BINS: Final = 50  # of a histogram over all of its range
MOST_BINS: Final = 4_096


def default_agg(glyph: str) -> str:
    """The reduction that a glyph has where none is named."""
    return "any" if glyph == "line" else "count"
