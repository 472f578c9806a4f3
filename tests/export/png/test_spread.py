"""How far the pixels of sparse pictures are spread; tests/js/render/spread.test.js has the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.export.png.data.spread import spread


@pytest.mark.parametrize(("filled", "reach"), [(1, 2), (23, 2), (24, 1), (100, 1), (101, 0), (1250, 0)])
def test_few_pixels_are_spread_even_where_they_lie_side_by_side(filled: int, reach: int):
    held = np.zeros((100, 100), np.bool_)
    held.ravel()[5000 : 5000 + filled] = True
    pixels = np.where(held[..., None], np.uint8(255), np.uint8(0)).repeat(4, axis=2)
    out = spread(pixels, held.astype(np.float64), held, 1.0)
    rows = np.flatnonzero(out[..., 3].any(axis=1))
    assert (rows[0], rows[-1]) == (50 - reach, 50 + (filled - 1) // 100 + reach)
    assert (out[held] == 255).all()
