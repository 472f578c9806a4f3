"""The order of a view's tiles."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bigviz.server.websocket.view_part import outwards

levels = st.integers(0, 24)


@st.composite
def rectangles(draw: st.DrawFn) -> tuple:
    zx, zy = draw(levels), draw(levels)
    i = draw(st.integers(0, 2**zx - 1))
    j = draw(st.integers(0, 2**zy - 1))
    columns, rows = draw(st.integers(1, min(7, 2**zx - i))), draw(st.integers(1, min(7, 2**zy - j)))
    return tuple((zx, zy, i + a, j + b) for a in range(columns) for b in range(rows))


@given(rectangles(), st.randoms())
def test_from_the_centre_outwards(places: tuple, random):
    shuffled = list(places)
    random.shuffle(shuffled)
    order = outwards(tuple(shuffled))
    assert sorted(order) == sorted(places)
    middle_i = (min(p[2] for p in places) + max(p[2] for p in places)) / 2
    middle_j = (min(p[3] for p in places) + max(p[3] for p in places)) / 2
    rings = [max(abs(p[2] - middle_i), abs(p[3] - middle_j)) for p in order]
    assert rings == sorted(rings)


def test_nothing_and_another_levels_middle():
    assert outwards(()) == [] and outwards((), ((1, 1, 0, 0),)) == []
    seen = ((2, 2, 3, 3),)
    assert outwards(((3, 3, 0, 0), (3, 3, 7, 7), (3, 3, 5, 6)), seen)[0] == (3, 3, 7, 7)
    assert outwards(((1, 1, 0, 0), (1, 1, 1, 1)), seen)[0] == (1, 1, 1, 1)


def test_levels_of_one_view_share_a_centre():
    order = outwards(((1, 1, 1, 1), (2, 2, 3, 3), (2, 2, 0, 0), (2, 2, 2, 2)))
    assert order.index((2, 2, 2, 2)) < order.index((2, 2, 0, 0))
