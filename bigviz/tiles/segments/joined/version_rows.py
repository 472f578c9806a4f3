"""The rows of a version of a layer, and which of them came and went since another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.data.appending.growth import Correction
from bigviz.render.level_values import Level
from bigviz.tiles.pyramid.layer_columns import Inputs
from bigviz.tiles.segments.joined.keyed_rows import keys_where
from bigviz.tiles.segments.part_layer import PartLayer
from bigviz.tiles.segments.row_part import Roots, among

__all__ = ["VersionRows", "difference"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class VersionRows:
    """The rows of a version, as `Version` tells them, in the parts of a layer. `inputs` has no columns; `is_drawn` says
    that not all cells of levels are looked at; `corrections` are those of the dataset."""

    number: int
    first: int
    stop: int
    roots: Roots
    parts: tuple[PartLayer, ...]
    inputs: Inputs
    is_drawn: bool
    corrections: tuple[Correction, ...]

    @property
    def corrected(self) -> int:
        """The last version that gave rows other values (0: none)."""
        return max((each.version for each in self.corrections), default=0)

    def draws(self, level: Level) -> bool:
        """Whether a level is known by a sample of its cells alone."""
        return self.is_drawn or level[0] != level[1]


def difference(before: VersionRows, after: VersionRows) -> tuple[Array, Array] | None:
    """The keys of the rows that came, or were given other values, and of those that went, or had others; None where all
    keys or values may differ."""
    old, new = before.inputs, after.inputs
    labels = old.labels or ()
    if (before.roots, old.dtype, old.own) != (after.roots, new.dtype, new.own):
        return None
    if labels != (new.labels or ())[: len(labels)]:
        return None
    same = {id(part) for part in before.parts} & {id(part) for part in after.parts}
    wrong = _corrected(before, after)
    came, stayed = max(before.stop, after.first), min(after.first, before.stop)
    added, gone = ([np.empty(0, np.uint64)] for _ in range(2))
    for part in after.parts:
        if id(part) not in same and (part.part.stop > came or _has(part, wrong)):
            added.append(keys_where(part, after.roots, _among(wrong, came, after.stop)))
    for part in before.parts:
        if id(part) not in same and (part.part.first < stayed or _has(part, wrong)):
            gone.append(keys_where(part, after.roots, _among(wrong, before.first, stayed)))
    return np.concatenate(added), np.concatenate(gone)


def _corrected(before: VersionRows, after: VersionRows) -> Array:
    """The numbers of the rows of both that were given other values, ascending."""
    rows = [each.rows for each in after.corrections if each.version > before.number]
    wrong = np.unique(np.concatenate([np.empty(0, np.int64), *rows]))
    return wrong[(wrong >= after.first) & (wrong < before.stop)]


def _has(part: PartLayer, wrong: Array) -> bool:
    """Whether a part may hold some of the rows."""
    first, stop = np.searchsorted(wrong, [part.part.first, part.part.stop])
    return bool(first < stop)


def _among(wrong: Array, first: int, stop: int) -> Callable[[Array], npt.NDArray[np.bool_]]:
    """Which row numbers are from `first` to `stop` (exclusive), or are those of some rows."""

    def pick(numbers: Array) -> npt.NDArray[np.bool_]:
        inside = (numbers >= first) & (numbers < stop)
        return inside | among(numbers, wrong) if len(wrong) else inside

    return pick
