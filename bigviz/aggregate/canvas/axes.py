"""The sides of an image: their ends, from what was given or from the columns, and the coordinates of their cells."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.inputs import Numbers
from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew, slices
from bigviz.data.columns.column import Column, ColumnInfo
from bigviz.data.dataset import Dataset
from bigviz.data.given import given_list

__all__ = ["Ends", "Range", "centres", "ends", "joined", "number", "pair", "span_of", "span_of_ends", "spans"]

Array = npt.NDArray[Any]
Range = tuple[Any, Any]
Ends = tuple[int | float, int | float]

_KNOWN: Final[WeakKeyDictionary[Dataset, dict[tuple[str, int], Ends | None]]] = WeakKeyDictionary()
_LARGEST: Final = (1 << 1024) - (1 << 970)  # the least whole number that is no float64, rounded
_SLICE: Final = 1 << 19  # rows whose lowest and highest are found at a time


def pair(values: Any, name: str) -> Range:
    """(low, high) of what was given for a side. Raises BadInput for what is no pair."""
    if isinstance(values, Mapping):
        raise BadInput(f"{name} must be (low, high), got {echoed(values)}", name, echoed(values))
    ends = tuple(given_list(values, name, "two numbers, (low, high)"))
    if len(ends) != 2:
        raise BadInput(f"{name} must be (low, high), got {echoed(ends)}", name, echoed(ends))
    return ends


def spans(columns: Sequence[Column], threads: int, dataset: Dataset | None = None) -> list[Ends]:
    """The lowest and the highest number of each column, found in one pass on all threads.

    -1 and 1 where there is no number or an infinite one; one number plus and minus 1; times are ints. All as
    datashader has it. Those of whole columns of a dataset, where that is given, are kept as long as it is there.
    """
    known = {} if dataset is None else _KNOWN.setdefault(dataset, {})
    names = [(column.info.name, 0 if dataset is None else dataset.version) for column in columns]
    unknown = {name: column for name, column in zip(names, columns, strict=True) if name not in known}
    known |= zip(unknown, ends(list(unknown.values()), threads), strict=True)
    return [span_of(column.info, known[name]) for name, column in zip(names, columns, strict=True)]


def ends(columns: Sequence[Column | Numbers], threads: int) -> list[Ends | None]:
    """The lowest and the highest number of each column, infinities included; None where all are NaN or null."""
    pieces = [(at, *piece) for at, column in enumerate(columns) for piece in slices(len(column), _SLICE)]
    pieces.sort(key=lambda piece: piece[1])
    found: list[list[Ends]] = [[] for _ in columns]

    def look(piece: tuple[int, int, int]) -> int:
        at, start, stop = piece
        column = columns[at]
        values = column.values[start:stop]
        if column.valid is not None:
            values = values[column.valid[start:stop]]
        part = _float_ends(values) if values.dtype.kind == "f" else _integer_ends(values)
        if part is not None:
            found[at].append(part)
        return stop - start

    Crew(threads).run("finding ranges", look, pieces, sum(map(len, columns)))
    return [joined(each) for each in found]


def joined(found: Sequence[Ends]) -> Ends | None:
    """The ends of several parts together."""
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def span_of(info: ColumnInfo, known: Ends | None) -> Ends:
    """The range of a column from the ends of its numbers: see `spans`."""
    if known is None:
        return -1.0, 1.0
    whole = int if info.is_time else float
    return span_of_ends(whole(known[0]), whole(known[1]))


def span_of_ends(low: int | float, high: int | float) -> Ends:
    """The range of numbers from the lowest and the highest of them, which may be infinite, and NaN where there is
    none."""
    return _wide(low, high) if math.isfinite(low) and math.isfinite(high) else (-1.0, 1.0)


def _integer_ends(values: Array) -> Ends | None:
    return (int(values.min()), int(values.max())) if len(values) else None


def _float_ends(values: Array) -> Ends | None:
    """Of the numbers that are not NaN: their bits, as integers in the same order, fit a loop without branches."""
    bits = 8 * values.dtype.itemsize
    words = frozen(np.ascontiguousarray(values).view(f"i{values.dtype.itemsize}"))
    rest, infinity = (1 << bits - 1) - 1, int(np.array(np.inf, values.dtype).view(words.dtype))
    found = _key_ends(words, rest)
    if found[1] > infinity or found[0] < ~infinity:  # beyond the infinities are NaN
        found = _known_ends(words, bits - 1, rest, infinity)
    if found[0] > found[1]:
        return None
    low, high = (np.array(key ^ (rest if key < 0 else 0), words.dtype).view(values.dtype) for key in found)
    return float(low), float(high)


@jit
def _key_ends(words: Array, rest: int) -> tuple[int, int]:
    """The lowest and the highest key of floats, given by their bits: numbers in order are keys in order."""
    word_of = words.dtype.type  # in their own width twice as many fit into a vector
    zero, mask = word_of(0), word_of(rest)
    least, most = mask, word_of(~mask)
    for k in range(words.size):
        word = words[k]
        key = word_of(word ^ mask) if word < zero else word
        least, most = min(least, key), max(most, key)
    return int(least), int(most)


@jit
def _known_ends(words: Array, sign: int, rest: int, infinity: int) -> tuple[int, int]:
    """The same without NaN, which takes three times as long."""
    word_of = words.dtype.type
    shift, mask, most_known = word_of(sign), word_of(rest), word_of(infinity)
    least, most = mask, ~mask
    for k in range(words.size):
        word = words[k]
        key = word ^ ((word >> shift) & mask)
        known = (word & mask) <= most_known
        least = min(least, key if known else mask)
        most = max(most, key if known else ~mask)
    return int(least), int(most)


def _wide(low: int | float, high: int | float) -> Ends:
    """The range from `low` to `high`, or one below and one above where they are the same."""
    return (low - 1, low + 1) if low == high else (low, high)


def number(value: Any, info: ColumnInfo, name: str) -> int | float:
    """One end of a range as a Python number."""
    if info.is_time:
        if isinstance(value, datetime.datetime) and value.tzinfo is not None:
            value = np.datetime64(value.astimezone(datetime.UTC).replace(tzinfo=None))
        if isinstance(value, str | datetime.date):
            value = np.datetime64(value)
        if isinstance(value, datetime.timedelta):
            value = np.timedelta64(value)
        if isinstance(value, np.datetime64 | np.timedelta64):
            return _nanoseconds(value, name)
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, bool) or not isinstance(plain, int | float):
        raise BadInput(f"{name} must be two numbers, got {value!r}", name, value)
    far = not -(1 << 63) <= plain < 1 << 63 if info.is_time else abs(plain) >= _LARGEST
    if far and abs(plain) < math.inf:
        raise BadInput(f"{name} is beyond what {info.name!r} may hold, got {value!r}", name, value)
    return plain


def _nanoseconds(value: np.datetime64 | np.timedelta64, name: str) -> int:
    """Those since 1970, or of a duration. numpy's own conversion wraps around beyond 292 years."""
    found = value.astype("datetime64[ns]" if isinstance(value, np.datetime64) else "timedelta64[ns]")
    if np.isnat(value) or found.astype(value.dtype) != value:
        held = "64 bits of nanoseconds hold, from 1678 to 2261"
        raise BadInput(f"{name} must be times that {held}, got {value!r}", name, value)
    return int(found.view(np.int64))


def centres(info: ColumnInfo, bins: Bins) -> Array:
    """The coordinates of the cells: datetime64 for dates and stamps, timedelta64 for times of day and durations."""
    if not info.is_time:
        return bins.centres()
    low, high = int(bins.low), int(bins.high)
    middles = [low + (2 * k + 1) * (high - low) // (2 * bins.size) for k in range(bins.size)]
    unit = "datetime64[ns]" if info.kind in ("date", "timestamp") else "timedelta64[ns]"
    return np.array(middles, np.int64).view(unit)
