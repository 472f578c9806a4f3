"""Images of points over arrays: gathered rows, masks, cancelling."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.aggregate import inputs
from bigviz.aggregate.canvas_bins import Bins
from bigviz.aggregate.glyphs.points import points_image
from bigviz.aggregate.inputs import Inputs, Mapped, Numbers
from bigviz.aggregate.reductions.parse import parse
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import Cancel
from bigviz.common.errors import Cancelled

SIDE = Bins(0.0, 2.0, 2)


def numbers(*values: float) -> Numbers:
    return Numbers(np.array(values))


def test_both_ends_of_the_window_are_in_it() -> None:
    x, y = numbers(0, 1, 2, 2.1, -0.1, 1), numbers(0, 0, 2, 1, 1, 2)
    grid = points_image(x, y, SIDE, SIDE, parse("count"))
    assert grid.values.tolist() == [[1, 1], [0, 2]] and grid.values.dtype == np.uint32


def test_rows_of_every_slice_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bigviz.aggregate.glyphs.points._BLOCK", 7)
    random = np.random.default_rng(5)
    x, y, value = random.uniform(0, 2, (3, 100))
    read = Inputs(values=Numbers(value))
    for text, expected in (("count", 100), ("sum(v)", value.sum())):
        grid = points_image(Numbers(x), Numbers(y), SIDE, SIDE, parse(text), read)
        assert grid.values.sum() == pytest.approx(expected)
    first = points_image(numbers(*[0] * 100), numbers(*[0] * 100), SIDE, SIDE, parse("first(v)"), read)
    assert first.values[0, 0] == value[0] and first.filled.tolist() == [[True, False], [False, False]]


def test_row_numbers_of_gathered_rows() -> None:
    x, read = numbers(0, 0, 0), Inputs(values=numbers(5, 6, 7), numbers=np.array([9, 3, 4], np.uint32))
    assert points_image(x, x, SIDE, SIDE, parse("first(v)"), read).values[0, 0] == 6
    assert points_image(x, x, SIDE, SIDE, parse("last(v)"), read).values[0, 0] == 5


def test_masks_of_places_values_and_categories() -> None:
    hidden = np.array([True, False, True])
    x = Numbers(np.zeros(3, np.uint8), hidden)
    assert points_image(x, numbers(0, 0, 0), SIDE, SIDE, parse("count")).values[0, 0] == 2
    values = Inputs(values=Numbers(np.array([1, 2, 4], np.int16), hidden), dtype=np.dtype(np.int64))
    assert points_image(numbers(0, 0, 0), numbers(0, 0, 0), SIDE, SIDE, parse("sum(v)"), values).values[0, 0] == 5
    codes = Inputs(codes=Numbers(np.array([0, 0, 1], np.int32), hidden), categories=2)
    grid = points_image(numbers(0, 0, 0), numbers(0, 0, 0), SIDE, SIDE, parse("by(k)"), codes)
    assert grid.values[:, 0, 0].tolist() == [1, 1]


def test_spaces_go_before_bins() -> None:
    x = Mapped(Numbers(np.array([1, 10, 100, 0, 7]), np.array([True, True, True, True, False])), space("log", "x"))
    assert len(x) == 5
    grid = points_image(x, numbers(0, 0, 0, 0, 0), SIDE, SIDE, parse("count"))
    assert grid.values.tolist() == [[1, 2], [0, 0]]


@pytest.mark.parametrize(
    "text", ["count", "any", "count(v)", "min(v)", "max(v)", "first(v)", "last(v)", "by(k)", "sum(v)"]
)
def test_parts_of_the_rows_are_one_image(text: str) -> None:
    """Whatever the number of threads: as one part in all bits, but for sums, which are the same for any number."""
    rng = np.random.default_rng(3)
    x, y = (Numbers(rng.uniform(-0.2, 2.2, 5_000).astype(np.float32)) for _ in range(2))
    value = np.round(rng.normal(size=5_000), 1) * rng.choice([1.0, -0.0, np.nan], 5_000)
    read = Inputs(values=Numbers(value), codes=Numbers(rng.integers(-1, 3, 5_000).astype(np.int32)), categories=3)
    images = [points_image(x, y, SIDE, SIDE, parse(text), read, threads=threads) for threads in (0, 1, 2, 5)]
    for image in images[1:]:
        assert image.values.dtype == images[0].values.dtype and (image.filled == images[0].filled).all()
        if text != "sum(v)":
            assert np.where(image.filled, image.values, 0).tobytes() == (
                np.where(images[0].filled, images[0].values, 0).tobytes()
            )
    if text == "sum(v)":
        assert len({image.values.tobytes() for image in images[1:]}) == 1
        size = points_image(x, y, SIDE, SIDE, parse(text), Inputs(values=Numbers(np.abs(value)))).values
        assert (np.abs(images[1].values - images[0].values) <= 1e-12 * size).all()


def test_no_rows() -> None:
    grid = points_image(numbers(), numbers(), SIDE, SIDE, parse("mean(v)"), Inputs(values=numbers()))
    assert not grid.filled.any() and np.isnan(grid.values).all()


def test_cancelled_between_slices() -> None:
    cancel = Cancel()
    cancel.cancel()
    with pytest.raises(Cancelled):
        points_image(numbers(1), numbers(1), SIDE, SIDE, parse("count"), cancel=cancel)
    assert inputs.SLICE <= 1 << 20
