"""Axis numbers of every plottable type, by three ways in, against a slow reading of the rules in plain Python."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
import pyarrow.types as pt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_table

from ...examples import examples

INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
FLOATS = [pa.float16(), pa.float32(), pa.float64()]
DECIMALS = [pa.decimal32(7, 2), pa.decimal64(18, 9), pa.decimal128(38, 10), pa.decimal128(5, -3), pa.decimal256(76, 40)]
TIMES = [
    pa.date32(),
    pa.date64(),
    pa.time32("s"),
    pa.time32("ms"),
    pa.time64("us"),
    pa.time64("ns"),
    *(pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "Europe/Berlin")),
    *(pa.duration(unit) for unit in ("s", "ms", "us", "ns")),
]
STEP = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
TYPES = [*INTEGERS, *FLOATS, *DECIMALS, *TIMES, pa.bool_(), pa.null()]


def elements(type_: pa.DataType) -> st.SearchStrategy[object]:
    """Stored values: Python numbers for numbers, raw integers for times and decimals."""
    if pt.is_integer(type_):
        low, high = (-(1 << (type_.bit_width - 1)), (1 << (type_.bit_width - 1)) - 1)
        if pt.is_unsigned_integer(type_):
            low, high = 0, (1 << type_.bit_width) - 1
        return st.integers(low, high) | st.sampled_from([low, high, 0])
    if pt.is_floating(type_):
        return st.floats(width=type_.bit_width) | st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan])
    if pt.is_decimal(type_):
        most = 10**type_.precision - 1
        unscaled = st.integers(-most, most) | st.integers(-(10**6), 10**6) | st.sampled_from([most, -most, 2**53 - 1])
        return unscaled.filter(lambda value: abs(value) <= most)
    if pt.is_boolean(type_):
        return st.booleans()
    if pt.is_null(type_):
        return st.none()
    # Arrow's Parquet writer refuses times of day outside of a day, so do they here; stamps take all of their range.
    bits = type_.bit_width - 1
    if pt.is_time(type_):
        return st.integers(0, 86_400 * 10**9 // STEP[type_.unit] - 1)
    edge = 2**63 // step_of(type_)
    around = st.integers(-edge - 2, -edge + 2) | st.integers(edge - 2, edge + 2)
    return (st.integers(-(2**bits), 2**bits - 1) | around).filter(lambda value: -(2**bits) <= value < 2**bits)


def step_of(type_: pa.DataType) -> int:
    if pt.is_date32(type_):
        return 86_400 * 10**9
    return 10**6 if pt.is_date64(type_) else STEP[type_.unit]


def stored(type_: pa.DataType, values: list[object]) -> pa.Array:
    if pt.is_temporal(type_):
        return pa.array(values, pa.int32() if type_.bit_width == 32 else pa.int64()).view(type_)
    if pt.is_decimal(type_):
        width = type_.bit_width // 8
        raw = b"".join((value or 0).to_bytes(width, "little", signed=True) for value in values)
        nulls = pa.py_buffer(np.packbits(np.array([value is not None for value in values], bool), bitorder="little"))
        return pa.Array.from_buffers(type_, len(values), [nulls, pa.py_buffer(raw)])
    return pa.array(values, type_)


def unscaled(array: pa.Array) -> list[int | None]:
    """The integers of a decimal array."""
    width = array.type.bit_width // 8
    raw = bytes(array.buffers()[1])[array.offset * width :] if len(array) else b""
    integers = [int.from_bytes(raw[at * width : (at + 1) * width], "little", signed=True) for at in range(len(array))]
    return [integer if ok else None for integer, ok in zip(integers, array.is_valid().to_pylist(), strict=True)]


def oracle(array: pa.Array) -> list[object]:
    """What an axis should see: a number, NaN for a float's null, None for what is not valid."""
    type_ = array.type
    if pt.is_temporal(type_):
        raw = array.view(pa.int32() if type_.bit_width == 32 else pa.int64()).to_pylist()
        scaled = [None if value is None else value * step_of(type_) for value in raw]
        return [value if value is not None and -(2**63) <= value < 2**63 else None for value in scaled]
    if pt.is_decimal(type_):
        # Fraction -> float is correctly rounded in Python, ties to even.
        ten = Fraction(10) ** -type_.scale
        return [None if value is None else float(value * ten) for value in unscaled(array)]
    values = array.to_pylist()
    if pt.is_floating(type_) or pt.is_null(type_):
        return [math.nan if value is None else value for value in values]
    return values


def same(dataset: Dataset, name: str, expected: list[object]) -> None:
    column = dataset.column(name)
    assert column.values.flags.c_contiguous and column.values.dtype.isnative
    assert len(column) == len(expected) == dataset.num_rows
    valid = np.ones(len(column), bool) if column.valid is None else column.valid
    for got, ok, want in zip(column.values.tolist(), valid.tolist(), expected, strict=True):
        if want is None:
            assert not ok and got == 0
        else:
            assert ok
            assert (math.isnan(got) and math.isnan(want)) or (
                got == want and math.copysign(1, got) == math.copysign(1, want)
            )
    wide, _ = column.slice(0, len(column))
    assert wide.dtype in (np.float32, np.float64, np.int64, np.uint64)
    assert [str(value) for value in wide.tolist()] == [str(value) for value in column.values.tolist()]


@st.composite
def columns(draw: st.DrawFn, types: list[pa.DataType]) -> pa.ChunkedArray:
    type_ = draw(st.sampled_from(types))
    chunks = []
    for _ in range(draw(st.integers(1, 3))):
        values = draw(st.lists(st.none() | elements(type_), max_size=20))
        chunk = stored(type_, values)
        start = draw(st.integers(0, len(values)))
        chunks.append(chunk.slice(start))
    return pa.chunked_array(chunks, type_)


