"""Rectangles of figures in a picture."""

from __future__ import annotations

import numpy as np

from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.document.layout import column, grid, row
from bigviz.document.placement import Place, placed


def places(root: object, width: int = 480, height: int = 300, gap: int = 6) -> dict[str, Place]:
    layout = document(root).layout  # type: ignore[arg-type]
    return {each.title: place for each, place in placed(layout, Place(0, 0, width, height), gap)}


def named(*titles: str) -> list:
    return [figure(title=title) for title in titles]


def test_one_figure_has_all():
    assert places(figure(title="a")) == {"a": Place(0, 0, 480, 300)}


def test_rows_columns_and_grids():
    assert places(row(*named("a", "b"))) == {"a": Place(0, 0, 237, 300), "b": Place(243, 0, 237, 300)}
    assert places(column(*named("a", "b")), gap=0) == {"a": Place(0, 0, 480, 150), "b": Place(0, 150, 480, 150)}
    found = places(grid(*named("a", "b", "c"), columns=2))
    assert found["c"] == Place(0, 153, 237, 147) and found["b"].left == 243


def test_no_pixel_is_two_figures_and_ends_meet():
    a, b, c, d, e = named("a", "b", "c", "d", "e")
    covered = np.zeros((101, 203), int)
    for left, top, width, height in places(column(row(a, b, c), row(d, e)), 203, 101, 3).values():
        covered[top : top + height, left : left + width] += 1
    assert covered.max() == 1 and covered[-1].any() and covered[:, -1].any() and covered[0, 0] and covered[-1, -1]


def test_figures_without_a_pixel_are_left_out():
    assert len(places(row(*named(*map(str, range(200)))))) == 0
