"""Spaces against the standard library's functions, and their edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.aggregate.dyadic_cells import FAR, INSIDE, NOWHERE
from bigviz.aggregate.layer_options import AXIS_KINDS
from bigviz.aggregate.spaces import MOST_LATITUDE, WORLD, space
from bigviz.common.errors import BadInput


def mapped(kind: str, axis: str, *values: float) -> list[float]:
    out, valid = space(kind, axis).map(np.array(values), None)  # type: ignore[arg-type]
    assert valid is None
    return out.tolist()  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", ["linear", "datetime"])
def test_identity_keeps_the_arrays(kind: str) -> None:
    values, valid = np.arange(3), np.array([True, False, True])
    same, mask = space(kind, "x").map(values, valid)
    assert same is values and mask is valid


@given(st.lists(st.floats(allow_nan=True), max_size=20))
def test_log_is_the_libraries(values: list[float]) -> None:
    expected = [math.log10(v) if v > 0 else math.nan for v in values]
    assert np.array_equal(mapped("log", "x", *values), expected, equal_nan=True)


def test_log_of_integers_and_nulls() -> None:
    values = np.array([1000, 0, -5, 7], np.int64)
    out, valid = space("log", "y").map(values, np.array([True, True, True, False]))
    assert valid is None
    assert np.array_equal(out, [3.0, math.nan, math.nan, math.nan], equal_nan=True)


def test_longitudes() -> None:
    before, after = math.nextafter(180.0, 0.0), math.nextafter(-180.0, -200.0)
    out = mapped("mercator", "x", -180.0, 180.0, 0.0, before, after, 190.0, math.nan)
    assert out[:3] == [0.0, 0.0, 0.5]
    assert 0.99 < out[3] < 1.0
    assert out[4] < 0.0 and out[5] > 1.0 and math.isnan(out[6])


def test_latitudes() -> None:
    past = math.nextafter(MOST_LATITUDE, 90.0)
    out = mapped("mercator", "y", 0.0, MOST_LATITUDE, -MOST_LATITUDE, past, -past, 90.0, math.nan)
    assert out[0] == 0.5
    assert 0.999999 < out[1] < 1.0 and 0.0 <= out[2] < 1e-6
    assert all(map(math.isnan, out[3:]))


def test_a_point_on_a_border_belongs_to_the_northern_and_eastern_cell() -> None:
    codes = np.empty(1, np.uint32)
    for axis in ("x", "y"):
        numbers, _ = space("mercator", axis).map(np.zeros(1), None)  # type: ignore[arg-type]
        assert WORLD.codes(numbers, None, codes)[0] == INSIDE
        assert codes[0] == 1 << 31


def test_where_longitudes_lie() -> None:
    numbers, _ = space("mercator", "x").map(np.array([-180.0, 180.0, 200.0, math.nan]), None)
    codes = np.empty(4, np.uint32)
    assert WORLD.codes(numbers, None, codes).tolist() == [INSIDE, INSIDE, FAR, NOWHERE]


@given(st.floats(-180, 179.99), st.floats(-85, 85))
def test_inverse(longitude: float, latitude: float) -> None:
    for axis, degrees in (("x", longitude), ("y", latitude)):
        place = mapped("mercator", axis, degrees)[0]
        assert space("mercator", axis).value(place) == pytest.approx(degrees, abs=1e-9)  # type: ignore[arg-type]


def test_known_tiles() -> None:
    """Berlin's tile at level 10 in the common XYZ scheme is 550/335."""
    place = mapped("mercator", "x", 13.404954)[0], mapped("mercator", "y", 52.520008)[0]
    assert math.floor(place[0] * 1024) == 550
    assert 1023 - math.floor(place[1] * 1024) == 335


def test_powers_end_where_floats_do() -> None:
    assert space("log", "x").value(2.0) == 100.0
    assert space("log", "x").value(400.0) == math.inf
    assert space("linear", "x").value(2.5) == 2.5


def test_names() -> None:
    assert [space(kind, "x").name for kind in AXIS_KINDS] == ["linear", "log", "datetime", "mercator-x"]
    with pytest.raises(BadInput, match="got 'polar'") as caught:
        space("polar", "y")
    assert caught.value.field == "yaxis"
