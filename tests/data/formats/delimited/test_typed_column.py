"""The narrowest type that holds every cell exactly, in whatever batches the cells come."""

from __future__ import annotations

import datetime
import math
import random
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.data.formats.delimited.typed_column import NULL_WORDS, TypedColumn

BIG = 2**64 - 1
NS, US, ZONED = pa.timestamp("ns"), pa.timestamp("us"), pa.timestamp("us", "UTC")
HUGE = pa.decimal128(38, 0)
DAY, NOON = datetime.datetime(2024, 5, 31), datetime.datetime(2024, 5, 31, 12)


def filled(*batches: list[str | None], **options: Any) -> TypedColumn:
    column = TypedColumn("c", **options)
    for batch in batches:
        column.add(pa.array(batch, pa.string()))
    return column


@pytest.mark.parametrize(
    ("batches", "type_", "values"),
    [
        ([["1", "-2", None]], pa.int64(), [1, -2, None]),
        ([["1"], ["2.5"]], pa.float64(), [1.0, 2.5]),
        ([["1.5"], ["2"]], pa.float64(), [1.5, 2.0]),
        ([["1"], [str(BIG)]], pa.uint64(), [1, BIG]),
        ([[str(BIG)], ["0"]], pa.uint64(), [BIG, 0]),
        ([["-1"], [str(BIG)]], HUGE, [Decimal(-1), Decimal(BIG)]),
        ([[str(BIG)], ["-1"]], HUGE, [Decimal(BIG), Decimal(-1)]),
        ([["1"], ["9" * 38]], HUGE, [Decimal(1), Decimal("9" * 38)]),
        ([["9" * 38], ["1.5"]], pa.float64(), [float("9" * 38), 1.5]),
        ([["9" * 39]], pa.float64(), [float("9" * 39)]),
        ([["1"], ["9" * 39]], pa.float64(), [1.0, float("9" * 39)]),
        ([["9007199254740993"], ["0.5"]], pa.float64(), [float("9007199254740993"), 0.5]),
        ([["true", None], ["FALSE"]], pa.bool_(), [True, None, False]),
        ([["2024-05-31"]], pa.date32(), [DAY.date()]),
        ([["2024-05-31"], ["2024-05-31 12:00"]], US, [DAY, NOON]),
        ([["2024-05-31T12:00:00"], ["9999-12-31 00:00:00"]], US, [NOON, datetime.datetime(9999, 12, 31)]),
        ([["2024-05-31"], ["0001-01-01 00:00:00"]], US, [DAY, datetime.datetime(1, 1, 1)]),
        ([["0001-01-01"], ["2024-05-31 12:00:00"]], US, [datetime.datetime(1, 1, 1), NOON]),
        ([["2024-05-31T14:00+02:00", "2024-05-31T12:00Z"]], ZONED, [NOON.replace(tzinfo=datetime.UTC)] * 2),
        ([["12:00", "13:30:01.5"]], pa.time64("ns"), [datetime.time(12), datetime.time(13, 30, 1, 500_000)]),
        ([[None], [None]], pa.null(), [None, None]),
        ([[None], ["3"]], pa.int64(), [None, 3]),
        ([[None], ["a"]], pa.string(), [None, "a"]),
        ([["a"], ["1"]], pa.string(), ["a", "1"]),
        ([[" 1", "2 "], ["NA", "-"]], pa.int64(), [1, 2, None, None]),
        ([["NA"], ["1"]], pa.int64(), [None, 1]),
        ([["2024-02-30"]], pa.string(), ["2024-02-30"]),
        ([["1_000"]], pa.string(), ["1_000"]),
        ([["2024-05-31 12:00", "2024-05-31 12:00Z"]], pa.string(), ["2024-05-31 12:00", "2024-05-31 12:00Z"]),
        ([[]], pa.null(), []),
    ],
)  # fmt: skip
def test_types(batches: list[list[str | None]], type_: pa.DataType, values: list[Any]) -> None:
    column = filled(*batches)
    assert not column.needs_text
    found = column.finish()
    assert found.type == type_ and found.to_pylist() == values
    found.validate(full=True)


def test_nanoseconds_stay() -> None:
    found = filled(["2024-05-31 12:00:00"], ["2024-05-31 12:00:00.123456789"]).finish()
    assert found.type == NS and found.cast(pa.int64()).to_pylist()[1] % 1_000_000_000 == 123_456_789


