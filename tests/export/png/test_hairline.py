"""Thin strokes: each column, or row, of a segment holds as much of it as the next."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.export.png.data.hairline import draw_hairlines


def drawn(path: list[list[float]], opacity: float = 1.0) -> np.ndarray:
    canvas = np.full((12, 40, 3), 255, np.uint8)
    draw_hairlines(canvas, [np.array(path, np.float64)], (0, 0, 0), opacity, rounded=False)
    return 1 - canvas[..., 0] / 255


def test_a_line_through_the_middles_of_pixels() -> None:
    found = drawn([[2, 5.5], [30, 5.5]])
    assert found[5, 2:30] == pytest.approx(np.ones(28))
    assert found.sum() == pytest.approx(28)


def test_a_slanted_line_is_shared_by_two_rows() -> None:
    found = drawn([[2, 3.3], [38, 8.7]], 0.5)
    assert found.sum(0)[3:37] == pytest.approx(np.full(34, 0.5), abs=0.01)
    assert ((found > 0).sum(0)[3:37] <= 2).all()


def test_what_is_out_of_sight_is_left_out() -> None:
    assert drawn([[-900, 5.5], [900, 5.5]])[5] == pytest.approx(np.ones(40))
    assert drawn([[5, 50], [9, 90]]).sum() == 0
    assert drawn([[5, 5]]).sum() == 0
