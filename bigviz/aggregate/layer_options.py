"""The words that a layer's options take: glyphs, axis kinds and roots. Imports nothing, so that the command line can
import it."""

from __future__ import annotations

from typing import Final, Literal, get_args

__all__ = ["AXIS_KINDS", "GLYPHS", "ROOTS", "AxisKind", "Glyph", "Root"]

AxisKind = Literal["linear", "log", "datetime", "mercator"]
Glyph = Literal["points", "line"]
Root = Literal["default", "full"]  # without far rows, or with them

AXIS_KINDS: Final[tuple[str, ...]] = get_args(AxisKind)
GLYPHS: Final[tuple[str, ...]] = get_args(Glyph)
ROOTS: Final[tuple[str, ...]] = get_args(Root)
