import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.dyadic_cells import Root
from bigviz.common.errors import BadInput
from bigviz.tiles.grid.window import check_window, closed_within, codes_between, float_from, integer_from, within

NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**70), 2**70),
    st.sampled_from([2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), -(2**63) - 1, 0.5, -0.0]),
)


@given(st.one_of(NUMBERS, st.fractions(), st.sampled_from([Fraction(2) ** 1024, -(Fraction(2) ** 1024)])))
def test_the_smallest_float_not_below(number: float | Fraction) -> None:
    edge = float_from(number)
    assert edge == math.inf or Fraction(edge) >= Fraction(number)
    below = math.nextafter(edge, -math.inf)
    assert below == -math.inf or Fraction(below) < Fraction(number)


@settings(deadline=None)
@given(NUMBERS, NUMBERS, st.sampled_from(["f4", "f8", "i8", "u8"]), st.integers(0, 2**32))
def test_comparisons_are_exact(low: float, high: float, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dtype = np.dtype(kind)
    if dtype.kind == "f":
        values = np.append(rng.normal(size=20), [0.0, math.nan, math.inf, -math.inf])
        near = [float(edge) for edge in (low, high) if abs(edge) < 1e30]
        values = np.array([*values, *near], dtype)
    else:
        bounds = np.iinfo(dtype)
        values = rng.integers(bounds.min, bounds.max, 20, dtype=dtype, endpoint=True)
        near = [int(edge) + step for edge in (low, high) for step in (-1, 0, 1)]
        values = np.append(values, np.array([n for n in near if bounds.min <= n <= bounds.max], dtype))
    numbers = [Fraction(value) if math.isfinite(value) else None for value in values.tolist()]
    assert within(values, low, high).tolist() == [v is not None and low <= v < high for v in numbers]
    assert closed_within(values, low, high).tolist() == [v is not None and low <= v <= high for v in numbers]


def test_integers_have_ends() -> None:
    assert integer_from(1.5, np.dtype(np.int64)) == (2, True)
    assert integer_from(-5, np.dtype(np.uint64)) == (0, True)
    assert integer_from(2**63, np.dtype(np.int64)) == (2**63 - 1, False)


def test_codes_of_a_window() -> None:
    root = Root(0, 0)
    assert codes_between(root, 0.0, 0.5) == (0, 2**31)
    assert codes_between(root, -10, 10) == (0, 2**32 - 1)
    assert codes_between(root, 1, 2) is None and codes_between(root, -1, -0.5) is None


@pytest.mark.parametrize(
    ("low", "high", "field"), [(math.nan, 1, "x0"), (0, math.inf, "x1"), (1, 1, "x0"), (2.0, 1.0, "x0")]
)
def test_windows_are_checked(low: float, high: float, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_window(low, high, "x")
    assert caught.value.field == field
