"""Planes as pictures: the colours of the page, computed here for clients without a browser.

A cell's normalised value is looked up in a colour map of 256; cells without a value are transparent. Under `by` a
cell's colour is the mean of its categories' colours weighted by the sizes of their values (alike where all are 0), its
opacity that of their sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from bigviz.render.colormaps import CATEGORICAL, CATEGORIES, lut
from bigviz.render.contrast import seen_on
from bigviz.render.level_values import LevelValues
from bigviz.render.norm import Norm
from bigviz.render.png import indexed_png, png

__all__ = [
    "Cells", "Shading", "Values", "coloured", "level_norm", "mixed_colours", "norm_of", "shade", "values_of",
]  # fmt: skip

Array = npt.NDArray[Any]
_LEAST_WEIGHT: Final = 2.0**-1000  # added to the size of every value, so that zeros have colours too
_HEAVY: Final = 2.0**900  # larger values are weighed by a power of two of themselves, or their sums might overflow
_LIGHTER: Final = 2.0**-200
_FAINTEST: Final = 40  # of 255: the opacity of the lowest sum of categories, datashader's min_alpha


@dataclass(frozen=True)
class Shading:
    """How a picture is coloured; `low` and `high` None stand for the ends of the values. `dark` says on which ground it
    will be seen, so that colours that fade into it are left out; None: on any, the map is as it is."""

    cmap: str
    how: str
    low: float | None
    high: float | None
    dark: bool | None = None

    @property
    def table(self) -> npt.NDArray[np.uint8]:
        """Its colours, (256, 3)."""
        return lut(self.cmap) if self.dark is None else seen_on(lut(self.cmap), self.dark)

    @property
    def is_given(self) -> bool:
        """Whether a value's colour depends on no other value."""
        return self.low is not None and self.high is not None and self.how != "eq_hist"


@dataclass(frozen=True)
class Cells:
    """What the cells of a picture's planes mean.

    `empty` is what those without a value are: 0 among "counts", "zero" among other numbers, "null" (NaN or masked);
    `by` says that each plane is of a category.
    """

    empty: Literal["counts", "zero", "null"]
    by: bool = False


@dataclass(frozen=True)
class Values:
    """What is normalised: one number a cell, and which cells hold one."""

    numbers: Array
    filled: npt.NDArray[np.bool_]
    cells: Cells


def values_of(planes: Sequence[Array], cells: Cells) -> Values:
    """The numbers that colour stands for: the plane, or the sum of those of all categories."""
    filled = [_filled(plane, cells) for plane in planes]
    if not cells.by:
        return Values(np.ma.getdata(planes[0]), filled[0], cells)
    total = np.zeros(planes[0].shape)
    with np.errstate(over="ignore"):
        for plane, mask in zip(planes, filled, strict=True):
            total += np.where(mask, np.ma.getdata(plane), 0)
    return Values(total, np.logical_or.reduce(filled), cells)


def _filled(plane: Array, cells: Cells) -> npt.NDArray[np.bool_]:
    """Which cells of a plane hold a value. Infinite ones count: they have a colour, though no place in a
    normalisation."""
    numbers: npt.NDArray[Any] = np.ma.getdata(plane)
    held = ~np.ma.getmaskarray(plane)
    if numbers.dtype.kind == "f":
        held &= ~np.isnan(numbers)
    return held if cells.empty == "null" else held & (numbers != 0)


def norm_of(values: Sequence[Values], shading: Shading) -> Norm:
    """The normalisation over all filled cells of some planes, of which there may be none."""
    held = [each.numbers[each.filled] for each in values]
    numbers = np.concatenate(held) if held else np.zeros(0)
    return Norm(numbers, shading.how, shading.low, shading.high, all(each.cells.empty == "counts" for each in values))


def level_norm(level: LevelValues, cells: Cells, shading: Shading) -> Norm:
    """The normalisation over all filled cells of a level, given what is known of their values."""
    values, weights = level
    return Norm(values, shading.how, shading.low, shading.high, cells.empty == "counts", weights=weights)


