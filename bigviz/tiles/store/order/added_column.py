"""A column that is brought into the order of a finished store: a part of it, with its own manifest.

The column is read once, in row order, into a temporary file; from there it is gathered through the row numbers of the
order. Both are files, so memory does not grow with the rows; where the column fits the page cache the gathering is as
fast as memory (10 to 20 ns a row on one thread), else as fast as the disk finds pages.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.spaces import LINEAR
from bigviz.common.errors import Unreadable
from bigviz.common.workers import Crew, slices
from bigviz.common.xxh64 import sum_blocks
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.batches import Streamed
from bigviz.tiles.morton.order import Order, OrderedColumn
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.store.files.column_file import ColumnFile, map_column, write_column
from bigviz.tiles.store.files.manifest import read_manifest
from bigviz.tiles.store.order.plan import Payload, column_payloads

__all__ = ["add_column", "open_column"]

Array = npt.NDArray[Any]

MOST_LABELS: Final = 1 << 12  # that are written down, as in an order
_SUMS: Final = np.dtype(np.uint64)


def add_column(
    stores: StoreDirectory, store: Path, dataset: Dataset, order: Order, name: str, crew: Crew
) -> OrderedColumn:
    """The column in the order of a store that is held, gathered unless it is there. Raises what `stores.add` raises."""

    def write(folder: Path, crew: Crew) -> Mapping[str, Any]:
        return _write(folder, dataset, order, name, crew)

    expected = axis_dtype(dataset.info(name).type).itemsize * dataset.num_rows
    return open_column(stores.add(store, "columns", name, write, crew, expected), len(order.guard))


def open_column(folder: Path, rows: int) -> OrderedColumn:
    """The column that `add_column` wrote for an order of `rows` rows, mapped; a block is verified before it is first
    used. Raises Unreadable."""
    manifest = read_manifest(folder, files=False)
    facts = {} if manifest is None else manifest.facts
    try:
        parts, labels = dict(facts["parts"]), facts["labels"]
        files = {part: _checked(folder, part, np.dtype(name)) for part, name in parts.items()}
        if any(len(each) != rows for each in files.values()):
            raise ValueError(f"it has not the {rows:,} rows of its order")
        return OrderedColumn(**files, labels=None if labels is None else tuple(labels))
    except (LookupError, TypeError, ValueError) as error:
        raise Unreadable(f"{folder} holds no column: {error}.", got=str(folder)) from error


def _checked(folder: Path, part: str, dtype: np.dtype[Any]) -> VerifiedArray:
    path = folder / f"{part}.arrow"
    return VerifiedArray(map_column(path, dtype), map_column(folder / f"{part}-sums.arrow", _SUMS), path)


def _write(folder: Path, dataset: Dataset, order: Order, name: str, crew: Crew) -> dict[str, Any]:
    """Read, gather, sum. What an interrupted call left is written again: the whole takes seconds."""
    info = dataset.info(name)
    labels = dataset.labels(name, crew.cancel) if info.kind == "category" else None
    source = Streamed(dataset, (name, name), (LINEAR, LINEAR), [name])
    payloads = column_payloads(source, 0, None if labels is None else len(labels))
    stage = f"adding {name}"
    with_null = _read(folder, dataset, name, payloads, crew.within(stage, 0.0, 0.4, dataset.num_rows))
    parts = {}
    for k, payload in enumerate(payloads):
        raw = _raw(folder, payload)
        if payload.part != "valid" or with_null:
            share = 0.6 / len(payloads)
            step = crew.within(stage, 0.4 + share * k, 0.4 + share * (k + 1), dataset.num_rows)
            _gather(folder, map_column(raw, payload.dtype), order, payload, step)
            parts[payload.part] = payload.dtype.name
        raw.unlink()
    return {"parts": parts, "labels": labels if labels is None or len(labels) <= MOST_LABELS else None}


def _raw(folder: Path, payload: Payload) -> Path:
    return folder / f"{payload.part}-read.arrow"


def _read(folder: Path, dataset: Dataset, name: str, payloads: Sequence[Payload], crew: Crew) -> bool:
    """Write a column's numbers in row order; whether some row has none."""
    found = threading.Event()
    with ExitStack() as stack:
        files = [
            stack.enter_context(ColumnFile(_raw(folder, payload), payload.dtype, dataset.num_rows))
            for payload in payloads
        ]
        pieces = dataset.chunks()

        def copy(piece: int) -> int:
            for first, (column,) in crew.paced(dataset.read(piece, [name], crew.cancel)):
                if column.valid is not None:
                    found.set()
                for payload, file in zip(payloads, files, strict=True):
                    file.write(first, np.ascontiguousarray(payload.of(column)))
            return pieces[piece][1]

        crew.run("reading", copy, range(len(pieces)), dataset.num_rows)
        for file in files:
            file.finish()
    return found.is_set()


def _gather(folder: Path, values: Array, order: Order, payload: Payload, crew: Crew) -> None:
    """Write the numbers in the order, and the sums of their blocks."""
    rows = len(order.guard)
    path = folder / f"{payload.part}.arrow"
    with ColumnFile(path, payload.dtype, rows) as file:

        def take(piece: tuple[int, int]) -> int:
            file.write(piece[0], np.take(values, order.numbered.take(slice(*piece)), mode="clip"))
            return piece[1] - piece[0]

        crew.run("gathering", take, slices(rows), rows)
        file.finish()
    write_column(folder / f"{payload.part}-sums.arrow", sum_blocks(map_column(path, payload.dtype)))
