"""The golden geometry of `tests/golden/geometry.json`: the level and the tiles of a view of an axis, and its cells.

Each case has `root` ([start, exponent] as a `layer` answer has it), the window's ends `low` and `high` (numbers, or
decimal strings on axes of whole numbers), `pixels`, and what exact fractions say of them: `nominal` (the level whose
cells are nearest to a pixel, unbounded), `level`, `tiles` (the first and the last of that level, null where the window
misses the root), `cells` ([number, cell of `level` + 8 levels, its lower edge]).

    python -m tests.tiles.grid.golden_geometry         # writes the file anew
"""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from bigviz.aggregate.dyadic_cells import Root
from bigviz.tiles.grid.view_level import nominal_level, view_level

FILE = Path(__file__).resolve().parents[2] / "golden" / "geometry.json"
Number = int | float


def windows() -> list[tuple[Root, Number, Number, int]]:
    """Roots of floats near and far, large and small, and of whole numbers; windows in, across and outside them."""
    rng = np.random.default_rng(3)
    found: list[tuple[Root, Number, Number, int]] = []
    for exponent in (-900, -30, 0, 3, 40, 900):
        for multiple in (0, -2, 1, 12_345):
            root = Root(multiple, exponent)
            start, size = float(root.start), math.ldexp(1.0, exponent)
            for depth in (-2, 0, 5, 13, 26):
                low = start + size * float(rng.uniform(-0.2, 1.1))
                high = low + size * 2.0**-depth * float(rng.uniform(0.6, 1.4))
                if low < high:
                    found.append((root, low, high, int(rng.integers(1, 4000))))
            found.append((root, start, start + size, 256))
            found.append((root, start - size, start, 100))
    for exponent in (3, 40, 62):
        for multiple in (0, -1, (1_700_000_000_000_000_000 >> (exponent - 1)) - 1):
            root = Root(multiple, exponent)
            for depth in (0, 7, 24):
                length = max(1, int(2.0 ** (exponent - depth) * float(rng.uniform(0.6, 1.4))))
                low = int(root.start) + int(rng.integers(-1, 8)) * (1 << exponent) // 8
                if low >= -(2**63) and low + length < 2**63:
                    found.append((root, low, low + length, int(rng.integers(1, 4000))))
    return found


def case(root: Root, low: Number, high: Number, pixels: int) -> dict[str, Any]:
    """What there is to know of a window."""
    z = view_level(root.exponent, low, high, pixels)
    first, last = root.cell(low, z), math.ceil((Fraction(high) - root.start) / (root.edge(z, 1) - root.start)) - 1
    inside = last >= 0 and first < 1 << z
    numbers = [low, low + (high - low) // 3 if isinstance(low, int) else low + (high - low) / 3, high]
    cells = [(number, root.cell(number, z + 8)) for number in numbers]
    return {
        "root": [root.start_text, root.exponent],
        "low": _json(low),
        "high": _json(high),
        "pixels": pixels,
        "nominal": nominal_level(root.exponent, low, high, pixels),
        "level": z,
        "tiles": [max(0, first), min((1 << z) - 1, last)] if inside else None,
        "cells": [
            [_json(number), max(-(1 << 40), min(1 << 40, cell)), float(root.edge(z + 8, cell))]
            for number, cell in cells
            if abs(cell) < 1 << 40
        ],
    }


def _json(number: Number) -> float | str:
    return str(number) if isinstance(number, int) else number


def text() -> str:
    """The file's content: a case a line."""
    return "[\n" + ",\n".join(json.dumps(case(*each)) for each in windows()) + "\n]\n"


if __name__ == "__main__":
    FILE.write_text(text())
