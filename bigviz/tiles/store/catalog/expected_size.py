"""How large an index will be, estimated before its first row is written: from columns' types and from a few of the
rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import root_of
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import NEVER, Cancel
from bigviz.data.columns.column import widen
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.batches import Batch, Streamed
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.survey import numbers_of
from bigviz.tiles.morton.keys import derived
from bigviz.tiles.series.sorted_numbers import regular_rule

__all__ = ["ExpectedSize", "expected_size", "tile_bytes"]

Array = npt.NDArray[Any]

_RARE: Final = 1 / 16  # an axis with more exceptions to what its keys give back is kept (`store.order.plan`)
_ORDER: Final = 12.1  # bytes a row: a key of 8, a row number of 4, and boxes and sums
_LINE: Final = 0.25  # bytes a row of a line's tree, fences and sums
_ROW_NUMBER: Final = 4
_EDGE: Final = 8  # bytes of each beginning and each end of a gap
_PLACE: Final = 4  # bytes that say whose exception a number is
_TILES: Final = 2.0  # bytes a row, from measurements: 1.0 to 1.5 at 3 * 10^6 rows, less at 10^8
_LEVEL_ROW: Final = 8  # the same of the values of its levels, as long as these are not a sample
_LEVELS: Final = 1 << 20  # bytes of those, at most
_CATEGORY_TILES: Final = 3.5  # the same under `by`: 3.1 to 3.4


@dataclass(frozen=True)
class ExpectedSize:
    """Bytes of an index of `count` rows: of the order (or of a line), of the columns kept in it, and of the tiles."""

    kind: str
    count: int
    order: int
    columns: int
    tiles: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.order + self.columns + self.tiles

    def __str__(self) -> str:
        what = "the line" if self.kind == "series" else "the order"
        parts = [f"{_size(self.order)} for {what} ({self.order / max(self.count, 1):.1f} bytes a row)"]
        if self.columns:
            parts.append(f"{_size(self.columns)} for columns")
        if self.tiles:
            parts.append(f"at most {_size(self.tiles)} for tiles")
        return f"about {_size(self.total)}: {', '.join(parts)}"


def expected_size(
    dataset: Dataset,
    spec: OrderSpec,
    columns: Sequence[str],
    reduction: Reduction | None = None,
    cancel: Cancel = NEVER,
) -> ExpectedSize:
    """The size of a store with `columns`, and of the pyramid of `reduction` over it (None: of the store alone).

    Axes are looked at in one batch (at most 2^20 rows) of the first, the middle and the last piece of the table, to see
    whether their numbers follow from the keys; a line's columns in the first batch. Raises what reading does.
    """
    rows = dataset.num_rows
    if spec.kind == "series":
        return ExpectedSize(spec.kind, rows, round(_line_row(dataset, spec, cancel) * rows), 0, 0)
    row = _ORDER + sum(_axis_rows(dataset, spec, cancel))
    wide = sum(axis_dtype(dataset.info(name).type).itemsize for name in dict.fromkeys(columns))
    tiles = 0 if reduction is None else tile_bytes(reduction, rows)
    return ExpectedSize(spec.kind, rows, round(row * rows), wide * rows, tiles)


def tile_bytes(reduction: Reduction, rows: int) -> int:
    """Bytes of a pyramid over so many rows."""
    levels = min(_LEVEL_ROW * rows, _LEVELS) if reduction.columns else 0
    return round((_TILES if reduction.category is None else _CATEGORY_TILES) * rows + levels)


def _axis_rows(dataset: Dataset, spec: OrderSpec, cancel: Cancel) -> list[float]:
    """Bytes a row of each axis: its width where its numbers are kept, else what the exceptions take."""
    found = []
    for which, (name, kind) in enumerate(((spec.x, spec.xaxis), (spec.y, spec.yaxis))):
        info = dataset.info(name)
        width = axis_dtype(info.type).itemsize
        share = 1.0 if kind in ("log", "mercator") else 0.0
        if not share and info.kind != "category":
            share = _exceptions(_sample(dataset, name, cancel), which)
        found.append(float(width) if share > _RARE else (width + _PLACE) * share)
    return found


def _sample(dataset: Dataset, name: str, cancel: Cancel) -> Array:
    """The finite numbers of a batch of the first, the middle and the last piece."""
    pieces = dataset.chunks()
    found = []
    for piece in sorted({0, len(pieces) // 2, len(pieces) - 1}) if pieces else ():
        for _, (column,) in islice(dataset.read(piece, [name], cancel), 1):
            values, valid = numbers_of(column.values, column.valid)
            found.append(widen(values if valid is None else values[valid]))
    return np.concatenate(found) if found else np.empty(0)


def _exceptions(values: Array, which: int) -> float:
    """The share of numbers that do not follow from a key of 32 bits an axis: they lie on no edge of a cell."""
    if not len(values):
        return 0.0
    root = root_of(values.min().item(), values.max().item())
    if derived(which, root, values.dtype) is None:
        return 1.0
    exponent = root.exponent - 32
    if values.dtype.kind == "f":
        cells = np.ldexp(values.astype(np.float64), -exponent)
        return float(np.mean(np.floor(cells) != cells))
    below = values.dtype.type((1 << max(exponent, 0)) - 1)
    return float(np.mean(values & below != 0))


def _line_row(dataset: Dataset, spec: OrderSpec, cancel: Cancel) -> float:
    """Bytes a row of a line."""
    spaces = space(spec.xaxis, "x"), space(spec.yaxis, "y")
    pairs = Streamed(dataset, (spec.x, spec.y), spaces)
    batch = next(iter(pairs.read(0, cancel)), None) if pairs.pieces else None
    row = _LINE + axis_dtype(dataset.info(spec.y).type).itemsize
    return row if batch is None else row + _x_row(batch, pairs.rows) + _gap_row(batch)


def _x_row(batch: Batch, rows: int) -> float:
    """Bytes a row of x: nothing where it follows a rule; row numbers too where it does not ascend or has holes."""
    xs, known = numbers_of(*batch.x)
    kept = xs if known is None else xs[known]
    ascends = bool((kept[1:] >= kept[:-1]).all())
    number = 0 if ascends and len(kept) == len(xs) else _ROW_NUMBER
    ruled = ascends and regular_rule(kept, rows, None) is not None
    return number + (0 if ruled else xs.dtype.itemsize)


def _gap_row(batch: Batch) -> float:
    """Bytes a row of where y begins and ends to be missing."""
    _, known = numbers_of(*batch.y)
    return 0.0 if known is None else _EDGE * float(np.count_nonzero(known[1:] != known[:-1])) / max(len(known), 1)


def _size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e9:,.2f} GB" if count >= 10_000_000 else f"{count / 1e6:,.2f} MB"
