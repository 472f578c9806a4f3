"""Slices for kernels."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bigviz.data.columns.column import Column, Unusable, has_numbers, readable_names, type_words
from bigviz.data.columns.kinds import describe


def column(values: np.ndarray, valid: np.ndarray | None = None) -> Column:
    return Column(describe(pa.field("c", pa.from_numpy_dtype(values.dtype))), values, valid, None)


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8"])
def test_slices_are_widened_and_read_only(dtype: str) -> None:
    values = np.array([0, 1, 100, np.iinfo(dtype).max if dtype[0] != "f" else np.inf], dtype)
    valid = np.array([True, False, True, True])
    got, ok = column(values, valid).slice(1, 4)
    wide = {"u8": np.uint64, "f4": np.float32, "f8": np.float64}.get(dtype, np.int64)
    assert got.dtype == wide and got.tolist() == values[1:4].tolist()
    assert ok is not None and ok.tolist() == [False, True, True]
    assert not got.flags.writeable and not ok.flags.writeable and values.flags.writeable
    assert np.shares_memory(got, values) == (wide == values.dtype)


@pytest.mark.parametrize(
    ("values", "valid", "expected"),
    [
        (np.array([np.nan, np.inf, -np.inf]), None, False),
        (np.array([np.nan, 1.0]), None, True),
        (np.array([0, 0]), np.array([False, False]), False),
        (np.array([0, 0]), np.array([False, True]), True),
        (np.array([0, 0]), None, True),
        (np.array([], np.float32), None, False),
        (np.append(np.full(3 << 20, np.nan, np.float32), np.float32(1)), None, True),
    ],
)
def test_has_numbers(values: np.ndarray, valid: np.ndarray | None, expected: bool) -> None:
    assert has_numbers(column(values, valid)) is expected


@pytest.mark.parametrize("rows", [np.array([3, 0, 3]), np.array([True, False, False, True])])
def test_rows_at_places(rows: np.ndarray) -> None:
    values, valid = np.array([1, 2, 3, 4], np.int16), np.array([True, True, False, False])
    got, ok = column(values, valid).at(rows)
    assert got.dtype == np.int64 and got.tolist() == values[rows].tolist()
    assert ok is not None and ok.tolist() == valid[rows].tolist()
    taken = column(values, valid).take(rows)
    assert taken.values.dtype == np.int16 and taken.values.tolist() == got.tolist()
    assert taken.valid is not None and taken.valid.tolist() == ok.tolist() and not taken.values.flags.writeable
    assert column(values).at(rows)[1] is None and column(values).take(rows).valid is None


def test_types_in_words() -> None:
    labels = pa.dictionary(pa.int32(), pa.large_string())
    types = (pa.string(), labels, pa.dictionary(pa.int8(), pa.int64()), pa.float64(), pa.list_(pa.int8()))
    assert list(map(type_words, types)) == ["text", "labels (text)", "labels (int64)", "double", "list<item: int8>"]


def test_names_of_columns_that_can_be_read() -> None:
    infos = [describe(pa.field(name, pa.int8())) for name in ("b", "a", "b", "c")]
    infos.append(describe(pa.field("d", pa.int8()), Unusable("damaged", readable=False)))
    infos.append(describe(pa.field("e", pa.int8()), Unusable("too wide", readable=True)))
    assert readable_names(infos) == ["a", "c", "e"]
