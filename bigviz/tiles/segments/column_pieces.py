"""Ranges of a dataset's rows, read into memory on all threads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.spaces import space
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.survey import numbers_of
from bigviz.tiles.segments.row_part import Numbers

__all__ = ["axes_of", "pieces_of", "read_columns", "read_numbers"]

Array = npt.NDArray[Any]

_SLICE = 1 << 20


def read_columns(dataset: Dataset, names: Sequence[str], start: int, stop: int, crew: Crew) -> list[Column]:
    """Whole columns of the rows from number `start` to `stop`; what is not there of them is not valid."""
    rows = stop - start
    infos = [dataset.info(name) for name in names]
    values = [np.zeros(rows, axis_dtype(info.type)) for info in infos]
    masks: list[Array | None] = [None] * len(names)
    labels: list[tuple[str, ...] | None] = [
        dataset.labels(name, crew.cancel) if info.kind == "category" else None
        for name, info in zip(names, infos, strict=True)
    ]

    def read(piece: tuple[int, int]) -> int:
        for first, columns in crew.paced(dataset.read_rows(names, *piece, crew.cancel)):
            part = slice(first - start, first - start + len(columns[0]))
            for at, column in enumerate(columns):
                values[at][part] = column.values
                if column.valid is not None:
                    mask = masks[at]
                    if mask is None:
                        mask = masks[at] = np.ones(rows, np.bool_)
                    mask[part] = column.valid
        return piece[1] - piece[0]

    pieces = pieces_of(dataset, start, stop)
    # Masks are made by whoever needs one first, so columns with nulls are read by one thread.
    single = any(info.kind != "float" for info in infos)
    (Crew(1, crew.progress, crew.cancel, crew.turns, crew.background) if single else crew).run(
        "reading", read, pieces, rows
    )
    return [
        Column(info, each, mask, label) for info, each, mask, label in zip(infos, values, masks, labels, strict=True)
    ]


def read_numbers(dataset: Dataset, spec: OrderSpec, start: int, stop: int, crew: Crew) -> Numbers:
    """The rows from number `start` to `stop` that are numbers on both axes."""
    names = tuple(dict.fromkeys((spec.x, spec.y)))
    spaces = (space(spec.xaxis, "x"), space(spec.yaxis, "y"))
    found: dict[int, Numbers] = {}

    def read(piece: tuple[int, int]) -> int:
        for first, columns in crew.paced(dataset.read_rows(names, *piece, crew.cancel)):
            found[first] = _both(first, Axis(columns[0], spaces[0]), Axis(columns[-1], spaces[1]))
        return piece[1] - piece[0]

    crew.run("reading", read, pieces_of(dataset, start, stop), stop - start)
    parts = [found.pop(first) for first in sorted(found)]
    if not parts:
        x, y = axes_of(dataset, spec)
        return Numbers(np.empty(0, np.int64), _own(x), _own(y))
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([part.rows for part in parts])
    return Numbers(rows, np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts]))


def axes_of(dataset: Dataset, spec: OrderSpec) -> tuple[Axis, Axis]:
    """Both axes, of no rows, with the labels of categories that the dataset has."""
    return Axis(_empty(dataset, spec.x), space(spec.xaxis, "x")), Axis(_empty(dataset, spec.y), space(spec.yaxis, "y"))


def _empty(dataset: Dataset, name: str) -> Column:
    info = dataset.info(name)
    labels = dataset.labels(name) if info.kind == "category" else None
    return Column(info, np.empty(0, axis_dtype(info.type)), None, labels)


def _both(first: int, x: Axis, y: Axis) -> Numbers:
    """The rows of a batch that are numbers on both axes."""
    xs, ys = _own(x), _own(y)
    kept = [mask for mask in (numbers_of(*axis.slice(0, len(axis)))[1] for axis in (x, y)) if mask is not None]
    rows = np.arange(first, first + len(x), dtype=np.int64)
    if not kept:
        return Numbers(rows, xs, ys)
    keep = kept[0] if len(kept) == 1 else kept[0] & kept[1]
    return Numbers(rows[keep], xs[keep], ys[keep])


def _own(axis: Axis) -> Array:
    """An axis's numbers, in the column's own type where they are the column's."""
    return axis.column.values if axis.keeps_numbers else axis.slice(0, len(axis))[0]


def pieces_of(dataset: Dataset, start: int, stop: int) -> list[tuple[int, int]]:
    """What is read by itself of a range of rows."""
    before = dataset.first_row
    found = [(max(start, first + before), min(stop, first + before + rows)) for first, rows in dataset.chunks()]
    return [(low, high) for low, high in found if low < high]
