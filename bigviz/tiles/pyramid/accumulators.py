"""A tile's accumulators as encoded planes, to be kept and combined later, and as what goes on the wire.

What is kept is exact for every reduction and is also what is sent, except for a mean: its sums and counts are kept, and
its quotients are sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.reductions.base import Grid, Planes, Reduction
from bigviz.aggregate.reductions.traits import Part
from bigviz.common.cancel import NEVER, Cancel
from bigviz.wire.codec import DTYPES, SIDE, EncodedPlane, add_counts, add_values, decode, encode_counts, encode_values

__all__ = [
    "Kept", "Pair", "add_block", "add_kept", "finished", "halved", "keep", "kept_planes", "pooled", "revive",
    "revive_cell", "wire",
]  # fmt: skip

Array = npt.NDArray[Any]
Look = Callable[[], None]
Pair = tuple[int, int]  # of y, then of x

_POOLED: Final = 8


@dataclass(frozen=True, slots=True)
class Kept:
    """Encoded accumulators of a tile: `values[k]` of plane k, and in `others` those of each further accumulator, its
    planes one after the other. Masks of filled cells are not among them: they follow from the values."""

    values: tuple[EncodedPlane, ...]
    others: tuple[EncodedPlane, ...] = ()

    @property
    def nbytes(self) -> int:
        """What keeping it costs, roughly."""
        return sum(plane.nbytes for plane in (*self.values, *self.others))


def keep(reduction: Reduction, planes: Planes, look: Look = NEVER.check) -> Kept:
    """Encode accumulators of shape (256, 256), or (categories, 256, 256) under `by`.

    `look` is called between planes. Any reduction's will do: its traits say which are counts, values and masks.
    """
    encoded = []
    for part, plane in _kept_of(reduction, planes):
        for k, values in enumerate(_stack(plane)):
            look()
            if part == "count":
                encoded.append(encode_counts(values, k))
            else:
                encoded.append(encode_values(values, _finished(reduction, planes, k).filled, k))
    each = len(_stack(planes[0]))
    return Kept(tuple(encoded[:each]), tuple(encoded[each:]))


def revive(reduction: Reduction, kept: Kept, dtype: np.dtype[Any], cancel: Cancel = NEVER) -> Planes:
    """The accumulators that were kept: `revive(keep(planes))` equals `planes`."""
    count = len(kept.values)
    planes = reduction.create((SIDE, SIDE), dtype, count, cancel.check)
    encoded = iter((*kept.values, *kept.others))
    masks: list[npt.NDArray[np.bool_]] = []
    for _, plane in _kept_of(reduction, planes):
        for values in _stack(plane):
            cancel.check()
            held, filled = decode(next(encoded))
            # What is not filled is decoded as 0. Where planes begin so, no mask is needed, which costs a branch a cell.
            np.copyto(values, held, where=True if values[0, 0] == 0 else filled, casting="unsafe")
            masks.append(filled)
    for plane in _masks_of(reduction, planes):
        for values, mask in zip(_stack(plane), masks, strict=False):
            values[:] = mask
    return planes


def add_kept(reduction: Reduction, dtype: np.dtype[Any], kept: Kept, planes: Planes, place: Pair, less: Pair) -> None:
    """Add what was kept of a tile, halved `less` times along y and along x, to accumulators from row and column `place`
    on, as if its rows came after."""
    if reduction.traits.counts:
        for plane, held in zip(_stack(planes[0]), kept.values, strict=True):
            add_counts(held, plane, place, less)
        return
    if reduction.plane.adds and less == (0, 0):
        encoded = iter((*kept.values, *kept.others))
        for part, plane in _kept_of(reduction, planes):
            for values in _stack(plane):
                if part == "count":
                    add_counts(next(encoded), values, place)
                else:
                    add_values(next(encoded), values)
        return
    add_block(reduction, halved(reduction, revive(reduction, kept, dtype), less), planes, place)


def add_block(reduction: Reduction, block: Planes, planes: Planes, place: Pair) -> None:
    """Add accumulators of fewer cells to accumulators from row and column `place` on."""
    rows, columns = (slice(at, at + size) for at, size in zip(place, block[0].shape[-2:], strict=True))
    reduction.combine(tuple(plane[..., rows, columns] for plane in planes), block)


def pooled(reduction: Reduction, planes: Planes, x: bool, y: bool, look: Look) -> Planes:
    """`Reduction.pool`, some categories at a time, with a `look` before each: 64 at once would take 15 ms."""
    if planes[0].ndim == 2:
        return reduction.pool(planes, x, y)
    parts = []
    for first in range(0, max(len(planes[0]), 1), _POOLED):
        look()
        parts.append(reduction.pool(tuple(plane[first : first + _POOLED] for plane in planes), x, y))
    return tuple(np.concatenate(each) for each in zip(*parts, strict=True))


def halved(reduction: Reduction, planes: Planes, less: Pair) -> Planes:
    """Accumulators halved so many times along y and along x."""
    for step in range(max(less)):
        planes = reduction.pool(planes, x=step < less[1], y=step < less[0])
    return planes


def revive_cell(reduction: Reduction, kept: Kept, dtype: np.dtype[Any]) -> Planes:
    """The accumulators of the one cell that a tile fills, of shape (1, 1), or (categories, 1, 1) under `by`."""
    planes = reduction.create((1, 1), dtype, len(kept.values))
    encoded = iter((*kept.values, *kept.others))
    masks: list[bool] = []
    for part, plane in _kept_of(reduction, planes):
        for values in _stack(plane):
            held = next(encoded)
            masks.append(held.filled > 0)
            if held.filled:
                values[:] = int(held.high) if part == "count" else _last(held)
    for plane in _masks_of(reduction, planes):
        _stack(plane)[:, 0, 0] = masks[: len(kept.values)]
    return planes


def kept_planes(reduction: Reduction, categories: int) -> tuple[int, int]:
    """How many planes `keep` makes of a reduction's accumulators, at least one: of values, and others."""
    each = max(categories, 1)
    return each, each * (sum(part != "mask" for part in reduction.traits.parts) - 1)