@pytest.mark.parametrize(
    ("batches", "first"),
    [
        ([["1", "2"], ["3", "a"]], (3, "a")),
        ([["2024-05-31"], ["1"]], (1, "1")),
        ([["1"], ["2024-05-31"]], (1, "2024-05-31")),
        ([["2024-05-31 12:00:00"], [None, "2024-05-31 12:00:00Z"]], (2, "2024-05-31 12:00:00Z")),
        ([["12:00"], ["noon"]], (1, "noon")),
        ([["0.5"], ["0,5"]], (1, "0,5")),
        ([["true"], ["2"]], (1, "2")),
        ([["NA"], ["b"]], (1, "b")),
        ([["2024-05-31 12:00:00.123456789"], ["9999-12-31"]], (1, "9999-12-31")),
    ],
)
def test_what_only_text_can_hold_is_told(batches: list[list[str | None]], first: tuple[int, str]) -> None:
    column = filled(*batches)
    assert column.needs_text and column.first_text == first


def test_numbers_with_a_strange_cell_from_the_start() -> None:
    assert filled(["1", "2", "x", "3"]).first_text == (2, "x")
    assert filled(["a", "b", "c", "3"]).first_text is None


def test_decimal_commas() -> None:
    assert filled(["1,5", "2"], decimal=",").finish().to_pylist() == [1.5, 2.0]
    assert filled(["1,5", "2.5"], decimal=",").finish().type == pa.string()
    assert filled(["1.234,5"], decimal=",").finish().type == pa.string()
    assert filled(["1,5"], ["2.5"], decimal=",").needs_text


@pytest.mark.parametrize("word", NULL_WORDS)
def test_what_means_nothing_among_numbers_is_itself_among_words(word: str) -> None:
    assert filled([word or None, "1"]).finish().to_pylist() == [None, 1]
    assert filled([word or None, "a"]).finish().to_pylist() == [word or None, "a"]


@pytest.mark.parametrize("hint", ["BIGINT", "DOUBLE", "DATE", "VARCHAR", "TIMESTAMP"])
def test_a_hint_that_is_wrong_changes_nothing_but_the_order(hint: str) -> None:
    assert filled(["a", "b"], hint=hint).finish().type == pa.string()
    assert filled(["1.5"], hint=hint).finish().type == pa.float64()


def test_parsed_columns_take_what_the_reader_parsed() -> None:
    texts = pa.array(["31/05/2024", "NA", None])
    column = TypedColumn("c", parsed=True)
    column.add(texts, pa.array([DAY.date(), None, None]))
    assert column.finish().to_pylist() == [DAY.date(), None, None]
    column.add(pa.array(["soon"]), pa.array([None], pa.date32()))
    assert column.needs_text


def test_text_does_not_keep_the_batch_it_came_with() -> None:
    """DuckDB's batches are freed as a whole: a column that shares one's memory would keep all columns."""
    batch = pa.array(["left", "right", None])
    column = TypedColumn("c")
    column.add(batch)
    (chunk,) = column.finish().chunks
    assert chunk.equals(batch) and chunk.buffers()[2].address != batch.buffers()[2].address


CELLS = st.one_of(
    st.integers(-(10**20), 10**40).map(str),
    st.floats(allow_nan=False).map(repr),
    st.dates().map(str),
    st.datetimes().map(str),
    st.sampled_from(["", "NA", "true", "a", "12:00", " 7", "007", "1e5"]),
)


@given(st.lists(CELLS, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_batches_change_nothing(cells: list[str], chance: random.Random) -> None:
    """However the cells are cut, the type and the values are those of all of them at once, or they are read as text."""
    texts: list[str | None] = [cell or None for cell in cells]
    whole = filled(texts)
    cuts = sorted(chance.sample(range(len(texts) + 1), k=min(3, len(texts))))
    parts = filled(*(texts[a:b] for a, b in zip([0, *cuts], [*cuts, len(texts)], strict=True)))
    if parts.needs_text:
        return
    found, expected = parts.finish(), whole.finish()
    if pa.types.is_string(found.type):
        assert found.to_pylist() == texts
        return
    assert found.type == expected.type
    for one, other in zip(found.to_pylist(), expected.to_pylist(), strict=True):
        assert one == other or (isinstance(one, float) and math.isnan(one) and math.isnan(other))
