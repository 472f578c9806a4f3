"""The range of a filter that a control moves holds exactly the rows that the filter keeps."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import bigviz as bv
from bigviz.aggregate.axis import Axis
from bigviz.aggregate.spaces import space
from bigviz.common.errors import BadInput
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.data.filters.bind import bind
from bigviz.data.filters.check import check
from bigviz.data.filters.dragged import moved_by, range_of
from bigviz.data.filters.kept import kept
from bigviz.data.filters.parse import parse
from bigviz.tiles.brush.orders.shapes import Span
from bigviz.tiles.brush.orders.sorted_order import span_order

ODD = [0.0, -0.0, 0.1, 0.3, 1.0, 5e-324, -5e-324, 1.5, 2.0**53, float("nan"), float("inf"), -float("inf"), None]
DAY = dt.datetime(2024, 2, 29, 12)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    rng = np.random.default_rng(3)
    odd = [ODD[k] for k in rng.integers(0, len(ODD), 3_000)]
    whole = [None if k == 0 else int(k) for k in rng.integers(-5, 6, 3_000)]
    days = [DAY + dt.timedelta(hours=int(k)) for k in rng.integers(-100, 100, 3_000)]
    return bv.open(
        pa.table(
            {
                "double": pa.array(odd, pa.float64()),
                "single": pa.array(odd, pa.float32()),
                "small": pa.array(whole, pa.int8()),
                "big": pa.array([2**64 - 1 - k for k in range(3_000)], pa.uint64()),
                "wide": pa.array([-(2**63) + k for k in range(3_000)], pa.int64()),
                "stamp": pa.array(days, pa.timestamp("us")),
                "day": pa.array([each.date() for each in days], pa.date32()),
                "holes": pa.array([None, *days[1:]], pa.timestamp("us")),
                "price": pa.array([None if k is None else k for k in whole], pa.decimal128(9, 2)),
                "name": pa.array(["a", "b", "c"] * 1_000),
            }
        ),
        name="rows",
    )


def complete(dataset: Dataset) -> Any:
    return lambda name: dataset.column(name).valid is None


FLOATS = [0, 0.1, float(np.float32(0.1)), float(np.float32(0.3)), 1, 1.5, -0.5, 1e300, 2**53 + 1]
CASES = [
    *((f"{column} {op} $v", value) for column in ("double", "single") for op in ("<", "<=", ">", ">=", "=")
      for value in FLOATS),
    *((f"small {op} $v", value) for op in ("<", "<=", ">", ">=", "=") for value in (0, 0.5, -3, 200, -200, 2.0)),
    *((f"$v {op} small", 2) for op in ("<", "<=", ">", ">=")),
    *((f"big {op} $v", value) for op in ("<", ">=", ">") for value in (2**64 - 1, 2**64 - 5, 0, -1)),
    *((f"wide {op} $v", value) for op in ("<", "<=", ">") for value in (-(2**63), -(2**63) + 7, 1e30)),
    *((f"{column} between $v", pair) for column in ("double", "single", "small")
      for pair in ([0, 1], [0.1, 0.3], [0.2, 0.25], [-1e9, 1e9], [1, 1])),
    ("double between $v and 1", 2),
    ("small between $v and 1", 2),
    ("double between -1 and $v + 1", 0.5),
    *((f"{column} between $v", ["2024-02-28", "2024-03-01T23:59:59.999999999"]) for column in ("stamp", "day")),
    *((f"{column} {op} $v", "2024-02-29T12:00:00") for column in ("stamp", "day") for op in ("<", "<=", ">", ">=")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), CASES)
def test_a_range_holds_what_the_filter_keeps(dataset: Dataset, text: str, value: Any) -> None:
    moving = moved_by(parse(text), "v")
    assert moving is not None and moving.rest is None
    part = bind(moving.part, {"v": value})
    assert part is not None
    ends = range_of(part, dataset, complete(dataset))
    assert ends is not None
    span = Span(*ends)
    span.check()
    order = span_order(Axis(dataset.column(moving.column), space("linear", "x")), Crew(1))
    found = np.zeros(dataset.num_rows, np.bool_)
    for each in order.within(span):
        for low, high in zip(each.low.tolist(), each.high.tolist(), strict=True):
            found[order.row_numbers(low, high)] = True
    np.testing.assert_array_equal(found, kept(dataset, check(part, dataset), Crew(1)))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("price >= $v", 1),  # decimals are floats on an axis
        ("holes >= $v", "2024-02-29"),  # what has no number there may be out of range
        ("double <= $v", 1.7976931348623157e308),
    ],
)
def test_what_numbers_do_not_say_has_no_range(dataset: Dataset, text: str, value: Any) -> None:
    moving = moved_by(parse(text), "v")
    assert moving is not None
    part = bind(moving.part, {"v": value})
    assert part is not None and range_of(part, dataset, complete(dataset)) is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("a > $v", ""),
        ("a > $v and b = 1", "b = 1"),
        ("b = 1 and (c or d) and a between $v", "b = 1 and (c or d)"),
        ("b < $w and $v >= a", "b < $w"),
        ("a between $v and $w and b", "b"),
    ],
)
def test_the_rest_is_the_other_conditions(text: str, rest: str) -> None:
    moving = moved_by(parse(text), "v")
    assert moving is not None and moving.column == "a"
    assert ("" if moving.rest is None else str(moving.rest)) == rest


@pytest.mark.parametrize(
    "text",
    [
        "a > 1", "a > $v or b", "not a > $v", "a != $v", "a in ($v)", "a > $v and b < $v", "a + 1 > $v", "a > b + $v",
        "a not between $v", "$v between a and 2", "(a > $v) = b", "a between $v and b", "a > $w",
    ],
)  # fmt: skip
def test_other_filters_are_not_moved(text: str) -> None:
    assert moved_by(parse(text), "v") is None


def test_a_value_of_another_type_is_refused(dataset: Dataset) -> None:
    moving = moved_by(parse("stamp > $v"), "v")
    assert moving is not None
    part = bind(moving.part, {"v": 3})
    assert part is not None
    with pytest.raises(BadInput, match="compare it with a text"):
        range_of(part, dataset, complete(dataset))
