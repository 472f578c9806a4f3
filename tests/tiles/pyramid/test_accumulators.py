import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.reductions.base import Rows
from bigviz.aggregate.reductions.parse import parse
from bigviz.aggregate.reductions.sums import TimeMean
from bigviz.tiles.pyramid.accumulators import add_kept, finished, keep, revive, wire
from bigviz.wire.codec import decode

TEXTS = ("count", "any", "sum(v)", "mean(v)", "min(v)", "max(v)", "first(v)", "last(v)", "by(k)", "by(k, mean(v))")
AGGS = (*TEXTS, TimeMean("v"))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(AGGS), st.integers(0, 2**32), st.sampled_from([0, 3, 2000, 200_000]), st.sampled_from("fiu"))
def test_kept_accumulators_come_back_to_the_bit(agg: str | TimeMean, seed: int, size: int, kind: str) -> None:
    rng = np.random.default_rng(seed)
    reduction, kind = (parse(agg), kind) if isinstance(agg, str) else (agg, "i")
    values = {
        "f": rng.normal(size=size),
        "i": rng.integers(-(2**62), 2**62, size),
        "u": rng.integers(0, 2**64, size, dtype=np.uint64),
    }[kind]
    dtype = np.dtype(np.uint32) if reduction.column is None else reduction.accumulator(values)
    categories = 3 if reduction.category else 0
    planes = reduction.create((256, 256), dtype, categories)
    cells = rng.integers(-1, 65_536, size).astype(np.int32)
    codes = rng.integers(-1, 3, size).astype(np.int32)
    reduction.append(planes, cells, Rows(values, None, np.arange(size), codes))
    kept = keep(reduction, planes)
    back = revive(reduction, kept, dtype)
    assert [plane.tobytes() for plane in back] == [plane.tobytes() for plane in planes]
    assert [plane.plane for plane in kept.values] == list(range(max(categories, 1)))
    assert kept.nbytes > 0
    both, expected = reduction.create((256, 256), dtype, categories), reduction.create((256, 256), dtype, categories)
    some = rng.permutation(cells)[: size // 2]
    for each in (both, expected):
        reduction.append(each, some, Rows(values[: len(some)], None, np.arange(len(some)), codes[: len(some)]))
    reduction.combine(expected, planes)
    add_kept(reduction, dtype, kept, both, (0, 0), (0, 0))
    assert [plane.tobytes() for plane in both] == [plane.tobytes() for plane in expected]


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([0.1, 0.2, 0.4], 10),
        ([100_000_001.0], 10),
        ([1_700_000_000.0, 1_700_000_060.0], 10),
        ([1e40], 10),
        ([-1e-300], 10),
        ([0.5, 0.25], 9),
        ([1 << 24, -1.5], 9),
    ],
)
@pytest.mark.parametrize("agg", ["mean(v)", "sum(v)", "min(v)", "max(v)", "first(v)", "last(v)", "by(k, mean(v))"])
def test_floats_travel_exactly_and_no_wider_than_they_need(agg: str, values: list[float], dtype: int) -> None:
    reduction = parse(agg)
    planes = reduction.create((256, 256), np.float64, 1 if reduction.category else 0)
    cells = np.arange(0, 2 * len(values), 2, dtype=np.int32)
    codes = np.zeros(len(values), np.int32)
    reduction.append(planes, cells, Rows(np.array(values), None, np.arange(len(values)), codes))
    sent = wire(reduction, planes)
    found, filled = decode(sent[0])
    assert sent[0].dtype == dtype and found[filled].tolist() == values
    exact = finished(reduction, planes, np.dtype(np.float64))[0]
    assert exact.dtype == np.float64 and exact.ravel()[cells].tolist() == values


def test_a_mean_is_divided_in_float64() -> None:
    reduction = parse("mean(v)")
    planes = reduction.create((256, 256), np.float64)
    reduction.append(planes, np.zeros(3, np.int32), Rows(np.array([0.1, 0.2, 0.4])))
    assert decode(wire(reduction, planes)[0])[0][0, 0] == (0.1 + 0.2 + 0.4) / 3


@pytest.mark.parametrize(
    ("agg", "own", "dtype", "empty"),
    [
        ("count", "u4", "u4", 0),
        ("any", "u4", "u1", 0),
        ("sum(v)", "i2", "i8", np.ma.masked),
        ("mean(v)", "i2", "f8", np.nan),
        ("min(v)", "f4", "f4", np.nan),
        ("max(v)", "i2", "i2", np.ma.masked),
        ("last(v)", "u8", "u8", np.ma.masked),
    ],
)
def test_finished_planes_have_the_published_types(agg: str, own: str, dtype: str, empty: object) -> None:
    reduction = parse(agg)
    values = np.array([3, 5], own)
    planes = reduction.create((256, 256), reduction.accumulator(values) if reduction.column else np.uint32)
    wide = values.astype(np.float64 if own == "f4" else np.int64 if own[0] == "i" else np.uint64)
    reduction.append(planes, np.array([1, 1], np.int32), Rows(wide, None, np.array([0, 1])))
    plane = finished(reduction, planes, np.dtype(own))[0]
    expected = {"count": 2, "any": 1, "sum(v)": 8, "mean(v)": 4, "min(v)": 3, "max(v)": 5, "last(v)": 5}[agg]
    assert plane.dtype == np.dtype(dtype) and plane[0, 1] == expected
    if empty is np.ma.masked:
        assert plane[0, 0] is np.ma.masked and (agg != "sum(v)" or plane.data[0, 0] == 0)
    else:
        assert np.array_equal(plane[0, 0], empty, equal_nan=True)
