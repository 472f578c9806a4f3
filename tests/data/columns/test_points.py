"""Coordinates in geometries, against a slow reader of one value at a time."""

from __future__ import annotations

import math
import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.data.columns import points
from bigviz.data.columns.points import coordinates

KINDS = {"ISO": {"": 1, "Z": 1001, "M": 2001, "ZM": 3001}}
KINDS["EWKB"] = {"": 1, "Z": 0x80000001, "M": 0x40000001, "ZM": 0xC0000001}


def wkb(x: float, y: float, *more: float, kind: int = 1, order: str = "<", system: int | None = None) -> bytes:
    head = struct.pack(f"{order}BI", order == "<", kind | (0 if system is None else 0x20000000))
    return (
        head
        + (b"" if system is None else struct.pack(f"{order}I", system))
        + struct.pack(f"{order}{2 + len(more)}d", x, y, *more)
    )


def slowly(value: bytes | None, axis: int) -> float | None:
    """The coordinate of one value, as the standard has it."""
    if value is None or len(value) < 21 or value[0] > 1:
        return None
    order = "<" if value[0] else ">"
    (kind,) = struct.unpack_from(f"{order}I", value, 1)
    at = 9 if kind & 0x20000000 else 5
    if kind & 0x1FFFFFFF not in (1, 1001, 2001, 3001) or len(value) < at + 16:
        return None
    number = struct.unpack_from(f"{order}d", value, at + 8 * axis)[0]
    return None if math.isnan(number) else number


def check(values: list[bytes | None]) -> None:
    for type_ in (pa.binary(), pa.large_binary(), pa.binary_view()):
        array = pa.array(values, type_)
        for start in (0, 1, 3):
            for axis in (0, 1):
                got = coordinates(array.slice(start), axis)
                got.validate(full=True)
                assert got.type == pa.float64() and got.to_pylist() == [slowly(each, axis) for each in values[start:]]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("system", [None, 4326])
@pytest.mark.parametrize("dialect", KINDS)
def test_points_of_every_writer(dialect: str, system: int | None, order: str) -> None:
    for dims, kind in KINDS[dialect].items():
        more = [7.5] * len(dims)
        values = [wkb(1.5 * row, -2.25 * row, *more, kind=kind, order=order, system=system) for row in range(9)]
        check(values)
        check([values[0], None, *values[1:], wkb(math.nan, math.nan), wkb(1, 2), b"", None])


def test_what_is_no_point() -> None:
    line = struct.pack("<BII4d", 1, 2, 2, 0, 0, 1, 1)
    many = struct.pack("<BII", 1, 4, 1) + wkb(5, 6)
    odd = [
        line,
        many,
        b"\x01\x01\x00",
        wkb(1, 2)[:-1],
        b"\x02" + wkb(1, 2)[1:],
        wkb(3, 4),
        wkb(1, 2, kind=5),
        wkb(8, 9) + b"zz",
    ]
    check(odd)
    check([line] * 4)
    check([wkb(1, 2, system=1)[:-4]] * 4)


@settings(max_examples=60)
@given(st.lists(st.none() | st.binary(max_size=45) | st.builds(wkb, st.floats(), st.floats()), max_size=20))
def test_any_bytes(values: list[bytes | None]) -> None:
    check([None if value is None else value.replace(b"\x05", b"\x01") for value in values])


def test_more_rows_than_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "_SLICE", 4)
    check([wkb(row, -row) if row % 5 else None for row in range(23)])
    check([wkb(row, -row) for row in range(23)])


def test_geoarrow() -> None:
    xs = pa.array([1.0, 2.0, np.nan, 4.0, None])
    ys = pa.array([-1.0, -2.0, np.nan, -4.0, -5.0])
    apart = pa.StructArray.from_arrays([ys, xs, xs], ["y", "x", "z"], mask=pa.array([False, True, False, False, False]))
    together = pa.FixedSizeListArray.from_arrays(
        pa.array([1.0, -1, 0, 9, 9, 9, np.nan, np.nan, 0, 4, -4, 0, None, -5, 0]), 3
    )
    for array in (apart, together):
        for start in (0, 1, 2):
            cut = array.slice(start, 5 - start)
            wanted = [1.0, None if array is apart else 9.0, None, 4.0, None]
            assert coordinates(cut, 0).to_pylist() == wanted[start:]
    assert coordinates(apart, 1).to_pylist() == [-1, None, None, -4, -5]
    nulls = pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float64(), 2))
    assert coordinates(nulls.slice(1), 1).to_pylist() == [None, 4]
    labels = pa.array([wkb(1, 2), None, wkb(3, 4), wkb(1, 2)]).dictionary_encode()
    assert coordinates(labels, 1).to_pylist() == [2, None, 4, 2]
    with pytest.raises(ValueError, match="int64 holds no geometries"):
        coordinates(pa.array([1]), 0)
