"""A column brought into an order on disk, whatever its size: for reductions of a column that the store does not hold.

The source is read in segments of rows that fit in memory. Each goes once along the order, and every position whose row
lies in it takes its number. So the source is read once, in its own order, and the order once for each segment.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.jit import frozen, jit
from bigviz.data.column import Column
from bigviz.data.dataset import Dataset
from bigviz.data.errors import Unreadable
from bigviz.data.numbers import axis_dtype
from bigviz.tiles.guard import Checked
from bigviz.tiles.order import Order, OrderedColumn
from bigviz.tiles.store.checksum import sum_blocks
from bigviz.tiles.store.columnfile import ColumnFile, map_column, write_column
from bigviz.tiles.work import SLICE, Crew, slices

__all__ = ["column_bytes", "gather_column", "open_column"]

Array = npt.NDArray[Any]

_STAGE: Final = "gathering values"
_SEGMENT: Final = 1 << 29  # bytes of a column that are in memory at a time
_NARROW: Final = 127  # labels whose codes, and -1, fit in a byte
_MOST_LABELS: Final = 4096  # that are written down
_SUMS: Final = "sums.arrow"


def column_bytes(order: Order, dataset: Dataset, name: str) -> int:
    """Bytes on disk that `gather_column` takes, about."""
    return len(order.numbered) * sum(dtype.itemsize for dtype in _parts(dataset, name).values())


def gather_column(order: Order, dataset: Dataset, name: str, folder: Path, crew: Crew) -> dict[str, Any]:
    """Write a column of the dataset, in this order, into a folder that exists; what `open_column` needs to know of it.

    Takes half a gibibyte of memory. An interrupted call is begun again. Raises what reading the dataset does, OSError
    (a full disk at the start), Cancelled.
    """
    dtypes = _parts(dataset, name)
    labels = dataset.labels(name, crew.cancel) if "codes" in dtypes else None
    rows, count = len(order.numbered), dataset.num_rows
    segment = max(_SEGMENT // sum(dtype.itemsize for dtype in dtypes.values()), SLICE)
    starts = range(0, count, segment)
    whole = True  # every row holds a number
    with ExitStack() as stack:
        files = {
            part: stack.enter_context(ColumnFile(folder / f"{part}.arrow", dtype, rows))
            for part, dtype in dtypes.items()
        }
        for number, start in enumerate(starts):
            step = crew.within(_STAGE, number / len(starts), (number + 1) / len(starts), rows)
            stop = min(start + segment, count)
            held = _read(dataset, name, dtypes, start, stop, step.within(_STAGE, 0.0, 0.5, rows))
            whole = whole and ("valid" not in held or bool(held["valid"].all()))
            _deal(order, held, start, files, number == 0, step.within(_STAGE, 0.5, 1.0, rows))
        for file in files.values():
            file.finish()
    if whole and "valid" in dtypes:
        (folder / "valid.arrow").unlink()
        del dtypes["valid"]
    sums = [sum_blocks(map_column(folder / f"{part}.arrow", dtype)) for part, dtype in dtypes.items()]
    write_column(folder / _SUMS, np.concatenate(sums))
    return {
        "rows": rows,
        "parts": {part: dtype.name for part, dtype in dtypes.items()},
        "labels": labels if labels is not None and len(labels) <= _MOST_LABELS else None,
    }


def open_column(folder: Path, facts: Mapping[str, Any]) -> OrderedColumn:
    """The column that `gather_column` wrote, mapped. Raises Unreadable for a folder that holds something else."""
    found: dict[str, Checked] = {}
    try:
        sums = map_column(folder / _SUMS, np.dtype(np.uint64))
        for part, dtype in facts["parts"].items():
            path = folder / f"{part}.arrow"
            array = map_column(path, np.dtype(dtype))
            if len(array) != facts["rows"]:
                raise Unreadable(f"{path} is damaged: it holds {len(array):,} rows instead of {facts['rows']:,}.")
            own = Checked(array, path=path)
            blocks = len(own.state)
            found[part] = Checked(array, sums[:blocks], path) if blocks else own
            sums = sums[blocks:]
        labels = facts["labels"]
        return OrderedColumn(**found, labels=None if labels is None else tuple(labels))
    except (LookupError, TypeError, ValueError) as error:
        raise Unreadable(f"{folder} holds no column: {error}.", got=str(folder)) from error


def _parts(dataset: Dataset, name: str) -> dict[str, np.dtype[Any]]:
    """The files of a column and their dtypes."""
    info = dataset.info(name)
    if info.kind == "category":
        return {"codes": np.dtype(np.int8 if len(dataset.labels(name)) <= _NARROW else np.int32)}
    values = {"values": axis_dtype(info.type)}
    return values if info.kind == "float" else {**values, "valid": np.dtype(np.uint8)}


def _read(
    dataset: Dataset, name: str, dtypes: Mapping[str, np.dtype[Any]], start: int, stop: int, crew: Crew
) -> dict[str, Array]:
    """Rows `start` to `stop` of a column, as they are written."""
    held = {part: np.empty(stop - start, dtype) for part, dtype in dtypes.items()}

    def take(number: int) -> int:
        taken = 0
        for first, (column,) in dataset.read(number, [name], crew.cancel):
            crew.cancel.check()
            low, high = max(first, start), min(first + len(column), stop)
            if first >= stop:
                break
            if low < high:
                _put(column, slice(low - first, high - first), held, slice(low - start, high - start))
                taken += high - low
        return taken

    pieces = [k for k, (first, rows) in enumerate(dataset.chunks()) if first < stop and first + rows > start]
    crew.run(_STAGE, take, pieces, stop - start)
    return held


def _put(column: Column, rows: slice, held: dict[str, Array], place: slice) -> None:
    valid = None if column.valid is None else column.valid[rows]
    if "codes" in held:
        codes = column.values[rows]
        held["codes"][place] = codes if valid is None else np.where(valid, codes, -1)
        return
    held["values"][place] = column.values[rows]
    if "valid" in held:
        held["valid"][place] = 1 if valid is None else valid


def _deal(
    order: Order, held: dict[str, Array], start: int, files: dict[str, ColumnFile], empty: bool, crew: Crew
) -> None:
    """Give each position whose row is held its number; `empty` files have none so far."""
    rows = len(order.numbered)

    def deal(piece: tuple[int, int]) -> int:
        low, high = piece
        numbers = frozen(order.numbered.take(slice(low, high)))
        for part, file in files.items():
            out = np.zeros(high - low, file.dtype)
            if not empty:
                file.read(low, out)
            word = np.dtype(f"u{file.dtype.itemsize}")  # one kernel for each width
            _fill(numbers, np.uint32(start), frozen(held[part].view(word)), out.view(word))
            file.write(low, out)
        return high - low

    crew.run(_STAGE, deal, slices(rows), rows)


@jit
def _fill(numbers: Array, first: np.uint32, held: Array, out: Array) -> None:
    """Set `out[k]` where row `numbers[k]` is among those held, from row `first` on."""
    count = np.uint32(held.size)
    for k in range(numbers.size):
        at = np.uint32(numbers[k] - first)  # wraps for rows before them
        if at < count:
            out[k] = held[at]
