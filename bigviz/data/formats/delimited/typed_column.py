"""Cells of text to typed columns: the narrowest type that holds every cell exactly, found while the cells come."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from bigviz.data.columns.arrow_arrays import fixed_view, valid_mask

__all__ = ["NULL_WORDS", "TypedColumn", "cast_cells", "cleaned"]

NULL_WORDS: Final = (
    "", "-", "NA", "N/A", "n/a", "#N/A", "#N/A N/A", "#NA", "<NA>", "NULL", "null", "None", "nan", "NaN", "-nan",
    "-NaN", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "\\N",
)  # fmt: skip
"""What an empty cell is spelled as among numbers and times. In a column of text each is the text that it is."""


def _texts(*cells: str) -> pa.Array:
    """An array of text. Neither `pa.array` nor `pa.scalar`: both import pandas where it is installed (0.3 s)."""
    raw = [cell.encode() for cell in cells]
    offsets = np.cumsum([0, *map(len, raw)], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(cells), [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(raw))])


_NULL_SET: Final = _texts(*NULL_WORDS)
_NULL, _FIRST_DAY, _SPACE = pa.nulls(1, pa.string())[0], _texts("1970-01-01")[0], _texts(" ")[0]

_INT, _UINT, _HUGE, _DOUBLE = pa.int64(), pa.uint64(), pa.decimal128(38, 0), pa.float64()
_DATE, _TIME = pa.date32(), pa.time64("ns")
_STAMP, _FAR_STAMP, _ZONED = pa.timestamp("ns"), pa.timestamp("us"), pa.timestamp("ns", "UTC")
_CANDIDATES: Final = (_INT, _UINT, _HUGE, _DOUBLE, pa.bool_(), _DATE, _STAMP, _FAR_STAMP, _ZONED, _TIME)
_NUMBER: Final = r"^[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?$"
_HINTS: Final = {
    "BOOLEAN": pa.bool_(), "BIGINT": _INT, "DOUBLE": _DOUBLE, "DATE": _DATE, "TIMESTAMP": _STAMP,
    "TIMESTAMP WITH TIME ZONE": _ZONED, "TIME": _TIME,
}  # fmt: skip
_HUGE_CELL: Final = r"^[+-]?\d{1,38}$"


class _Cells:
    """Cells of a batch as they are and, made when first needed, without the spaces that may stand around numbers."""

    def __init__(self, texts: pa.Array) -> None:
        self.texts = texts

    @cached_property
    def bare(self) -> pa.Array:
        return cleaned(self.texts)


class TypedColumn:
    """One column of a CSV, filled batch by batch.

    Whole numbers are int64, else uint64, else decimals of 38 digits, else float64; then bool, ISO dates, ISO stamps
    (nanoseconds; UTC where every cell has an offset), times of day, text. A later cell widens what came before where
    nothing is lost by it: dates to stamps, whole numbers to float64 as if they had been read so. Where text is the only
    type left, `needs_text` says that the column has to be read again, since numbers do not tell how they were written.

    `hint` is DuckDB's name of the type to be tried first. `parsed` columns come with values that the reader has parsed
    (dates in other notations), null where it could not.
    """

    def __init__(
        self,
        name: str,
        decimal: str = ".",
        type_: pa.DataType | None = None,
        parsed: bool = False,
        hint: str = "",
    ) -> None:
        self.name = name
        self.decimal = decimal
        self.parsed = parsed
        self.type: pa.DataType = type_ or pa.null()
        self.needs_text = False
        self.first_text: tuple[int, str] | None = None  # the row, from 0 on, and the cell that made it text
        self.rows = self.nbytes = 0
        self._chunks: list[pa.Array] = []
        self._clean = False
        self._likely = _HINTS.get(hint)
        self._candidates = _CANDIDATES if self._likely is None else (self._likely, *_CANDIDATES)

    def add(self, texts: pa.Array, values: pa.Array | None = None) -> None:
        """The next rows: cells as text, and as the reader parsed them for a `parsed` column."""
        start, self.rows = self.rows, self.rows + len(texts)
        if self.needs_text:
            return
        cells = _Cells(texts)
        if self.parsed:
            array = self._parsed(cells, values)
        elif pt.is_null(self.type) and self._likely is not None:
            array = self._widened(cells)
        else:
            array = self._converted(cells, self.type)
            array = self._widened(cells) if array is None else array
        if array is None:
            self._give_up(start, texts)
        else:
            self._chunks.append(_owned(array) if pt.is_string(array.type) or self.parsed else array)
            self.nbytes += array.nbytes

    def finish(self) -> pa.ChunkedArray:
        """All rows. Stamps that are whole microseconds have that unit."""
        type_ = self.type
        if pt.is_timestamp(type_) and type_.unit == "ns" and all(map(_whole_microseconds, self._chunks)):
            type_ = pa.timestamp("us", type_.tz)
            self._chunks = [chunk.cast(type_) for chunk in self._chunks]
        return pa.chunked_array(self._chunks, type_)

    def _converted(self, cells: _Cells, type_: pa.DataType) -> pa.Array | None:
        """The cells in that type, or None if one of them does not fit."""
        if pt.is_string(type_):
            return cells.texts
        if not self._clean:
            array = cast_cells(cells.texts, type_, self.decimal)
            if array is not None or cells.bare is cells.texts:
                return array
        array = cast_cells(cells.bare, type_, self.decimal)
        self._clean = self._clean or (array is not None and cells.bare is not cells.texts)
        return array

    def _widened(self, cells: _Cells) -> pa.Array | None:
        """The cells in a type that also holds the rows before, which are brought into it; None if only text does."""
        for candidate in self._candidates:
            joined = self._joined(candidate)
            array = None if joined is None else self._converted(cells, candidate)
            if array is None or joined is None:
                continue
            widened = array if joined == candidate else self._converted(cells, joined)
            if widened is not None:
                self._become(joined)
                return widened
        if not pt.is_null(self.type) or self._clean:  # "NA" was null so far, and is text now
            return None
        self._become(pa.string())
        at = _odd_cell(cells)
        self.first_text = None if at is None else (self.rows - len(cells.texts) + at, cells.texts[at].as_py())
        return cells.texts

    def _become(self, type_: pa.DataType) -> None:
        self._chunks = [_widen(chunk, type_) for chunk in self._chunks]
        self.type = type_

    def _joined(self, other: pa.DataType) -> pa.DataType | None:
        own = self.type
        if pt.is_null(own):
            return other
        if {own, other} == {_INT, _UINT}:
            signed = own == _UINT or any((pc.min(chunk).as_py() or 0) < 0 for chunk in self._chunks)
            return _HUGE if signed else _UINT
        if other == _HUGE and own in (_INT, _UINT):
            return _HUGE
        if other == _DOUBLE and own in (_INT, _UINT, _HUGE):
            return _DOUBLE
        if other == _STAMP and own == _DATE:
            return _STAMP if all(cast_cells(chunk, _STAMP, ".") is not None for chunk in self._chunks) else None
        if other == _FAR_STAMP and (own == _DATE or (own == _STAMP and all(map(_whole_microseconds, self._chunks)))):
            return _FAR_STAMP
        return None

    def _parsed(self, cells: _Cells, values: pa.Array | None) -> pa.Array | None:
        assert values is not None
        if values.null_count == cells.texts.null_count or values.null_count == cells.bare.null_count:
            self.type = values.type
            return values
        return None

    def _give_up(self, start: int, texts: pa.Array) -> None:
        self.first_text = next(
            (
                (start + row, cell)
                for row, cell in enumerate(texts.to_pylist())
                if cell is not None and self._converted(_Cells(_texts(cell)), self.type) is None
            ),
            None,
        )
        self.needs_text = True
        self._chunks, self.nbytes, self.type = [], 0, pa.string()


def cast_cells(texts: pa.Array, type_: pa.DataType, decimal: str) -> pa.Array | None:
    """Cells without spaces around them in that type, or None if one of them does not fit."""
    if pt.is_null(type_):
        return pa.nulls(len(texts)) if texts.null_count == len(texts) else None
    try:
        return _CASTS.get(type_, pc.cast)(_with_point(texts, type_, decimal), type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _with_point(texts: pa.Array, type_: pa.DataType, decimal: str) -> pa.Array:
    if decimal == "." or type_ != _DOUBLE:
        return texts
    if pc.any(pc.match_substring(texts, ".")).as_py():
        raise pa.ArrowInvalid("a point among decimal commas")
    return pc.replace_substring(texts, decimal, ".")


def _to_huge(texts: pa.Array, type_: pa.DataType) -> pa.Array:
    if pc.all(pc.match_substring_regex(texts, _HUGE_CELL)).as_py() is False:  # longer ones would wrap around unseen
        raise pa.ArrowInvalid("not a whole number of 38 digits")
    return texts.cast(type_)


def _to_time(texts: pa.Array, type_: pa.DataType) -> pa.Array:
    stamps = pc.binary_join_element_wise(_FIRST_DAY, texts, _SPACE).cast(_STAMP)
    return stamps.view(pa.int64()).view(type_)


_CASTS: Final[dict[pa.DataType, Callable[[pa.Array, pa.DataType], pa.Array]]] = {_HUGE: _to_huge, _TIME: _to_time}


def cleaned(texts: pa.Array) -> pa.Array:
    """The cells without spaces around them, null where a cell stands for null; the same array if nothing changed."""
    trimmed = pc.utf8_trim_whitespace(texts)
    words = pc.is_in(trimmed, value_set=_NULL_SET)
    bare = pc.if_else(words, _NULL, trimmed)
    return texts if bare.equals(texts) else bare


def _widen(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """Exact, or rounded as the text would have been: decimals go through their digits."""
    if pt.is_decimal(array.type) and type_ == _DOUBLE:
        return array.cast(pa.string()).cast(type_)
    return array.cast(type_, safe=False)


def _owned(texts: pa.Array) -> pa.Array:
    """A copy: an array that came with a batch would keep the memory of the batch's other columns as well."""
    half = len(texts) // 2
    return pa.concat_arrays([texts.slice(0, half), texts.slice(half)])


def _odd_cell(cells: _Cells) -> int | None:
    """Where a column that is mostly numbers first holds something else; None if it does not look like one."""
    numbers = pc.match_substring_regex(cells.bare, _NUMBER)
    if 2 * (pc.sum(numbers).as_py() or 0) < len(cells.bare) - cells.bare.null_count:
        return None
    at: int = pc.index(numbers, False).as_py()
    return at if at >= 0 else None


def _whole_microseconds(array: pa.Array) -> bool:
    values = fixed_view(array, np.dtype(np.int64))
    valid = valid_mask(array)
    return not ((values % 1000 != 0) if valid is None else ((values % 1000 != 0) & valid)).any()