def flat(column: pa.ChunkedArray) -> list[object]:
    return [value for chunk in column.chunks for value in oracle(chunk)]


@given(columns(TYPES))
@settings(max_examples=examples(150, fuzzed=400))
def test_tables_in_memory(column: pa.ChunkedArray) -> None:
    same(open_table(pa.table({"c": column})), "c", flat(column))


@given(columns(TYPES), st.booleans(), st.sampled_from([None, "zstd", "lz4"]))
@settings(max_examples=examples(60, fuzzed=150), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arrow_files_and_streams(tmp_path: Path, column: pa.ChunkedArray, stream: bool, codec: str | None) -> None:
    table = pa.table({"before": pa.nulls(len(column)), "c": column})
    path = tmp_path / "t.arrow"
    options = ipc.IpcWriteOptions(compression=codec)
    writer = (ipc.new_stream if stream else ipc.new_file)(str(path), table.schema, options=options)
    with writer:
        writer.write_table(table)
    same(open_table(path), "c", flat(column))


@given(columns([type_ for type_ in TYPES if type_ != pa.decimal128(5, -3)]), st.integers(1, 7))
@settings(max_examples=examples(100, fuzzed=250), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parquet(tmp_path: Path, column: pa.ChunkedArray, group: int) -> None:
    path = tmp_path / "t.parquet"
    if column.type == pa.timestamp("s") or column.type == pa.timestamp("s", "Europe/Berlin"):
        column = pa.chunked_array([in_milliseconds(chunk) for chunk in column.chunks], column.type)
    pq.write_table(pa.table({"c": column}), path, row_group_size=group)
    same(open_table(path), "c", [value for chunk in pq.read_table(path)["c"].chunks for value in oracle(chunk)])


def in_milliseconds(chunk: pa.Array) -> pa.Array:
    """Parquet has no seconds: those that milliseconds cannot hold are left out."""
    most = 2**63 // 1000
    raw = [
        value if value is not None and -most < value < most else None for value in chunk.view(pa.int64()).to_pylist()
    ]
    return stored(chunk.type, raw)


@given(columns(TYPES), st.randoms())
@settings(max_examples=examples(150, fuzzed=400), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_true_values_come_back(tmp_path: Path, column: pa.ChunkedArray, random: object) -> None:
    """`take` from a file whose column was turned into axis numbers gives what Arrow's own take gives."""
    table = pa.table({"c": column})
    path = tmp_path / "t.arrow"
    with ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table)
    dataset = open_table(path)
    rows = [random.randrange(len(column)) for _ in range(12)] if len(column) else []  # type: ignore[attr-defined]
    want = column.take(pa.array(rows, pa.int64()))
    dataset.column("c")
    path.unlink()
    got = dataset.take(np.array(rows, np.int64), ["c"])["c"]
    assert got.type == want.type
    assert str(storage(got)) == str(storage(want))


def storage(column: pa.ChunkedArray) -> list[object]:
    if pt.is_decimal(column.type):
        return unscaled(column.combine_chunks())
    if pt.is_temporal(column.type):
        return column.combine_chunks().view(pa.int32() if column.type.bit_width == 32 else pa.int64()).to_pylist()
    return column.to_pylist()


@pytest.mark.parametrize(
    "type_", [pa.int32(), pa.uint64(), pa.float32(), pa.float64(), pa.timestamp("ns"), pa.duration("ns")]
)
def test_one_chunk_is_not_copied(type_: pa.DataType) -> None:
    array = pa.array([1, 2, 3, 4], pa.int64()).cast(type_).slice(1)
    column = open_table(pa.table({"c": array})).column("c")
    address = array.buffers()[1].address + array.offset * type_.bit_width // 8
    assert column.values.ctypes.data == address
    assert not column.values.flags.writeable


def test_stamps_at_the_ends_of_nanoseconds() -> None:
    """1677-09-21 and 2262-04-11 have numbers, the days around them do not; nothing wraps."""
    days = pa.array([-106_752, -106_751, 106_751, 106_752, 2**31 - 1, -(2**31)], pa.int32()).view(pa.date32())
    column = open_table(pa.table({"d": days})).column("d")
    assert column.valid is not None
    assert column.valid.tolist() == [False, True, True, False, False, False]
    assert column.values[1] == -106_751 * 86_400 * 10**9


def test_dates_in_milliseconds_need_not_be_whole_days() -> None:
    dates = pa.array([1, 86_400_000], pa.int64()).view(pa.date64())
    assert open_table(pa.table({"d": dates})).column("d").values.tolist() == [10**6, 86_400 * 10**9]


@pytest.mark.parametrize("kind", ["uuid", "bool8", "run-end"])
def test_wrapped_types(kind: str) -> None:
    if kind == "uuid":
        array = pa.array([b"0" * 16, None, b"\xff" * 16], pa.uuid())
        expected, categories = [0, 0, 1], ("30" * 16, "ff" * 16)
    elif kind == "bool8":
        array = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None, 0], pa.int8()))
        expected, categories = [1, 0, 0], None
    else:
        array = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), pa.array([7, None], pa.int16()))
        expected, categories = [7, 7, 0], None
    dataset = open_table(pa.table({"c": array}))
    column = dataset.column("c")
    assert column.values.tolist() == expected and column.categories == categories
    assert dataset.take(np.array([2, 0]), ["c"])["c"].to_pylist() == [array[2].as_py(), array[0].as_py()]
