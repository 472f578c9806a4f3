"""Slices for kernels."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bigviz.common.errors import Unplottable
from bigviz.data.columns.column import Column, has_numbers, require_numbers
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
    if expected:
        require_numbers(column(values, valid), "x")
    else:
        with pytest.raises(Unplottable, match=f"'c' has no finite value in its {len(values)} rows, so it cannot be x"):
            require_numbers(column(values, valid), "x")
