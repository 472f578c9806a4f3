"""How far strokes cover pixels: on shapes whose areas are known."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.export.png.data.coverage import coverage
from bigviz.export.png.data.stroke import dashed, stroked

STEP = 1 / 255


def test_a_rectangle_on_quarters_of_pixels() -> None:
    found = coverage([np.array([[1.5, 1.25], [4.0, 1.25], [4.0, 3.0], [1.5, 3.0]])], (4, 6))
    want = np.zeros((4, 6))
    want[1, 1:4] = np.array([0.5, 1, 1]) * 0.75
    want[2, 1:4] = [0.5, 1, 1]
    assert found == pytest.approx(want, abs=2 * STEP)


def test_areas_of_slanted_strokes() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        path = rng.uniform(10, 50, (2, 2))
        width = rng.uniform(1.5, 4)
        length = float(np.hypot(*(path[1] - path[0])))
        found = coverage([stroked(path, width, rounded=False)], (60, 60)).sum()
        assert found == pytest.approx(length * width, rel=0.05, abs=1)  # ends stand on quarters of a pixel


def test_strokes_that_overlap_are_covered_once() -> None:
    path = np.array([[5.0, 5.0], [25.0, 9.0]])
    one = coverage([stroked(path, 2, rounded=True)], (20, 30))
    assert (coverage([stroked(path, 2, rounded=True)] * 2, (20, 30)) == one).all()


def test_what_is_out_of_sight_changes_nothing() -> None:
    path = np.array([[-40.0, 3.0], [60.0, 3.0]])
    found = coverage([stroked(path, 2, rounded=True)], (6, 20))
    assert found[2:4] == pytest.approx(np.ones((2, 20)), abs=STEP)
    assert found.sum() == pytest.approx(40, abs=1)
    assert coverage([stroked(path + np.array([0, 90]), 2, rounded=True)], (6, 20)).sum() == 0
    assert coverage([], (2, 3)).tolist() == [[0] * 3] * 2


def test_dashes_have_their_lengths() -> None:
    path = np.array([[0.0, 0.0], [6.0, 0.0], [6.0, 7.0]])
    parts = dashed(path, (4, 2))
    assert [np.hypot(*np.diff(part, axis=0).T).sum() for part in parts] == pytest.approx([4, 4, 1])
    assert parts[1].tolist() == [[6, 0], [6, 4]]
    assert len(dashed(path, (3,))) == 3
    assert len(stroked(path[:1], 2, rounded=True)) == 0