def _kept_of(reduction: Reduction, planes: Planes) -> list[tuple[Part, Array]]:
    """The accumulators that are kept, with what they hold: all but masks."""
    parts = zip(reduction.traits.parts, planes, strict=True)
    return [(part, plane) for part, plane in parts if part != "mask"]


def _masks_of(reduction: Reduction, planes: Planes) -> list[Array]:
    return [plane for part, plane in zip(reduction.traits.parts, planes, strict=True) if part == "mask"]


def _last(plane: EncodedPlane) -> Any:
    """The last value of a `runs` plane."""
    dtype = DTYPES[plane.dtype]
    return np.frombuffer(plane.payload, dtype, 1, len(plane.payload) - dtype.itemsize)[0]


def wire(reduction: Reduction, planes: Planes, cancel: Cancel = NEVER) -> list[EncodedPlane]:
    """The planes as they are sent."""
    encoded = []
    for k, values in enumerate(_stack(planes[0])):
        cancel.check()
        if reduction.traits.counts:
            encoded.append(encode_counts(values, k))
            continue
        grid = _finished(reduction, planes, k)
        encoded.append(encode_values(grid.values, grid.filled, k))
    return encoded


def _finished(reduction: Reduction, planes: Planes, k: int) -> Grid:
    """Plane `k` alone: all of 64 categories at once would be many milliseconds without a look at the flag."""
    return reduction.plane.finalize(tuple(_stack(plane)[k] for plane in planes))


def finished(reduction: Reduction, planes: Planes, own: np.dtype[Any], cancel: Cancel = NEVER) -> list[Array]:
    """The planes, of any size, as HTTP sends them: counts uint32, sums int64 or float64, means float64, and values of
    `own` dtype.

    Empty cells are 0 for counts and `any`, whose planes are returned as they are, 0 and masked for sums (which may be 0
    as well), NaN for other floats, masked for other integers.
    """
    traits = reduction.traits
    out: list[Array] = []
    for k in range(len(_stack(planes[0]))):
        cancel.check()
        if traits.zero and len(traits.parts) == 1:
            out.append(_stack(planes[0])[k])
            continue
        grid = _finished(reduction, planes, k)
        values, filled = grid.values, grid.filled
        if traits.zero:
            out.append(np.ma.MaskedArray(np.where(filled, values, values.dtype.type(0)), ~filled))
            continue
        typed = values.astype(own) if traits.own else values
        if typed.dtype.kind == "f":
            out.append(np.where(filled, typed, typed.dtype.type(np.nan)))
        else:
            out.append(np.ma.MaskedArray(typed, ~filled))
    return out


def _stack(plane: Array) -> Array:
    """(planes, rows, columns) whatever the reduction."""
    return plane.reshape(-1, *plane.shape[-2:])
