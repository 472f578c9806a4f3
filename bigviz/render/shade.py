"""Planes as pictures: the colours of the page, computed here for those who have no browser.

A cell's normalised value is looked up in a colour map of 256; cells without a value are transparent. Under `by` a
cell's colour is the mean of its categories' colours weighted by their values, its opacity that of their sum.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from bigviz.render.colormaps import CATEGORICAL, lut
from bigviz.render.norm import Norm

__all__ = ["Shading", "Values", "norm_of", "shade", "values_of"]

Array = npt.NDArray[Any]
_FAINTEST: Final = 40  # of 255: the opacity of the lowest sum of categories, datashader's min_alpha


@dataclass(frozen=True)
class Shading:
    """How a picture is coloured; `low` and `high` None stand for the ends of the values."""

    cmap: str
    how: str
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Values:
    """What is normalised: one number a cell, which cells hold one, and whether they are counts."""

    numbers: Array
    filled: npt.NDArray[np.bool_]
    counts: bool


def values_of(planes: Sequence[Array], zero_is_empty: bool) -> Values:
    """The numbers that colour stands for: the plane, or the sum of several."""
    masked = [np.ma.masked_invalid(plane) if plane.dtype.kind == "f" else np.ma.asarray(plane) for plane in planes]
    filled = [~np.ma.getmaskarray(each) & ((each.data != 0) | (not zero_is_empty)) for each in masked]
    if len(planes) == 1:
        return Values(masked[0].data, filled[0], planes[0].dtype.kind == "u" and zero_is_empty)
    total = np.zeros(planes[0].shape)
    for each, mask in zip(masked, filled, strict=True):
        total += np.where(mask, each.data, 0)
    return Values(total, np.logical_or.reduce(filled), False)


def norm_of(values: Sequence[Values], shading: Shading) -> Norm:
    """The normalisation over all filled cells of some planes."""
    numbers = np.concatenate([each.numbers[each.filled] for each in values])
    return Norm(numbers, shading.how, shading.low, shading.high, all(each.counts for each in values))


def shade(planes: Sequence[Array], values: Values, norm: Norm, shading: Shading) -> bytes:
    """A PNG of the planes (y, x), row 0 at the top."""
    height, width = planes[0].shape
    fraction = norm.fraction(values.numbers[values.filled].ravel())
    pixels = np.zeros((height, width, 4), np.uint8)
    if len(planes) == 1:
        pixels[values.filled, :3] = lut(shading.cmap)[(fraction * 255 + 0.5).astype(np.int64)]
        pixels[values.filled, 3] = 255
    else:
        pixels[values.filled, :3] = _mixed(planes, values, shading)
        pixels[values.filled, 3] = np.floor(_FAINTEST + fraction * (255 - _FAINTEST))
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _mixed(planes: Sequence[Array], values: Values, shading: Shading) -> Array:
    """(filled cells, 3): the mean colour of each cell's categories."""
    colours = lut(shading.cmap if shading.cmap in CATEGORICAL else CATEGORICAL[0]).astype(np.float64)
    total = np.zeros(int(values.filled.sum()))
    mixed = np.zeros((len(total), 3))
    for number, plane in enumerate(planes):
        weights = np.nan_to_num(np.ma.filled(np.ma.asarray(plane).astype(np.float64), 0.0)[values.filled])
        weights = np.abs(weights)
        total += weights
        mixed += weights[:, None] * colours[number % len(colours)]
    return (mixed / np.maximum(total, np.finfo(np.float64).tiny)[:, None]).astype(np.uint8)
