"""The golden pictures of `tests/golden/shades.json`: values, where they lie along a colour map, and their pixels.

Each case has `how, low, high` (null: the ends of the values), `cells` as `bigviz.render.shade.Cells` says, `planes`
(lists of values; null is an empty cell, infinities and whole numbers beyond 2^53 are texts) and what Python makes of
them: `fractions` of the filled cells in order, and `pixels`, 0xAABBGGRR. No colour depends on the last bits of a
logarithm.

    python -m tests.render.golden_shades         # writes the file anew
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bigviz.render.colormaps import CATEGORIES, lut
from bigviz.render.shade import Cells, Shading, norm_of, shade, values_of

FILE = Path(__file__).resolve().parents[1] / "golden" / "shades.json"
HOWS = ("linear", "log", "cbrt", "eq_hist")
COUNTS, VALUES = Cells("counts"), Cells("null")
NAN, INF = math.nan, math.inf
SIZE = 24
Numbers = Sequence[float | None]


def planes() -> Iterator[tuple[str, Cells, Sequence[Numbers]]]:
    """NAME, what the cells mean, and the planes."""
    rng = np.random.default_rng(8)
    holes = rng.random(SIZE) < 0.2

    def floats(values: Any) -> list[list[float]]:
        return [np.where(holes, NAN, values).tolist()]

    def counts(values: Any) -> list[list[float]]:
        return [np.where(holes, 0, np.asarray(values).astype(np.uint32)).tolist()]

    yield "few counts", COUNTS, counts(rng.integers(1, 4, SIZE))
    yield "counts", COUNTS, counts(rng.geometric(0.001, SIZE))
    yield "large counts", COUNTS, counts(2 ** (rng.random(SIZE) * 32) - 1)
    yield "neighbours beyond 2^53", VALUES, [[None if empty else 2**62 + 3 * k for k, empty in enumerate(holes)]]
    yield "one count", COUNTS, counts(np.full(SIZE, 7))
    yield "no count", COUNTS, counts(np.zeros(SIZE))
    yield "means", VALUES, floats(rng.normal(12, 3, SIZE))
    yield "signs", VALUES, floats(rng.normal(0, 1, SIZE))
    yield "negative", VALUES, floats(-np.exp(rng.normal(0, 3, SIZE)))
    yield "seconds a minute apart", VALUES, floats(1_700_000_000 + 60 * (np.arange(SIZE) % 3))
    yield "nanoseconds", VALUES, floats(1.7e18 + rng.integers(0, 1 << 40, SIZE))
    yield "beyond float32", VALUES, floats(1e40 * (1 + rng.random(SIZE)))
    yield "far apart", VALUES, floats(np.exp(rng.normal(0, 200, SIZE)))
    yield "beyond all differences", VALUES, floats(1.7e308 * np.linspace(-1, 1, SIZE))
    yield "subnormal", VALUES, floats(5e-324 * rng.integers(1, 1 << 30, SIZE))
    yield "infinite ones", VALUES, floats([INF, -INF, *rng.normal(0, 1, SIZE - 2)])
    yield "zeros", VALUES, floats(np.zeros(SIZE))
    by = [counts(rng.integers(0, 9, SIZE) * (rng.random(SIZE) < 0.5))[0] for _ in range(5)]
    yield "categories", Cells("counts", by=True), by
    yield "one category", Cells("counts", by=True), by[:1]
    yield "many rows", Cells("counts", by=True), counts(rng.integers(1, 1 << 31, SIZE)) + by[:1]
    signs = [floats(rng.normal(0, 1, SIZE) * (rng.random(SIZE) < 0.7))[0] for _ in range(3)]
    yield "values of categories", Cells("null", by=True), signs
    yield (
        "huge values of categories",
        Cells("null", by=True),
        [floats(1e307 * rng.normal(0, 1, SIZE))[0] for _ in range(3)],
    )


def pictures() -> Iterator[dict[str, Any]]:
    """The cases."""
    for name, cells, values in planes():
        for how in HOWS:
            for low, high in ((None, None), (2.0, 100.0)) if name in ("counts", "signs") else ((None, None),):
                shading = Shading("fire", how, low, high)
                yield {
                    "name": name,
                    "cells": vars(cells),
                    "how": how,
                    "low": low,
                    "high": high,
                    **drawn(values, cells, shading),
                }


def array(values: Numbers, cells: Cells) -> np.ndarray:
    """One plane (1, size); integers with None for empty cells are masked."""
    if cells.empty != "counts" and any(isinstance(number, int) for number in values):
        whole = np.array([[number or 0 for number in values]], np.int64)
        return np.ma.MaskedArray(whole, [[number is None for number in values]])
    return np.array([values], np.uint32 if cells.empty == "counts" else np.float64)


def drawn(values: Sequence[Numbers], cells: Cells, shading: Shading) -> dict[str, Any]:
    """The planes for JSON, the fractions and the pixels."""
    arrays = [array(each, cells) for each in values]
    found = values_of(arrays, cells)
    norm = norm_of([found], shading)
    fractions = norm.fraction(found.numbers[found.filled])
    steps = fractions * (255 - 40 if cells.by else 255) + (0 if cells.by else 0.5)
    ties = np.abs(steps - np.round(steps)) < 1e-9
    assert not ties[(fractions > 0) & (fractions < 1)].any() or shading.how in ("linear", "eq_hist")
    image = np.asarray(Image.open(io.BytesIO(shade(arrays, found, norm, shading))).convert("RGBA"))
    return {
        "planes": [[_json(number, cells) for number in each] for each in values],
        "fractions": fractions.tolist(),
        "pixels": image.reshape(-1, 4).copy().view("<u4").ravel().tolist(),
    }


def _json(number: float | None, cells: Cells) -> float | str | None:
    if number is None or (isinstance(number, int) and number >= 1 << 53):
        return None if number is None else str(number)
    if math.isnan(number) or (cells.empty == "counts" and number == 0):
        return None
    return number if math.isfinite(number) else "Infinity" if number > 0 else "-Infinity"


def read() -> list[dict[str, Any]]:
    """The cases of the file, their planes as numbers."""
    cases: list[dict[str, Any]] = json.loads(FILE.read_text())["cases"]
    for case in cases:
        none = 0.0 if case["cells"]["empty"] == "counts" else NAN
        case["planes"] = [_numbers(each, none) for each in case["planes"]]
    return cases


def _numbers(values: list[float | str | None], none: float) -> Numbers:
    if any(isinstance(value, str) and value[-1].isdigit() for value in values):
        return [None if value is None else int(value) for value in values]
    return [none if value is None else float(value) for value in values]


def text() -> str:
    """The file's content: a case a line."""
    luts = {name: lut(name).tobytes().hex() for name in ("fire", CATEGORIES)}
    lines = ",\n".join(json.dumps(case) for case in pictures())
    return f'{{"luts": {json.dumps(luts)},\n"cases": [\n{lines}\n]}}\n'


if __name__ == "__main__":
    FILE.write_text(text())
