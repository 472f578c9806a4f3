"""Windows and their tiles, against the page's rule spelled out."""

from __future__ import annotations

import math

import numpy as np

from bigviz.commands.bench.window import Window, tiles


def test_tiles_cover_the_window_and_nothing_beyond() -> None:
    rng = np.random.default_rng(6)
    x, y = (-4.0, 3), (0.0, 2)
    for _ in range(100):
        x0, y0 = float(rng.uniform(-5, 3)), float(rng.uniform(-1, 3))
        window = Window(x0, x0 + float(rng.uniform(1e-3, 4)), y0, y0 + float(rng.uniform(1e-3, 4)), 800, 500)
        found = tiles(window, x, y)
        assert len({(zx, zy) for zx, zy, _, _ in found}) <= 1
        for zx, zy, i, j in found:
            assert 0 <= i < 1 << zx and 0 <= j < 1 << zy
            left, top = -4.0 + i * 8 / (1 << zx), 4.0 - j * 4 / (1 << zy)
            assert left < window.x1 and left + 8 / (1 << zx) > window.x0
            assert top > window.y0 and top - 4 / (1 << zy) < window.y1
        inside = window.x0 >= -4 and window.x1 <= 4 and window.y0 >= 0 and window.y1 <= 4
        if inside:
            zx, zy = found[0][:2]
            wide = math.ceil((window.x1 + 4) * (1 << zx) / 8) - math.floor((window.x0 + 4) * (1 << zx) / 8)
            high = math.ceil(window.y1 * (1 << zy) / 4) - math.floor(window.y0 * (1 << zy) / 4)
            assert len(found) == wide * high


def test_a_window_keeps_the_point_that_it_is_scaled_about() -> None:
    window = Window(0.0, 8.0, 0.0, 4.0).scaled(0.5, 2.0, 1.0)
    assert (window.x0, window.x1, window.y0, window.y1) == (1.0, 5.0, 0.5, 2.5)
    moved = window.moved(0.25, -0.5)
    assert (moved.x0, moved.x1, moved.y0, moved.y1) == (2.0, 6.0, -0.5, 1.5)
