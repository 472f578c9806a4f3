"""One type for several: values are what they were, whatever the order of the files."""

from __future__ import annotations

import datetime
import random
from decimal import Decimal
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
import pytest

from bigviz.data.columns.merged_type import as_type, is_rounded, merged

INTEGERS = [pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64()]
FLOATS = [pa.float16(), pa.float32(), pa.float64()]
DECIMALS = [pa.decimal32(7, 2), pa.decimal64(16, 4), pa.decimal128(38, 20), pa.decimal256(76, 3), pa.decimal128(5, -2)]
NUMBERS = [pa.bool_(), *INTEGERS, *FLOATS, *DECIMALS]
TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
TEXTS += [pa.dictionary(pa.int32(), pa.large_string()), pa.run_end_encoded(pa.int32(), pa.string()), pa.json_()]
BYTES = [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3), pa.dictionary(pa.int16(), pa.binary())]
DAYS = [pa.date32(), pa.date64(), *map(pa.timestamp, ("s", "ms", "us", "ns"))]
STAMPS = [pa.timestamp("s", "UTC"), pa.timestamp("us", "Europe/Berlin"), pa.timestamp("ns", "America/Lima")]
CLOCKS = [pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")]
SPANS = [*map(pa.duration, ("s", "ms", "us", "ns"))]
FAMILIES = [NUMBERS, TEXTS, BYTES, DAYS, STAMPS, CLOCKS, SPANS]


def numbers(type_: pa.DataType) -> list[Any]:
    """Extremes and small numbers of a type, as Python has them."""
    if pt.is_boolean(type_):
        return [True, False]
    if pt.is_integer(type_):
        limits = np.iinfo(str(type_))
        return [int(limits.min), int(limits.max), int(limits.max) - 1, 0, 7]
    if pt.is_decimal(type_):
        most = 10**type_.precision - 1
        return [Decimal(f"{number}e{-type_.scale}") for number in (most, -most, 1, 0)]
    limits = np.finfo({16: "f2", 32: "f4", 64: "f8"}[type_.bit_width])
    return [float(limits.max), float(limits.tiny), -0.5, 0.0, float("inf")]


def values(type_: pa.DataType, random_: random.Random) -> list[Any]:
    """Values of a type, and null."""
    while isinstance(type_, pa.BaseExtensionType) or pt.is_run_end_encoded(type_):
        type_ = type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_.value_type
    type_ = type_.value_type if pt.is_dictionary(type_) else type_
    if type_ in NUMBERS:
        return [*numbers(type_), None]
    if pt.is_date(type_):
        return [datetime.date(1700, 1, 1), datetime.date(2024, 2, 29), None]
    if pt.is_timestamp(type_):
        zone = None if type_.tz is None else datetime.UTC
        return [
            datetime.datetime(1700, 1, 1, 1, 2, 3, tzinfo=zone),
            datetime.datetime(2024, 3, 31, 2, tzinfo=zone),
            None,
        ]
    if pt.is_time(type_):
        return [datetime.time(23, 59, 59), datetime.time(0), None]
    if pt.is_duration(type_):
        return [datetime.timedelta(days=-3, seconds=1), datetime.timedelta(0), None]
    texts = [random_.choice(["abc", "äb", "xyz"]) for _ in range(5)]
    return [*texts, None] if type_ in TEXTS else [*(text.encode()[:3] for text in texts), None]


def made(type_: pa.DataType, items: list[Any]) -> pa.Array:
    if isinstance(type_, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(type_, made(type_.storage_type, items))
    if pt.is_run_end_encoded(type_):
        return pc.run_end_encode(made(type_.value_type, items))
    if pt.is_dictionary(type_):
        encoded = made(type_.value_type, items).dictionary_encode()
        return pa.DictionaryArray.from_arrays(encoded.indices.cast(type_.index_type), encoded.dictionary)
    return pa.array(items, type_)


def exactly(value: Any, into: pa.DataType) -> Any:
    """What a value should be in the merged type, by Python's own arithmetic."""
    if value is None:
        return None
    if pt.is_floating(into):
        return float(value)
    if pt.is_integer(into):
        return int(value)
    if pt.is_decimal(into):
        return Decimal(value)
    if pt.is_timestamp(into) and type(value) is datetime.date:
        return datetime.datetime.combine(value, datetime.time())
    if pt.is_binary(into) or pt.is_large_binary(into):
        return value.encode() if isinstance(value, str) else value
    return value


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: str(family[0]))
def test_values_of_two_types(family: list[pa.DataType]) -> None:
    random_ = random.Random(3)
    for one, other in combinations(family, 2):
        into = merged([one, other])
        assert into is not None and into == merged([other, one]), (one, other)
        for type_ in (one, other):
            items = values(type_, random_)
            array = made(type_, items)
            array.validate(full=True)
            got = as_type(pa.concat_arrays([array, array]).slice(1), into)
            got.validate(full=True)
            assert got.type == into or (pt.is_dictionary(got.type) and got.type.value_type == into)
            wanted = [exactly(item, into) for item in (items + items)[1:]]
            if pt.is_timestamp(into):  # Python's own stamps end with microseconds
                got = got.cast(pa.timestamp("us", into.tz))
                assert got.to_pylist() == pa.array(wanted, got.type).to_pylist()
            elif pt.is_time(into) or pt.is_duration(into):
                assert got.to_pylist() == pa.array(wanted, into).to_pylist()
            else:
                assert got.to_pylist() == wanted, (type_, into)
            if pt.is_floating(into) and not is_rounded([type_], into):
                assert [None if item is None else float(item) for item in items] == items


def test_the_order_of_files_does_not_matter() -> None:
    random_ = random.Random(5)
    for family in FAMILIES:
        for _ in range(60):
            types = random_.sample(family, 3)
            assert len({str(merged(list(each))) for each in permutations(types)}) == 1, types
            assert merged([*types, pa.null(), types[0]]) == merged(types)


@pytest.mark.parametrize(
    ("types", "into"),
    [
        ([pa.int64(), pa.float64()], pa.float64()),
        ([pa.int64(), pa.uint64()], pa.float64()),
        ([pa.uint8(), pa.int8()], pa.int16()),
        ([pa.uint32(), pa.int8()], pa.int64()),
        ([pa.bool_(), pa.uint8()], pa.uint8()),
        ([pa.int16(), pa.float32()], pa.float32()),
        ([pa.int32(), pa.float32()], pa.float64()),
        ([pa.int8(), pa.float16()], pa.float16()),
        ([pa.bool_(), pa.float32()], pa.float32()),
        ([pa.decimal128(5, 2), pa.float32()], pa.float64()),
        ([pa.decimal128(5, 2), pa.uint64()], pa.decimal128(22, 2)),
        ([pa.decimal128(5, 2), pa.decimal128(20, 10)], pa.decimal128(20, 10)),
        ([pa.decimal256(76, 0), pa.decimal128(38, 38)], pa.float64()),
        ([pa.date32(), pa.date64()], pa.date64()),
        ([pa.date32(), pa.timestamp("s")], pa.timestamp("s")),
        ([pa.date64(), pa.timestamp("s")], pa.timestamp("ms")),
        ([pa.timestamp("s", "UTC"), pa.timestamp("ms", "UTC")], pa.timestamp("ms", "UTC")),
        ([pa.timestamp("s", "Asia/Tokyo"), pa.timestamp("ms", "Europe/Berlin")], pa.timestamp("ms", "UTC")),
        ([pa.string(), pa.dictionary(pa.int8(), pa.string())], pa.string()),
        ([pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int16(), pa.string())], pa.string()),
        (
            [pa.dictionary(pa.int8(), pa.int64()), pa.dictionary(pa.int8(), pa.int32())],
            pa.dictionary(pa.int32(), pa.int64()),
        ),
        ([pa.dictionary(pa.int8(), pa.int64()), pa.int32()], pa.int64()),
        ([pa.string(), pa.binary()], pa.binary()),
        ([pa.uuid(), pa.binary(16)], pa.binary(16)),
        ([pa.null(), pa.null()], pa.null()),
        ([pa.null(), pa.list_(pa.int8())], pa.list_(pa.int8())),
        (
            [pa.struct([("a", pa.int8())]), pa.struct([("b", pa.int8())])],
            pa.struct([("a", pa.int8()), ("b", pa.int8())]),
        ),
    ],
)
def test_types_that_are_merged(types: list[pa.DataType], into: pa.DataType) -> None:
    assert merged(types) == into


