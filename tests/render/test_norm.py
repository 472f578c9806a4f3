"""Normalisation against datashader's, and against sorting."""

from __future__ import annotations

import datashader.transfer_functions as tf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.render import norm
from bigviz.render.norm import BINS, Norm, Percentile

RNG = np.random.default_rng(5)
COUNTS = np.maximum(RNG.geometric(0.02, 5_000), 1).astype(np.uint32)
FLOATS = RNG.normal(size=5_000).astype(np.float64) * 100
floats = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.mark.parametrize("how", ["linear", "log", "cbrt"])
@pytest.mark.parametrize("values", [COUNTS, FLOATS], ids=["counts", "floats"])
def test_the_formulas_are_datashaders(how: str, values: np.ndarray):
    theirs = tf._normalize_interpolate_how(how)(values.astype(float) - values.min(), None)
    ours = Norm(values, how, None, None, values is COUNTS).fraction(values)
    np.testing.assert_allclose(ours, theirs / theirs.max(), atol=1e-12)


@pytest.mark.parametrize(
    "values", [COUNTS, FLOATS, FLOATS + 1e7, -COUNTS.astype(float)], ids=["n", "f", "octave", "neg"]
)
def test_eq_hist_is_the_share_of_values_below(values: np.ndarray):
    """Against ranks; a bin holds a few values, so a share is off by as much at most."""
    norm = Norm(values, "eq_hist", None, None, values is COUNTS)
    got = norm.fraction(values)
    ordered = np.sort(values)
    lowest = np.searchsorted(ordered, ordered[0], "right")
    share = (np.searchsorted(ordered, values, "right") - lowest) / (len(values) - lowest)
    assert np.abs(got - share).max() <= (1e-12 if values is COUNTS else 0.003)


@pytest.mark.parametrize("levels", [2, 3, 17, 99, 100, 150])
def test_few_levels_are_lifted_as_datashader_lifts_them(levels: int):
    values = np.concatenate([np.arange(1, levels + 1), RNG.integers(1, levels + 1, 400)]).astype(np.uint32)
    shares, found = tf.eq_hist(values)
    span = tf._rescale_discrete_levels(found, (shares.min(), 1.0))
    got = Norm(values, "eq_hist", None, None, True).fraction(values)
    np.testing.assert_allclose(got, (shares - span[0]) / (1 - span[0]), atol=1e-12)


@given(st.lists(floats, min_size=1, max_size=50), st.sampled_from(["linear", "log", "cbrt", "eq_hist"]))
def test_any_values_give_fractions_that_grow_with_them(values: list[float], how: str):
    array = np.array(values)
    got = Norm(array, how, None, None, False).fraction(array)
    assert ((got >= 0) & (got <= 1)).all()
    assert (np.diff(got[np.argsort(array, kind="stable")]) >= -1e-12).all()
    assert (got[array == array.max()] == 1).all() and (
        array.max() == array.min() or (got[array == array.min()] == 0).all()
    )


@given(floats, floats, st.sampled_from(["linear", "log", "cbrt", "eq_hist"]))
def test_ends_cut(a: float, b: float, how: str):
    low, high = sorted((a, b))
    if low == high:
        return
    norm = Norm(FLOATS, how, low, high, False)
    got = norm.fraction(np.array([-np.inf, low, high, np.inf, np.nan]))
    np.testing.assert_array_equal(got, [0, 0, 1, 1, 0])


def test_no_values_and_one():
    assert Norm(np.empty(0), "eq_hist", None, None, True).fraction(np.empty(0)).shape == (0,)
    for how in ("linear", "log", "cbrt", "eq_hist"):
        assert Norm(np.array([5, 5]), how, None, None, True).fraction(np.array([5])) == [1.0]


def test_infinities_and_nan_are_not_counted():
    values = np.array([1.0, 2.0, np.inf, -np.inf, np.nan])
    assert (Norm(values, "linear", None, None, False).low, Norm(values, "linear", None, None, False).high) == (1.0, 2.0)


def test_counts_beyond_the_bins():
    values = np.array([1, 10, BINS, 10 * BINS], np.uint32)
    got = Norm(values, "eq_hist", None, None, True).fraction(values)
    np.testing.assert_allclose(got, [0, 1 / 3, 2 / 3, 1])


@pytest.mark.parametrize("values", [COUNTS, FLOATS, FLOATS + 1e7], ids=["n", "f", "octave"])
@pytest.mark.parametrize("how", ["log", "eq_hist"])
@pytest.mark.parametrize("low", [None, Percentile(20)])
def test_a_value_with_a_weight_is_as_many_values(values: np.ndarray, how: str, low: Percentile | None):
    some = np.append(values[:500], [values.min(), values.max(), np.inf if values is FLOATS else values.max()])
    weights = np.append(np.arange(500) % 4, [0, 0, 3])
    every = np.concatenate([np.repeat(some, weights), some[500:502]])
    whole = Norm(every, how, low, None, values is COUNTS)
    weighed = Norm(some, how, low, None, values is COUNTS, weights=weights + np.append(np.zeros(500, int), [1, 1, 0]))
    assert (weighed.low, weighed.high, weighed.lift) == (whole.low, whole.high, whole.lift)
    np.testing.assert_array_equal(weighed.fraction(values), whole.fraction(values))


@given(st.lists(st.floats(-50, 50) | st.sampled_from([0.0, -0.0, 1e-300, 7.0]), min_size=1), st.integers(0, 100))
def test_few_values_and_many_have_the_same_shares(values: list[float], percent: int):
    """Many go through all bins; below the low end too, and in any order."""
    weights = np.arange(len(values), dtype=np.int64)
    for held in (None, weights):
        few = Norm(np.array(values), "eq_hist", Percentile(percent / 2), None, False, weights=held)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(norm, "_FEW", 0)
            many = Norm(np.array(values), "eq_hist", Percentile(percent / 2), None, False, weights=held)
        asked = np.array([*values, -51.0, 51.0, 0.5])
        assert np.array_equal(few.fraction(asked), many.fraction(asked))
        assert [few.value(f) for f in (0, 0.2, 0.5, 1)] == [many.value(f) for f in (0, 0.2, 0.5, 1)]
