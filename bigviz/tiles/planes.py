"""A tile's accumulators as encoded planes, to be kept and combined later, and as what goes on the wire.

What is kept is exact for every reduction and is also what is sent, except for a mean: its sums and counts are kept, and
its quotients are sent in float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions import By, Count, Extreme, Grid, Mean, Pick, Planes, Presence, Reduction, Sum
from bigviz.tiles.codec import SIDE, EncodedPlane, decode, encode_counts, encode_values

__all__ = ["Kept", "finished", "finished_grid", "inner_of", "keep", "revive", "wire"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """Encoded accumulators: `values[k]` of plane k, and `others[k]` where a reduction needs a second array."""

    values: tuple[EncodedPlane, ...]
    others: tuple[EncodedPlane, ...] = ()

    @property
    def nbytes(self) -> int:
        """What keeping it costs, roughly."""
        return sum(plane.nbytes for plane in self.values) + sum(plane.nbytes for plane in self.others)


def keep(reduction: Reduction, planes: Planes) -> Kept:
    """Encode accumulators of shape (256, 256), or (categories, 256, 256) under `by`."""
    inner = inner_of(reduction)
    first = _stack(planes[0])
    if isinstance(inner, Count):
        return Kept(tuple(encode_counts(plane, k) for k, plane in enumerate(first)))
    filled = _stack(reduction.finalize(planes).filled)
    values = tuple(encode_values(plane, mask, k) for k, (plane, mask) in enumerate(zip(first, filled, strict=True)))
    if isinstance(inner, Sum):
        return Kept(values, tuple(encode_counts(plane, k) for k, plane in enumerate(_stack(planes[1]))))
    if isinstance(inner, Pick):
        numbers = zip(_stack(planes[1]), filled, strict=True)
        return Kept(values, tuple(encode_values(plane, mask, k) for k, (plane, mask) in enumerate(numbers)))
    return Kept(values)


def revive(reduction: Reduction, kept: Kept, dtype: np.dtype[Any]) -> Planes:
    """The accumulators that were kept: `revive(keep(planes))` equals `planes`."""
    inner = inner_of(reduction)
    planes = reduction.create((SIDE, SIDE), dtype, len(kept.values))
    stacks = [_stack(plane) for plane in planes]
    for k, encoded in enumerate(kept.values):
        values, filled = decode(encoded)
        if isinstance(inner, Count | Presence):
            stacks[0][k] = values
            continue
        np.copyto(stacks[0][k], values, where=filled, casting="unsafe")
        if isinstance(inner, Extreme):
            stacks[1][k] = filled
        else:
            others, counted = decode(kept.others[k])
            np.copyto(stacks[1][k], others, where=counted, casting="unsafe")
    return planes


def wire(reduction: Reduction, planes: Planes) -> list[EncodedPlane]:
    """The planes as they are sent."""
    if not isinstance(inner_of(reduction), Mean):
        return list(keep(reduction, planes).values)
    grid = reduction.finalize(planes)
    with np.errstate(over="ignore"):
        single = _stack(grid.values.astype(np.float32))
    return [
        encode_values(plane, mask, k) for k, (plane, mask) in enumerate(zip(single, _stack(grid.filled), strict=True))
    ]


def finished(reduction: Reduction, planes: Planes, own: np.dtype[Any]) -> list[Array]:
    """The planes as HTTP sends them: counts uint32, sums int64 or float64, means float64, and values of `own` dtype.

    Empty cells are 0 for counts, sums and `any`, NaN for other floats; integers without a value are masked.
    """
    return finished_grid(reduction, reduction.finalize(planes), own)


def finished_grid(reduction: Reduction, grid: Grid, own: np.dtype[Any]) -> list[Array]:
    """The same for a grid of any size."""
    inner = inner_of(reduction)
    out: list[Array] = []
    for values, filled in zip(_stack(grid.values), _stack(grid.filled), strict=True):
        if isinstance(inner, Count | Presence | Sum) and not isinstance(inner, Mean):
            out.append(np.where(filled, values, values.dtype.type(0)))
            continue
        typed = values if isinstance(inner, Mean) else values.astype(own)
        if typed.dtype.kind == "f":
            out.append(np.where(filled, typed, typed.dtype.type(np.nan)))
        else:
            out.append(np.ma.MaskedArray(typed, ~filled))
    return out


def inner_of(reduction: Reduction) -> Reduction:
    """What a plane holds: the reduction itself, or the one within `by`."""
    return reduction.inner if isinstance(reduction, By) else reduction


def _stack(plane: Array) -> Array:
    """(planes, rows, columns) whatever the reduction."""
    return plane.reshape(-1, *plane.shape[-2:])
