"""Axes of times: exact cells, ways to write their ends, and ends that nanoseconds do not hold."""

from __future__ import annotations

import datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.aggregate.canvas.canvas import Canvas
from bigviz.common.errors import BadInput

from .against_datashader import COMMON

STAMP = 1_700_000_000_000_000_000


@COMMON
@given(st.lists(st.integers(STAMP, STAMP + 10**6), min_size=1, max_size=20), st.integers(1, 40), st.integers(1, 10**6))
def test_stamps_are_binned_exactly(stamps: list[int], width: int, span: int) -> None:
    table = pa.table({"t": pa.array(stamps, pa.timestamp("ns")), "y": [0.5] * len(stamps)})
    got = Canvas(width, 1, (STAMP + 3, STAMP + 3 + span), (0, 1)).points(table, "t", "y")
    expected = [0] * width
    for stamp in stamps:
        if STAMP + 3 <= stamp <= STAMP + 3 + span:
            expected[min(int(Fraction(stamp - STAMP - 3) * width / span), width - 1)] += 1
    assert got.values[0].tolist() == expected
    assert got.t.dtype == np.dtype("datetime64[ns]")


def test_ways_to_write_a_range_of_time() -> None:
    day = datetime.datetime(2024, 5, 1)
    table = pa.table({"t": pa.array([day, day + datetime.timedelta(hours=30)]), "y": [0.0, 1.0]})
    zone = datetime.timezone(datetime.timedelta(hours=2))
    ways: list[tuple[Any, Any]] = [
        ("2024-05-01", "2024-05-03"),
        (np.datetime64("2024-05-01"), np.datetime64("2024-05-03", "s")),
        (day, datetime.date(2024, 5, 3)),
        (day.replace(hour=2, tzinfo=zone), pd.Timestamp("2024-05-03")),
        (1_714_521_600_000_000_000, 1_714_694_400_000_000_000),
    ]
    for way in ways:
        image = Canvas(2, 1, way, (0, 1)).points(table, "t", "y")
        assert image.values.tolist() == [[1, 1]]
        assert image.t.values.tolist() == np.array(["2024-05-01T12", "2024-05-02T12"], "M8[ns]").tolist()
    own = Canvas(2, 1, None, (0, 1)).line(table, "t", "y")
    assert own.values.tolist() == [[True, True]]


def test_durations_have_durations_as_coordinates() -> None:
    table = pa.table({"d": pa.array([0, 10], pa.duration("s")), "y": [0.0, 1.0]})
    image = Canvas(2, 2, (datetime.timedelta(0), np.timedelta64(10, "s"))).points(table, "d", "y")
    assert image.d.dtype == np.dtype("timedelta64[ns]") and image.values.sum() == 2


FAR: list[Any] = [
    ("0001-01-01", "9999-12-31"), (np.datetime64("NaT"), np.datetime64("2024")), (0.5, 1e30), (2**63, 2**64),
    (datetime.date(1, 1, 1), datetime.date(9999, 1, 1)), (datetime.timedelta(200_000), datetime.timedelta(300_000)),
    (10**400, 10**401),
]  # fmt: skip


@pytest.mark.parametrize("ends", FAR, ids=lambda ends: str(ends)[:30])
def test_ends_that_nanoseconds_do_not_hold_are_refused(ends: Any):
    """numpy wraps them around, and the image would be empty."""
    frame = pd.DataFrame({"t": pd.to_datetime(["2024-01-01", "2024-01-02"]), "y": [0.0, 1]})
    with pytest.raises(BadInput, match="x_range") as told:
        Canvas(4, 3, x_range=ends).points(frame, "t", "y")
    assert isinstance(told.value, ValueError)
    held = (-(2**63), 2**63 - 1)
    assert Canvas(4, 3, x_range=held).points(frame, "t", "y").values.sum() == 2
    with pytest.raises(BadInput, match="y_range"):
        Canvas(4, 3, y_range=(10**400, 10**401)).points(frame, "t", "y")
