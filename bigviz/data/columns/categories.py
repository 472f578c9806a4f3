"""Labels to ordinals: a label's code is its place among the sorted labels."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from bigviz.common.errors import Unplottable
from bigviz.data.columns.arrow_arrays import fixed_view, from_bools, plain, valid_mask
from bigviz.data.columns.column import Column, ColumnInfo, own_name
from bigviz.data.columns.true_values import Labels, Loaded
from bigviz.data.limits import MOST_CATEGORIES

__all__ = ["Categories", "LabelSet", "Sorted", "distinct", "label_texts", "own_codes"]

_SLICE = 1 << 16


class Categories:
    """Collects the rows of a category column. `add` may be called from several threads, on rows of its own.

    Each array keeps codes into its own labels until enough have come to be worth a hash table; then all of them are
    renamed in place to numbers in one list of labels, in order of appearance. `finish` renames once more, to the
    sorted order. So the memory is one int32 a row and the labels. Only labels that some row has are kept. Text sorts
    by code point (as Python does), other values of a dictionary by their own order.
    """

    def __init__(self, info: ColumnInfo, num_rows: int) -> None:
        self.info = info
        self.values = np.empty(num_rows, np.int32)
        self._known: pa.Array | None = None
        self._pending: list[tuple[np.ndarray, pa.Array]] = []
        self._lock = threading.Lock()

    def add(self, start: int, array: pa.Array) -> None:
        """Encode `array` into the rows from `start` on; raises `Unplottable` once there are more than 2^20 labels."""
        codes, labels = own_codes(plain(array))
        out = self.values[start : start + len(array)]
        out[:] = codes
        labels = _only_used(labels, out)
        with self._lock:
            self._pending.append((out, labels))
            if sum(len(own) for _, own in self._pending) >= 2 * MOST_CATEGORIES:
                self._merge()

    def finish(self, known: Sorted | None = None) -> Loaded:
        """The column, with the labels in the order of `known` if that is given. Nothing may be added afterwards."""
        self._merge()
        labels = pa.array([], pa.string()) if self._known is None else self._known
        if known is not None:
            if len(labels):
                places = pc.index_in(labels, value_set=known.labels).fill_null(-1)
                _rename(self.values, fixed_view(places, np.dtype(np.int32)))
            column = Column(self.info, self.values, _zero_nulls(self.values), known.texts)
            return Loaded(column, Labels(column, known.labels))
        if len(labels):
            order = pc.sort_indices(labels)
            rank = np.empty(len(labels), np.int32)
            rank[fixed_view(order, np.dtype(np.uint64))] = np.arange(len(labels), dtype=np.int32)
            labels = labels.take(order)
            _rename(self.values, rank)
        column = Column(self.info, self.values, _zero_nulls(self.values), tuple(label_texts(labels)))
        return Loaded(column, Labels(column, labels))

    def _merge(self) -> None:
        """Rename the pending codes to positions in `_known`, which grows at its end only."""
        if not self._pending:
            return
        chunks = [own for _, own in self._pending]
        if self._known is not None:
            chunks.insert(0, self._known)
        encoded = distinct(self.info, chunks)
        self._known = encoded.dictionary
        names = fixed_view(encoded.indices, np.dtype(np.int32))
        at = len(names) - sum(len(own) for _, own in self._pending)
        for codes, own in self._pending:
            _rename(codes, names[at : at + len(own)])
            at += len(own)
        self._pending.clear()


class Sorted(NamedTuple):
    """All labels of a category column in the type of its values and as people read them: sorted, unless the column
    grows (`GrownLabels`)."""

    labels: pa.Array
    texts: tuple[str, ...]

    def column(self, info: ColumnInfo, array: pa.Array) -> Column:
        """Some rows as ordinals of these labels; what is not among them is not valid."""
        codes, own = own_codes(plain(array))
        if len(own):
            places = pc.index_in(own, value_set=self.labels).fill_null(-1)
            _rename(codes, fixed_view(places, np.dtype(np.int32)))
        return Column(info, codes, _zero_nulls(codes), self.texts)


class LabelSet:
    """Collects the labels of a category column, but not its rows. `add` may be called from several threads."""

    def __init__(self, info: ColumnInfo) -> None:
        self.info = info
        self._pending: list[pa.Array] = []
        self._lock = threading.Lock()

    def add(self, start: int, array: pa.Array) -> None:
        """Take in the labels of some rows; raises `Unplottable` once there are more than 2^20."""
        codes, labels = own_codes(plain(array))
        labels = _only_used(labels, codes)
        with self._lock:
            if not self._pending or not labels.equals(self._pending[-1]):
                self._pending.append(labels)
            if sum(map(len, self._pending)) >= 2 * MOST_CATEGORIES:
                self._pending = [distinct(self.info, self._pending).dictionary]

    def merge(self, labels: pa.Array) -> None:
        """Take in labels that others have collected, as `finish` gave them."""
        with self._lock:
            self._pending.append(labels)

    def finish(self) -> Sorted:
        """The labels that some row has."""
        labels = pa.array([], pa.string())
        if self._pending:
            labels = distinct(self.info, self._pending).dictionary
            labels = labels.take(pc.sort_indices(labels))
        return Sorted(labels, tuple(label_texts(labels)))


def distinct(info: ColumnInfo, chunks: list[pa.Array]) -> pa.DictionaryArray:
    """The labels of all chunks as one dictionary, in order of appearance, and the place of each in it."""
    rows = pa.chunked_array(chunks)
    if not len(rows):  # pyarrow combines no chunks of dictionaries of decimals
        return chunks[0].dictionary_encode()
    encoded = rows.dictionary_encode().combine_chunks()
    if len(encoded.dictionary) > MOST_CATEGORIES:
        raise Unplottable(
            f"Column {own_name(info.name)!r} has more than {MOST_CATEGORIES:,} different labels, the most that an axis "
            "or a colour has room for. Choose one with fewer.",
            got=own_name(info.name),
        )
    return encoded


def _zero_nulls(codes: np.ndarray) -> np.ndarray | None:
    """Where codes are not -1, which becomes 0; None if none is."""
    if len(codes) == 0 or codes.min() >= 0:
        return None
    valid = codes >= 0
    codes[~valid] = 0
    return valid


def own_codes(array: pa.Array) -> tuple[np.ndarray, pa.Array]:
    """Codes (-1 for null) and the labels they count, which hold no null and are of a type that `_encodable` gives."""
    if not pt.is_dictionary(array.type):
        array = _encodable(array).dictionary_encode()
    labels = _encodable(plain(array.dictionary))
    codes = fixed_view(array.indices, np.dtype(str(array.type.index_type))).astype(np.int32)
    valid = valid_mask(array.indices)
    if valid is not None:
        codes[~valid] = -1
    nulls = valid_mask(labels)
    if nulls is not None:
        _rename(codes, np.where(nulls, np.cumsum(nulls, dtype=np.int32) - 1, np.int32(-1)))
        labels = labels.drop_null()
    return codes, labels


def _encodable(array: pa.Array) -> pa.Array:
    """The array in a type that pyarrow can encode as a dictionary and sort: it cannot do that with views, nulls, halves
    and decimals of 32 and 64 bits."""
    type_ = array.type
    if pt.is_string_view(type_) or pt.is_null(type_):
        return array.cast(pa.large_string())
    if pt.is_binary_view(type_):
        return array.cast(pa.large_binary())
    if pt.is_float16(type_):
        return array.cast(pa.float32())
    if pt.is_decimal32(type_) or pt.is_decimal64(type_):
        return array.cast(pa.decimal128(type_.precision, type_.scale))
    return array


def _only_used(labels: pa.Array, codes: np.ndarray) -> pa.Array:
    """The labels that occur; `codes` are renamed to match when some do not."""
    used = np.zeros(len(labels) + 1, np.bool_)
    used[codes] = True
    keep = used[:-1]
    if keep.all():
        return labels
    _rename(codes, np.cumsum(keep, dtype=np.int32) - 1)
    return labels.filter(from_bools(keep))


def _rename(codes: np.ndarray, names: np.ndarray) -> None:
    """Replace each code c by names[c] in place; -1 stays."""
    table = np.append(names, np.int32(-1)).astype(np.int32)
    # In slices: NumPy turns the codes into int64 before it looks them up, twice the column if all at once.
    for start in range(0, len(codes), _SLICE):
        part = codes[start : start + _SLICE]
        np.take(table, part, out=part, mode="wrap")


def label_texts(labels: pa.Array) -> list[str]:
    """What people read. Bytes are read as UTF-8 if all of them can be, else written in hexadecimal digits; stamps of a
    zone that nobody knows are written in UTC."""
    type_ = labels.type
    if pt.is_binary(type_) or pt.is_large_binary(type_) or pt.is_fixed_size_binary(type_):
        raw: list[bytes] = labels.to_pylist()
        try:
            return [item.decode() for item in raw]
        except UnicodeDecodeError:
            return [item.hex() for item in raw]
    if pt.is_boolean(type_):
        return [str(item) for item in labels.to_pylist()]
    if not pt.is_string(type_) and not pt.is_large_string(type_):
        try:
            labels = labels.cast(pa.string())
        except pa.ArrowInvalid:
            if not pt.is_timestamp(type_):
                raise
            return [f"{text}Z" for text in labels.view(pa.timestamp(type_.unit)).cast(pa.string()).to_pylist()]
    texts: list[str] = labels.to_pylist()
    return texts