@pytest.mark.parametrize(
    "types",
    [
        [pa.int64(), pa.string()],
        [pa.timestamp("s"), pa.timestamp("s", "UTC")],
        [pa.date32(), pa.timestamp("s", "UTC")],
        [pa.timestamp("s"), pa.int64()],
        [pa.time32("s"), pa.timestamp("s")],
        [pa.duration("s"), pa.time32("s")],
        [pa.list_(pa.int8()), pa.int8()],
        [pa.list_(pa.int8()), pa.list_(pa.string())],
        [pa.binary(16), pa.string()],
        [pa.dictionary(pa.int8(), pa.string()), pa.int8()],
        [pa.month_day_nano_interval(), pa.duration("ns")],
    ],
)
def test_types_that_are_not_merged(types: list[pa.DataType]) -> None:
    assert merged(types) is merged(types[::-1]) is None


def test_rounding_is_to_the_nearest() -> None:
    integers = [2**53 + 1, 2**63 - 1, -(2**63), 2**60 + 3]
    assert as_type(pa.array(integers), pa.float64()).to_pylist() == [float(number) for number in integers]
    exact = [Decimal("0.1"), Decimal("12345678901234567890.123456789"), None]
    assert as_type(pa.array(exact, pa.decimal128(38, 9)), pa.float64()).to_pylist() == [
        0.1,
        12345678901234567890.123456789,
        None,
    ]
    assert is_rounded([pa.int64()], pa.float64()) and not is_rounded([pa.int32(), pa.float32()], pa.float64())


def test_times_that_a_finer_unit_cannot_hold_are_null() -> None:
    far = pa.array(
        [datetime.datetime(9999, 12, 31), datetime.datetime(2024, 1, 1), None, datetime.datetime(1, 1, 1)],
        pa.timestamp("s"),
    )
    assert as_type(far, pa.timestamp("ns")).cast(pa.timestamp("s")).to_pylist() == [
        None,
        datetime.datetime(2024, 1, 1),
        None,
        None,
    ]
    assert as_type(far, pa.timestamp("us")).cast(pa.timestamp("s")).equals(far)
    days = pa.array([2**31 - 1, 5], pa.int32()).cast(pa.date32())
    assert as_type(days, pa.timestamp("ns")).cast(pa.int64()).to_pylist() == [None, 5 * 86_400 * 10**9]