def shade(planes: Sequence[Array], values: Values, norm: Norm, shading: Shading) -> bytes:
    """A PNG of the planes (y, x), row 0 at the top: with a palette, unless there are categories, or empty cells and no
    index left for them."""
    if values.cells.by:
        return png(coloured(planes, values, norm, shading))
    places, whole = _places(values, norm), bool(values.filled.all())
    clear = None if whole else _unused(places[values.filled])
    if clear is None and not whole:
        return png(_in_colours(places, values, shading))
    if clear is not None:
        places[~values.filled] = clear
    return indexed_png(places, shading.table, clear)


def coloured(planes: Sequence[Array], values: Values, norm: Norm, shading: Shading) -> npt.NDArray[np.uint8]:
    """The planes (y, x) as RGBA (y, x, 4), not premultiplied; cells without a value are transparent."""
    if not values.cells.by:
        return _in_colours(_places(values, norm), values, shading)
    height, width = planes[0].shape
    fraction = norm.fraction(values.numbers[values.filled].ravel())
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[values.filled, :3] = mixed_colours(planes, values, shading)
    pixels[values.filled, 3] = np.floor(_FAINTEST + fraction * (255 - _FAINTEST))
    return pixels


def _in_colours(places: npt.NDArray[np.uint8], values: Values, shading: Shading) -> npt.NDArray[np.uint8]:
    """`coloured` without categories, from the index of each cell in the colour map (see `_places`)."""
    colours = np.full((256, 4), 255, np.uint8)
    colours[:, :3] = shading.table
    pixels: npt.NDArray[np.uint8] = colours[places]
    pixels[~values.filled] = 0
    return pixels


def _places(values: Values, norm: Norm) -> npt.NDArray[np.uint8]:
    """The index (y, x) of each cell's value in a colour map of 256; any index for cells without a value."""
    numbers = values.numbers
    counts = values.cells.empty == "counts" and numbers.dtype.kind == "u"
    highest = int(numbers.max(initial=0)) if counts else numbers.size
    if highest < numbers.size // 8:  # few different ones: each is looked up once
        return _rounded(norm.fraction(np.arange(highest + 1, dtype=numbers.dtype)))[numbers]
    places = np.zeros(numbers.shape, np.uint8)
    places[values.filled] = _rounded(norm.fraction(numbers[values.filled]))
    return places


def _rounded(fraction: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    return (fraction * 255 + 0.5).astype(np.uint8)


def _unused(places: npt.NDArray[np.uint8]) -> int | None:
    """The lowest index that no cell has; None where cells have all 256."""
    free = np.flatnonzero(np.bincount(places, minlength=256) == 0)
    return int(free[0]) if len(free) else None


def mixed_colours(planes: Sequence[Array], values: Values, shading: Shading) -> Array:
    """(filled cells, 3): the mean colour of each cell's categories."""
    masked = [(plane, _filled(plane, values.cells)) for plane in planes]
    colours = lut(shading.cmap if shading.cmap in CATEGORICAL else CATEGORIES).astype(np.float64)
    total = np.zeros(int(values.filled.sum()))
    mixed = np.zeros((len(total), 3))
    least = 0.0 if values.cells.empty == "counts" else _LEAST_WEIGHT
    heavy = any(float(np.max(np.abs(np.ma.getdata(plane)[mask]), initial=0)) > _HEAVY for plane, mask in masked)
    for number, (plane, mask) in enumerate(masked):
        sizes = np.abs(np.ma.getdata(plane).astype(np.float64)[values.filled])
        sizes = np.minimum(sizes * (_LIGHTER if heavy else 1.0), np.finfo(np.float64).max * _LIGHTER)
        weights = np.where(mask[values.filled], sizes + least, 0.0)
        total += weights
        mixed += weights[:, None] * colours[number % len(colours)]
    return (mixed / total[:, None]).astype(np.uint8)
