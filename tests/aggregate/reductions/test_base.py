"""Reductions against one Python list a cell; merging against doing it in one go."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bigviz.aggregate.reductions import api as r
from bigviz.aggregate.reductions.base import Grid, Planes, Reduction, Rows
from bigviz.aggregate.reductions.by import By
from bigviz.aggregate.reductions.parse import parse
from bigviz.aggregate.reductions.sums import TimeMean
from bigviz.common.errors import TooLarge

COMMON = settings(max_examples=12)
TEXTS = ("count", "any", "count(v)", "any(v)", "sum(v)", "mean(v)", "min(v)", "max(v)", "first(v)", "last(v)")
BOTH = (*TEXTS, *(f"by(k, {text})" for text in TEXTS))
HEIGHT, WIDTH, LABELS = 4, 6, 3

VALUES = {
    # whole numbers, so that a sum is the same in any order
    "float64": st.one_of(st.integers(-50, 50).map(float), st.just(math.nan), st.sampled_from([math.inf, 0.0, -0.0])),
    "float32": st.one_of(st.integers(-50, 50).map(float), st.just(math.nan)),
    "int64": st.one_of(st.integers(-50, 50), st.just(-(2**63)), st.just(2**53 + 1)),
    "uint64": st.one_of(st.integers(0, 50), st.just(2**64 - 1)),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, Rows]:
    """Cells and rows in any order, with nulls of every sort."""
    dtype = draw(st.sampled_from(sorted(VALUES)))
    size = draw(st.integers(0, 40))
    row = st.tuples(st.integers(-1, HEIGHT * WIDTH - 1), VALUES[dtype], st.booleans(), st.integers(-1, LABELS - 1))
    rows = draw(st.lists(row, min_size=size, max_size=size))
    cells, values, valid, codes = (list(part) for part in zip(*rows, strict=True)) if rows else ([], [], [], [])
    numbers = draw(st.permutations(range(size)))
    mask = np.array(valid, np.bool_) if dtype.endswith("int64") and draw(st.booleans()) else None
    cells_ = np.array(cells, np.int32)
    return cells_, Rows(np.array(values, dtype), mask, np.array(numbers, np.uint32), np.array(codes, np.int8))


def part(rows: Rows, which: Any) -> Rows:
    return Rows(*(None if column is None else column[which] for column in rows))


def filled(reduction: Reduction, cells: np.ndarray, rows: Rows) -> Planes:
    assert rows.values is not None
    planes = reduction.create((HEIGHT, WIDTH), reduction.accumulator(rows.values), LABELS)
    reduction.append(planes, cells, rows)
    return planes


def of_cell(reduction: Reduction, rows: list[tuple[Any, bool, int]]) -> Any:
    """The value of a cell from its rows (value, valid, number); None for an empty one."""
    if reduction.column is not None:
        rows = [row for row in rows if row[1] and row[0] == row[0]]
    if not rows:
        return None
    values = [value for value, _, _ in rows]
    match reduction.name:
        case "count":
            return len(rows)
        case "any":
            return 1
        case "sum":
            return sum(values)
        case "mean":
            return float(sum(values)) / len(values)
        case "min":
            return min(values)
        case "max":
            return max(values)
        case "first":
            return min(rows, key=lambda row: row[2])[0]
        case _:
            return max(rows, key=lambda row: row[2])[0]


def same(grid: Grid, expected: list[Any]) -> None:
    assert grid.filled.reshape(-1).tolist() == [value is not None for value in expected]
    for got, value in zip(grid.values.reshape(-1).tolist(), expected, strict=True):
        if value is not None:
            assert got == value or (got != got and value != value)


@pytest.mark.parametrize("text", BOTH)
@COMMON
@given(table=tables())
def test_cells_hold_what_their_rows_say(text: str, table: tuple[np.ndarray, Rows]) -> None:
    reduction, (cells, rows) = parse(text), table
    inner = reduction.inner if isinstance(reduction, By) else reduction
    if inner.name in ("sum", "mean"):  # large integers are the next test's
        rows = rows._replace(
            values=np.where(np.abs(rows.values.astype(float)) > 100, 1, rows.values).astype(rows.values.dtype)
        )
    assert rows.values is not None and rows.codes is not None and rows.numbers is not None
    valid = [True] * len(cells) if rows.valid is None else rows.valid.tolist()
    listed = list(zip(rows.values.tolist(), valid, rows.numbers.tolist(), strict=True))
    expected = []
    for code in range(LABELS) if isinstance(reduction, By) else [None]:
        for cell in range(HEIGHT * WIDTH):
            mine = [k for k in np.flatnonzero(cells == cell) if code is None or rows.codes[k] == code]
            expected.append(of_cell(inner, [listed[k] for k in mine]))
    same(reduction.finalize(filled(reduction, cells, rows)), expected)
    same(reduction.finish(filled(reduction, cells, rows)), expected)


@pytest.mark.parametrize("text", BOTH)
@COMMON
@given(table=tables(), cut=st.integers(0, 40))
def test_parts_combine_to_the_whole(text: str, table: tuple[np.ndarray, Rows], cut: int) -> None:
    reduction, (cells, rows) = parse(text), table
    rows = rows._replace(
        values=np.where(np.isfinite(rows.values.astype(float)), rows.values, 1).astype(rows.values.dtype)
    )
    planes = reduction.create((HEIGHT, WIDTH), np.float64, LABELS)
    others = reduction.create((HEIGHT, WIDTH), np.float64, LABELS)
    whole = reduction.create((HEIGHT, WIDTH), np.float64, LABELS)
    small = np.abs(rows.values.astype(float)) < 100  # sums of floats are exact
    cells = np.where(small, cells, np.int32(-1))
    reduction.append(planes, cells[:cut], part(rows, slice(None, cut)))
    reduction.append(others, cells[cut:], part(rows, slice(cut, None)))
    reduction.append(whole, cells, rows)
    reduction.combine(planes, others)
    assert all(np.array_equal(one, other) for one, other in zip(planes, whole, strict=True))


@pytest.mark.parametrize("text", BOTH)
@COMMON
@given(table=tables(), x=st.booleans(), y=st.booleans())
def test_parents_hold_their_childrens_rows(text: str, table: tuple[np.ndarray, Rows], x: bool, y: bool) -> None:
    reduction, (cells, rows) = parse(text), table
    assert rows.values is not None
    cells = np.where(np.abs(rows.values.astype(float)) < 100, cells, np.int32(-1))
    row, column = cells // WIDTH, cells % WIDTH
    width = WIDTH // 2 if x else WIDTH
    parents = np.where(cells < 0, -1, (row // 2 if y else row) * width + (column // 2 if x else column)).astype(
        np.int32
    )
    expected = reduction.create((HEIGHT // 2 if y else HEIGHT, width), np.float64, LABELS)
    planes = reduction.create((HEIGHT, WIDTH), np.float64, LABELS)
    reduction.append(expected, parents, rows)
    reduction.append(planes, cells, rows)
    pooled = reduction.pool(planes, x, y)
    assert all(one.shape == other.shape for one, other in zip(pooled, expected, strict=True))
    got, wanted = reduction.finalize(pooled), reduction.finalize(expected)
    assert np.array_equal(got.filled, wanted.filled)
    assert np.array_equal(got.values[got.filled], wanted.values[got.filled])


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.array([2**62, -(2**62)]), np.float64),
        (np.array([2**62 - 1, 0]), np.int64),
        (np.array([-(2**62), 0]), np.float64),
        (np.array([2**63], np.uint64), np.float64),
        (np.array([2**62], np.uint64), np.int64),
        (np.array([-128] * 9, np.int8), np.int64),
        (np.array([], np.uint64), np.int64),
        (np.zeros(3, np.float32), np.float64),
    ],
)
def test_integer_sums_never_overflow(values: np.ndarray, dtype: Any) -> None:
    reduction = r.sum("v")
    assert reduction.accumulator(values) == dtype
    planes = reduction.create((1, 1), reduction.accumulator(values))
    wide = values.astype(np.float64 if values.dtype.kind == "f" else values.dtype if values.itemsize == 8 else np.int64)
    reduction.append(planes, np.zeros(len(values), np.int32), Rows(wide))
    assert reduction.finalize(planes).values[0, 0] == sum(values.tolist())


def test_integers_beyond_2_53_keep_their_last_digit() -> None:
    values = np.array([2**63 - 1, 2**63 - 3])
    for text, expected in (("max(v)", 2**63 - 1), ("min(v)", 2**63 - 3), ("first(v)", 2**63 - 1)):
        reduction = parse(text)
        planes = reduction.create((1, 1), reduction.accumulator(values))
        reduction.append(planes, np.zeros(2, np.int32), Rows(values, numbers=np.arange(2)))
        assert reduction.finalize(planes).values[0, 0] == expected


@COMMON
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-(2**63), 2**63 - 1)), max_size=40),
    st.integers(0, 40),
    st.integers(1, 4),
)
def test_means_of_times_are_exact(rows: list[tuple[int, int]], cut: int, copies: int) -> None:
    rows = rows * copies
    cells = np.array([cell for cell, _ in rows], np.int32)
    values = np.array([value for _, value in rows], np.int64)
    valid = values % 7 != 0
    reduction = TimeMean("t")
    planes, others = (reduction.create((2, 2), reduction.accumulator(values)) for _ in range(2))
    reduction.append(planes, cells[:cut], Rows(values[:cut], valid[:cut]))
    reduction.append(others, cells[cut:], Rows(values[cut:], valid[cut:]))
    reduction.combine(planes, others)
    mine = [values[(cells == cell) & valid].tolist() for cell in range(4)]
    same(reduction.finalize(planes), [math.floor(Fraction(sum(each), len(each))) if each else None for each in mine])
    whole = values[valid].tolist()
    same(reduction.finalize(reduction.pool(planes)), [math.floor(Fraction(sum(whole), len(whole))) if whole else None])


def test_infinities_cancel_to_nan_and_stay_so() -> None:
    for text in ("sum(v)", "mean(v)"):
        reduction = parse(text)
        planes = reduction.create((1, 1))
        reduction.append(planes, np.zeros(3, np.int32), Rows(np.array([math.inf, -math.inf, 5.0])))
        grid = reduction.finalize(planes)
        assert math.isnan(grid.values[0, 0]) and grid.filled[0, 0]


def test_what_is_missing_is_named() -> None:
    cells = np.zeros(1, np.int32)
    for text, problem in (
        ("mean(v)", "needs values"),
        ("count(v)", "needs values"),
        ("by(k)", "category codes of 'k'"),
    ):
        reduction = parse(text)
        with pytest.raises(ValueError, match=problem):
            reduction.append(reduction.create((1, 1), categories=1), cells)
    with pytest.raises(ValueError, match="row numbers"):
        r.first("v").append(r.first("v").create((1, 1)), cells, Rows(np.ones(1)))


def test_columns_and_needs() -> None:
    assert r.count().columns == () and r.mean("a").columns == ("a",)
    assert r.by("k", r.mean("a")).columns == ("k", "a") and r.by("k", r.count("k")).columns == ("k",)
    assert r.by("k", r.last("a")).ordered and not r.by("k").ordered
    with pytest.raises(ValueError, match="without categories"):
        r.by("k", r.by("j"))


def test_size_is_limited() -> None:
    with pytest.raises(TooLarge, match="100000 x 100000"):
        r.count().create((100_000, 100_000))
    with pytest.raises(TooLarge, match="categories together"):
        r.by("k").create((1024, 1024), categories=1 << 20)


def test_planes_of_categories_are_made_one_by_one() -> None:
    looks: list[int] = []
    for text in TEXTS:
        made = parse(f"by(k, {text})").create((HEIGHT, WIDTH), np.float64, LABELS, lambda: looks.append(1))
        for plane, one in zip(made, parse(text).create((HEIGHT, WIDTH), np.float64), strict=True):
            assert plane.dtype == one.dtype and np.array_equal(plane, np.stack([one] * LABELS))
    assert len(looks) == LABELS * len(TEXTS)
