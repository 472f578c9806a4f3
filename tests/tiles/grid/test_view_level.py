"""The level of a view, against its definition, and the golden cases that the page reads too."""

from __future__ import annotations

import json
import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bigviz.aggregate.dyadic_cells import Root
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.grid.view_level import nominal_level, view_level

from . import golden_geometry as golden


def test_golden_geometry_is_what_the_code_says() -> None:
    for case in json.loads(golden.FILE.read_text()):
        start, exponent = case["root"]
        exact = int(start) if start.removeprefix("-").isdigit() else float(start)
        multiple = Fraction(exact) / Fraction(2) ** (exponent - 1)
        low, high = (int(each) if isinstance(each, str) else each for each in (case["low"], case["high"]))
        assert golden.case(Root(int(multiple), exponent), low, high, case["pixels"]) == case


@given(st.integers(-40, 40), st.floats(1e-6, 1.0), st.integers(1, 5000))
def test_the_level_is_the_one_whose_cells_are_nearest_to_a_pixel(exponent: int, share: float, pixels: int) -> None:
    span = math.ldexp(share, exponent)
    z = view_level(exponent, 0.0, span, pixels)
    away = [abs(math.log2(math.ldexp(1.0, exponent - 8 - each) / (span / pixels))) for each in range(DEEPEST + 1)]
    assert away[z] <= min(away) + 1e-9


def test_no_window_is_too_long_or_too_short() -> None:
    assert nominal_level(1024, -1.7e308, 1.7e308, 256) == -1
    assert nominal_level(-1000, 0.0, 5e-324, 1000) == -1000 - 8 + 1074 + 10
    assert view_level(0, 0.0, 1e300, 1) == 0 and view_level(0, 0.0, 1e-300, 1) == DEEPEST
