"""Bodies: npy and Arrow, read back by the libraries that everybody uses."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest

from bigviz.server.http.bodies import arrow, npy, own_values, tile_table


def test_npy():
    a = np.arange(6, dtype=np.uint32).reshape(2, 3)
    one = np.load(io.BytesIO(npy([a], False)), allow_pickle=False)
    assert one.dtype == np.uint32 and (one == a).all()
    for plane in (a, np.array([[1, 2], [3, 4]], "M8[s]"), np.array([[True, False]])):
        flipped = np.load(io.BytesIO(npy([plane[::-1]], False)), allow_pickle=False)
        assert flipped.dtype == plane.dtype and (flipped == plane[::-1]).all()
    many = np.load(io.BytesIO(npy([a, a + 1], True)), allow_pickle=False)
    assert many.shape == (2, 3, 2) and (many[..., 1] == a + 1).all()
    assert np.load(io.BytesIO(npy([a], True))).shape == (2, 3, 1), "one category is still an axis"
    assert np.load(io.BytesIO(npy([], True, (2, 3)))).shape == (2, 3, 0), "and so is none"


def test_integers_without_a_value_are_floats_with_nan():
    plane = np.ma.MaskedArray(np.array([[1, 2]], np.int32), [[True, False]])
    got = np.load(io.BytesIO(npy([plane], False)), allow_pickle=False)
    assert got.dtype == np.float64 and np.isnan(got[0, 0]) and got[0, 1] == 2


@pytest.mark.parametrize(
    ("type_", "number", "stored", "dtype"),
    [
        (pa.float16(), 1.5, 1.5, np.float16),
        (pa.bool_(), 1, True, np.bool_),
        (pa.date32(), 86_400 * 10**9, 1, "M8[D]"),
        (pa.date64(), 86_400 * 10**9, 86_400_000, "M8[ms]"),
        (pa.timestamp("s"), -(10**9), -1, "M8[s]"),
        (pa.timestamp("us", "Europe/Paris"), 1_700_000_000_000_001_000, 1_700_000_000_000_001, "M8[us]"),
        (pa.duration("ns"), -1, -1, "m8[ns]"),
        (pa.time32("ms"), 10**6, 1, "m8[ms]"),
        (pa.time64("us"), 10**3, 1, "m8[us]"),
        (pa.int64(), 2**63 - 1, 2**63 - 1, np.int64),
    ],
)
def test_values_come_in_the_type_of_their_column(type_: pa.DataType, number: float, stored: float, dtype: str):
    kernels = np.float32 if type_ == pa.float16() else np.uint8 if type_ == pa.bool_() else np.int64
    plane = np.ma.MaskedArray(np.array([[number, 0]], kernels), [[False, True]])
    own = own_values(plane, type_)
    assert own.dtype == np.dtype(dtype)
    column = tile_table([own], ["a"], {}, type_).column("a")
    raw = pa.array([stored, None], pa.int32() if type_ in (pa.date32(), pa.time32("ms")) else None).cast(type_)
    assert column.type == type_ and column.combine_chunks().equals(raw)
    written = np.load(io.BytesIO(npy([own], False)), allow_pickle=False)
    if own.dtype.kind in "mM":
        assert written.dtype == own.dtype and written[0, 0].astype(np.int64) == stored and np.isnat(written[0, 1])


def test_arrow_files_are_uncompressed_and_whole():
    found = pa.ipc.open_file(pa.BufferReader(arrow(pa.table({"a": [1, 2]})))).read_all()
    assert found["a"].to_pylist() == [1, 2]


def test_a_tile_as_a_table():
    floats, counts = np.array([[np.nan, 1.5]]), np.array([[0, 3]], np.uint32)
    masked = np.ma.MaskedArray(np.array([[5, 6]], np.int64), [[True, False]])
    found = tile_table([floats, counts, masked], ["mean(a)", "b", "c"], {"z": 3, "i": 1})
    assert found.to_pydict() == {"mean(a)": [None, 1.5], "b": [0, 3], "c": [None, 6]}
    assert found.schema.types == [pa.float64(), pa.uint32(), pa.int64()]
    assert found.schema.metadata == {b"z": b"3", b"i": b"1"}
