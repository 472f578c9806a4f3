"""Images of points over arrays: gathered rows, masks, cancelling."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.aggregate import inputs
from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.glyphs.points import PointRows, PointsImage
from bigviz.aggregate.inputs import NO_INPUTS, Inputs, Mapped, Numbers, Slices
from bigviz.aggregate.reductions.base import Grid
from bigviz.aggregate.reductions.parse import parse
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import Cancelled

SIDE = Bins(0.0, 2.0, 2)


def points_image(
    x: Slices, y: Slices, text: str, inputs: Inputs = NO_INPUTS, cancel: Cancel = NEVER, threads: int = 1
) -> Grid:
    return PointsImage(SIDE, SIDE, parse(text)).grid(PointRows(x, y, inputs), cancel, threads)


def numbers(*values: float) -> Numbers:
    return Numbers(np.array(values))


def test_both_ends_of_the_window_are_in_it() -> None:
    x, y = numbers(0, 1, 2, 2.1, -0.1, 1), numbers(0, 0, 2, 1, 1, 2)
    grid = points_image(x, y, "count")
    assert grid.values.tolist() == [[1, 1], [0, 2]] and grid.values.dtype == np.uint32


def test_rows_of_every_slice_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_SLICE", "_COPIED"):
        monkeypatch.setattr(f"bigviz.aggregate.glyphs.point_reader.{name}", 7)
    random = np.random.default_rng(5)
    x, y, value = random.uniform(0, 2, (3, 100))
    read = Inputs(values=Numbers(value))
    for text, expected in (("count", 100), ("sum(v)", value.sum())):
        grid = points_image(Numbers(x), Numbers(y), text, read)
        assert grid.values.sum() == pytest.approx(expected)
    first = points_image(numbers(*[0] * 100), numbers(*[0] * 100), "first(v)", read)
    assert first.values[0, 0] == value[0] and first.filled.tolist() == [[True, False], [False, False]]


def test_row_numbers_of_gathered_rows() -> None:
    x, read = numbers(0, 0, 0), Inputs(values=numbers(5, 6, 7), numbers=np.array([9, 3, 4], np.uint32))
    assert points_image(x, x, "first(v)", read).values[0, 0] == 6
    assert points_image(x, x, "last(v)", read).values[0, 0] == 5


def test_masks_of_places_values_and_categories() -> None:
    hidden = np.array([True, False, True])
    x = Numbers(np.zeros(3, np.uint8), hidden)
    assert points_image(x, numbers(0, 0, 0), "count").values[0, 0] == 2
    values = Inputs(values=Numbers(np.array([1, 2, 4], np.int16), hidden), dtype=np.dtype(np.int64))
    assert points_image(numbers(0, 0, 0), numbers(0, 0, 0), "sum(v)", values).values[0, 0] == 5
    codes = Inputs(codes=Numbers(np.array([0, 0, 1], np.int32), hidden), categories=2)
    grid = points_image(numbers(0, 0, 0), numbers(0, 0, 0), "by(k)", codes)
    assert grid.values[:, 0, 0].tolist() == [1, 1]


def test_spaces_go_before_bins() -> None:
    x = Mapped(Numbers(np.array([1, 10, 100, 0, 7]), np.array([True, True, True, True, False])), space("log", "x"))
    assert len(x) == 5
    grid = points_image(x, numbers(0, 0, 0, 0, 0), "count")
    assert grid.values.tolist() == [[1, 2], [0, 0]]


@pytest.mark.parametrize(
    "text", ["count", "any", "count(v)", "min(v)", "max(v)", "first(v)", "last(v)", "by(k)", "sum(v)"]
)
@pytest.mark.parametrize("banded", [False, True])
def test_parts_of_the_rows_are_one_image(text: str, banded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of threads, in parts and by bands: as added row by row in all bits, but for the sums of
    parts, which are the same for any number."""
    if banded:
        for name, value in (("bands._SLICE", 900), ("bands._BATCH", 2_000), ("bands._BITS", 1)):
            monkeypatch.setattr(f"bigviz.aggregate.glyphs.{name}", value)
        monkeypatch.setattr("bigviz.aggregate.glyphs.image_parts._BANDED", 1)
        monkeypatch.setattr("bigviz.aggregate.glyphs.image_parts._CACHED", 1)
    rng = np.random.default_rng(3)
    x, y = (Numbers(rng.uniform(-0.2, 2.2, 5_000).astype(np.float32)) for _ in range(2))
    value = np.round(rng.normal(size=5_000), 1) * rng.choice([1.0, -0.0, np.nan], 5_000)
    read = Inputs(values=Numbers(value), codes=Numbers(rng.integers(-1, 3, 5_000).astype(np.int32)), categories=3)
    image, rows = PointsImage(SIDE, SIDE, parse(text)), PointRows(x, y, read)
    planes = image.reduction.create((2, 2), np.float64, 3)
    image.add(planes, rows, NEVER)
    expected = image.reduction.finalize(planes)
    found = [image.grid(rows, threads=threads) for threads in (1, 2, 5)]
    for each in found:
        assert each.values.dtype == expected.values.dtype and (each.filled == expected.filled).all()
        assert each.values.tobytes() == found[0].values.tobytes()
        if text != "sum(v)" or banded:
            got, want = (np.where(one.filled, one.values, 0) for one in (each, expected))
            assert got.tobytes() == want.tobytes()
    if text == "sum(v)":
        size = image.grid(PointRows(x, y, Inputs(values=Numbers(np.abs(value))))).values
        assert (np.abs(found[0].values - expected.values) <= 1e-12 * size).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_windows_whose_ends_are_no_numbers_of_the_column(dtype: type[np.floating]) -> None:
    """Their neighbours in the column's dtype are in the window or out of it as the exact ends have it."""
    rng = np.random.default_rng(8)
    for low, high in (*np.sort(rng.normal(size=(20, 2)), axis=1).tolist(), (-1e300, 1e300), (0.1, 0.1 + 1e-9)):
        ends = [dtype(min(max(each, -3e38), 3e38)) for each in (low, high)]
        near = [np.nextafter(each, dtype(to)) for each in ends for to in (-np.inf, np.inf)]
        values = np.array([*ends, *near, np.nan, np.inf, -np.inf, 0.0], dtype)
        inside = (values.astype(np.float64) >= low) & (values.astype(np.float64) <= high)
        bins, whole = Bins(low, high, 7), Bins(-1.0, 1.0, 1)
        for sides in ((bins, whole), (whole, bins)):
            columns = [Numbers(values if each is bins else np.zeros(len(values), dtype)) for each in sides]
            grid = PointsImage(*sides, parse("count")).grid(PointRows(*columns))
            assert grid.values.sum() == inside.sum()


def test_no_rows() -> None:
    grid = points_image(numbers(), numbers(), "mean(v)", Inputs(values=numbers()))
    assert not grid.filled.any() and np.isnan(grid.values).all()


def test_cancelled_between_slices() -> None:
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        points_image(numbers(1), numbers(1), "count", cancel=cancel)
    assert inputs.SLICE <= 1 << 20
