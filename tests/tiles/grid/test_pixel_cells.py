"""Cells of a picture's pixels."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from bigviz.aggregate.dyadic_cells import Root, power_of_two
from bigviz.tiles.grid.pixel_cells import pixel_cells


@pytest.mark.parametrize(
    ("root", "low", "high", "pixels"),
    [
        (Root(-2, 3), -7.5, 6.25, 480),
        (Root(0, 0), 0.3, 0.30001, 300),
        (Root(6, 61), 2**62, 2**62 + 10**9, 480),
        (Root(-1, -1000), -1e-301, 1e-301, 17),
        (Root(-2, 3), -100.0, 100.0, 100),
        (Root(0, 10), 5, 5.0001, 1),
    ],
)
def test_each_pixel_shows_the_cell_of_its_middle(root: Root, low: float, high: float, pixels: int):
    level, cells = pixel_cells(root, low, high, pixels)
    width = power_of_two(root.exponent - 8 - level)
    pixel = (Fraction(high) - Fraction(low)) / pixels
    assert level in (0, 24) or pixel <= width < 2 * pixel
    for at in range(pixels):
        middle = Fraction(low) + (at + Fraction(1, 2)) * pixel
        cell = root.cell(middle, level + 8)
        near = [cell] if level < 20 else [cell - 1, cell, cell + 1]
        assert cells[at] in near if root.holds(middle) else cells[at] == -1


def test_windows_beyond_the_root():
    level, cells = pixel_cells(Root(0, 0), 3.0, 4.0, 5)
    assert level == 0 and (cells == -1).all() and cells.dtype == np.int64


@pytest.mark.parametrize(
    ("root", "low", "high", "level"),
    [
        (Root(-2, 1023), 0.0, 5e-324, 24),
        (Root(-1, -1000), -1.7e308, 1.7e308, 0),
        (Root(0, -1074), 0, 2**64, 0),
        (Root(0, 0), 1.7e308, 1.79e308, 0),
    ],
)
def test_windows_that_are_nothing_or_all_beside_the_root(root: Root, low: float, high: float, level: int):
    found, cells = pixel_cells(root, low, high, 9)
    assert found == level and ((cells >= -1) & (cells < 256 << level)).all()
