from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigviz.wire.runs import extremes, find_runs, gather, scatter

EIGHTS = st.one_of(
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.sampled_from([[True] * 8, [False] * 8, [True] * 4 + [False] * 4, [False, True] * 4]),
)
MASKS = st.lists(EIGHTS, max_size=10).map(lambda eights: [cell for eight in eights for cell in eight])


def plain_runs(mask: list[bool]) -> list[list[int]]:
    pairs, empty = [], 0
    for filled, group in groupby(mask):
        length = len(list(group))
        if filled:
            pairs.append([empty, length])
        empty = 0 if filled else length
    return pairs


@given(MASKS)
def test_runs_are_those_of_a_plain_loop(mask: list[bool]) -> None:
    pairs, count = find_runs(np.array(mask, np.bool_))
    assert pairs.tolist() == plain_runs(mask) and count == sum(mask)


@given(MASKS, st.sampled_from(["u1", "i2", "u4", "i8", "f4", "f8"]), st.integers(0, 2**32))
def test_values_go_back_to_where_they_were(mask: list[bool], kind: str, seed: int) -> None:
    filled = np.array(mask, np.bool_)
    values = np.frombuffer(np.random.default_rng(seed).bytes(len(mask) * np.dtype(kind).itemsize), kind)
    pairs, count = find_runs(filled)
    kept = gather(values, filled, count)
    assert kept.tobytes() == values[filled].tobytes()
    back, marked = np.zeros(len(mask), kind), np.zeros(len(mask), np.bool_)
    scatter(kept, pairs, back, marked)
    assert (marked == filled).all() and back[filled].tobytes() == kept.tobytes() and not back[~filled].any()


@pytest.mark.parametrize(
    ("values", "exact", "low", "high"),
    [
        ([1.0, -2.5], True, -2.5, 1.0),
        ([0.1], False, 0.1, 0.1),
        ([np.nan, 3.0, np.nan, 2.0], True, 2.0, 3.0),
        ([2.0, np.nan], True, 2.0, 2.0),
        ([np.nan], True, np.nan, np.nan),
        ([np.inf, 1.0], True, 1.0, np.inf),
        ([-np.inf], True, -np.inf, -np.inf),
        ([1e300], False, 1e300, 1e300),
    ],
)
def test_extremes_leave_nan_out(values: list[float], exact: bool, low: float, high: float) -> None:
    assert np.array_equal(extremes(np.array(values)), (exact, low, high), equal_nan=True)
    with np.errstate(over="ignore"):
        single = np.array(values, np.float32)
    assert extremes(single)[0]
