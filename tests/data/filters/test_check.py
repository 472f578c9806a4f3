"""Types: what fits together, and what an error says would."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.data.filters.cells import Cells
from bigviz.data.filters.check import check
from bigviz.data.filters.parse import parse

from .trees import table

DATASET = bv.open(
    table().append_column("points", pa.array([[1]] * 60)).append_column("nothing", pa.nulls(60))
    .append_column("mars", pa.array([0] * 60, pa.timestamp("s", "Mars/Phobos")))
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("i64 > 1 and flagg", 12, "Did you mean 'flag'"),
        ("`other flog`", 0, "Did you mean 'other flag'"),
        ("points = 1", 0, "list<item: int64>"),
        ("i64", 0, "as i64 > 0; i64 is a number"),
        ("name", 0, "as name = 'a'; name is a text"),
        ("us and flag", 0, "as us is not null"),
        ("not i64 + 1", 8, "i64 \\+ 1 > 0"),
        ("i64 = 'a'", 6, "compare it with a number; 'a' is a text"),
        ("name = 5", 7, "a text in quotes, as '5'"),
        ("5 = name", 0, "a text in quotes, as '5'"),
        ("us > 5", 5, "a text as '2024-01-31'"),
        ("us > 'soon'", 5, "'2024-01-31T12:30:00', not 'soon'"),
        ("us between '2024-01-01' and '2024-02-30'", 28, "not '2024-02-30'"),
        ("us in ('2024-01-01', '2024-13-01')", 21, "not '2024-13-01'"),
        ("clock > '25:00'", 8, "'12:30'"),
        ("span > '90 s'", 7, "PT1H30M"),
        ("span > 'P1Y'", 7, "PT1H30M"),
        ("flag > true", 5, "= and != only"),
        ("flag = 1", 7, "true or false"),
        ("name + 'a' = 'b'", 0, "Expected a number, but name is a text"),
        ("us - day > 'PT1H'", 0, "Expected a number, but us is a date or time"),
        ("-name = 'a'", 1, "Expected a number"),
        ("lower(i64) = 'a'", 6, "Expected a text, but i64 is a number"),
        ("contains(i64, 'a')", 9, "Expected a text"),
        ("sqrt(flag) > 1", 5, "true or false"),
        ("year(i64) = 1", 5, "a date or a time stamp"),
        ("year(clock) = 1", 5, "a date or a time stamp"),
        ("hour(span) = 1", 5, "time of day"),
        ("hour(mars) = 1", 5, "Mars/Phobos"),
        ("mars > '2024-01-01'", 0, "Mars/Phobos"),
        ("clock = us", 8, "a time of day"),
        ("i64 = $x", 6, "no value"),
        ("i64 > 1 and \"other flag\" = 'a'", 12, "The column of that name is written `other flag`"),
        ('"us" > "2024-01-31"', 0, "'us' is a text here. The column of that name is written us"),
        ('"name" is null', 0, "is written name"),
        ("lower(\"name\") in ('a')", 6, "is written name"),
        ("i64 between $x", 12, "no value"),
    ],
)
def test_an_error_says_what_would_fit(text: str, at: int, words: str):
    with pytest.raises(bv.BadInput, match=words) as caught:
        check(parse(text), DATASET)
    assert (caught.value.field, caught.value.at) == ("filter", at)


def test_texts_that_columns_are_compared_with_may_be_columns_names():
    for text in ('name = "us"', "'us' = 'us'", '"one" != "other"', 'starts_with(name, "us")'):
        check(parse(text), DATASET)


def test_texts_are_not_looked_up_one_by_one(monkeypatch: pytest.MonkeyPatch):
    """A name that is none takes a millisecond to find the nearest one, and an expression has hundreds."""
    expression = parse(" or ".join(f'"us{at}" = "b"' for at in range(200)))
    monkeypatch.setattr(type(DATASET), "info", None)
    check(expression, DATASET)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("u > -1", [0, 1, 2]),
        ("u = 18446744073709551615", [1]),
        ("u > 9223372036854775807.5", [1]),
        ("u > n", [1, 2]),
        ("u - 1 >= 0", [2]),  # 2^64 - 1 is no int64
        ("n + 1 > n", [0, 2]),  # overflows in row 1
        ("-m > 0", [0]),  # -2^63 has no contrary
        ("abs(m) > 0", [0]),
        ("n * 2 > 0", []),
        ("n % -1 = 0", [0, 1, 2]),
        ("-7 % 3 = -1 and n % 0 is null", [0, 1, 2]),
        ("7 / 2 = 3.5", [0, 1, 2]),
        ("n / 0 > 1e308", [1]),
        ("f = f", [0, 2]),
        ("f != f", [1]),
        ("not f = 0", [0, 1, 2]),
        ("f > 0.1", [0]),  # float32 of 0.1 is above it
        ("f = 0.1", []),
        ("f in (0.1, -0.5)", [2]),
        ("round(f) = -1", [2]),
        ("day = '2024-01-31'", [0]),
        ("day > '9999-12-30'", [1]),
        ("stamp >= '2024-01-31T12:00+01:00' and stamp < '2024-01-31 11:00:01Z'", [0]),
        ("zoned = '2024-07-01T00:00'", [0]),
        ("day = stamp", []),
        ("nothing is null and not (nothing = 1)", []),
        ("nothing is null or n = 1", [0, 1, 2]),
        ("null or n = 0", [0]),
    ],
)
def test_rules(text: str, kept: list[int]):
    stamps = pa.array([dt.datetime(2024, 1, 31, 11), None, dt.datetime(2262, 5, 1)], pa.timestamp("ms"))
    dataset = bv.open(
        pa.table(
            {
                "n": [0, 2**63 - 1, -(2**63)],
                "m": [-1, -(2**63), None],
                "u": pa.array([0, 2**64 - 1, 5], pa.uint64()),
                "f": pa.array([0.1, float("nan"), -0.5], pa.float32()),
                "day": [dt.date(2024, 1, 31), dt.date(9999, 12, 31), None],
                "stamp": stamps,
                "zoned": pa.array([dt.datetime(2024, 6, 30, 22), None, None], pa.timestamp("us", "Europe/Berlin")),
                "nothing": pa.nulls(3),
            }
        )
    )
    rows = dataset.where(text).to_arrow(columns=["n"])
    assert rows["n"].to_pylist() == [[0, 2**63 - 1, -(2**63)][row] for row in kept]


def test_axis_numbers_decide_unless_a_row_without_one_could_be_kept():
    def decides(text: str, complete: bool) -> bool:
        return check(parse(text), DATASET).decided_by_numbers(lambda name: complete)

    for text in (
        "f64 > 1",
        "f64 in (1, 2)",
        "f64 + 1 > 2 and i64 = 3",
        "i64 is null",
        "not i64 = 1",
        "name = 'a'",
        "cents > 1",
        "ns > '2024-01-01'",
        "clock > '12:00'",
    ):
        assert decides(text, complete=False), text
    for text in (
        *("f64 != 1", "not f64 > 1", "(f64 > 1) = false", "(f64 > 1) is null", "f64 is null", "f64 is not null"),
        *("us > '2024-01-01'", "(us > '2024-01-01') is null", "year(day) = 2024"),
    ):
        assert not decides(text, complete=False), text
        assert decides(text, complete=True), text
    assert not decides("wide > 1", complete=True)  # float64 does not tell such decimals apart


def test_bounds_are_those_that_every_kept_row_keeps():
    def bounds(text: str) -> dict[str, tuple[object, object]]:
        return {name: tuple(each) for name, each in check(parse(text), DATASET).bounds().items()}

    assert bounds("i64 > 1 and i64 <= 5.5 and f64 < 2") == {"i64": (2, 5), "f64": (None, 2.0)}
    assert bounds("i64 = 1 or i64 between 3 and 4") == {"i64": (1, 4)}
    assert bounds("i64 = 1 or f64 = 1") == {}
    assert bounds("not i64 > 1") == {}
    assert bounds("label > 1 and label in (7, 8)") == {}  # its axis numbers are codes
    assert bounds("i64 in (7, 3) and name = 'a'") == {"i64": (3, 7)}
    low, high = bounds("i64 > 5 and i64 < 2")["i64"]
    assert low > high  # type: ignore[operator]
    assert bounds("day >= '1970-01-02'") == {"day": (86_400 * 10**9, None)}


def test_a_column_is_asked_for_once_and_a_constant_knows_no_number_of_rows():
    asked: list[str] = []

    def rows(name: str) -> Cells:
        asked.append(name)
        return Cells(np.arange(5, dtype=np.int64))

    assert check(parse("i64 > 1 and i64 < 3 or i64 * i64 = 16"), DATASET).mask(rows).tolist() == [
        False,
        False,
        True,
        False,
        True,
    ]
    assert asked == ["i64"]
    assert check(parse("1 = 1"), DATASET).mask(rows, 3).tolist() == [True] * 3
    assert check(parse("null"), DATASET).mask(rows).tolist() == [False]
    assert check(parse("i64 is null"), DATASET).mask(rows).tolist() == [False] * 5
