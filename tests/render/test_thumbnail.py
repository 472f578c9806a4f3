"""Pixels over pixels, grown pixels and drawn lines."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from bigviz.render.contrast import PLOT_DARK, luminance
from bigviz.render.thumbnail import ACCENTS, grown, line_pixels, over

RNG = np.random.default_rng(7)


def test_over_is_pillows():
    below, above = (RNG.integers(0, 256, (9, 11, 4), dtype=np.uint8) for _ in range(2))
    want = np.asarray(Image.alpha_composite(Image.fromarray(below), Image.fromarray(above)))
    seen = want[..., 3] > 0
    assert np.abs(over(below, above)[seen].astype(int) - want[seen]).max() <= 1


def test_each_pixel_becomes_a_disc_of_its_own_colour():
    pixels = np.zeros((9, 9, 4), np.uint8)
    pixels[4, 2] = (255, 0, 0, 255)
    pixels[4, 6] = (0, 0, 255, 255)
    pixels[0, 8] = (0, 255, 0, 255)
    out = grown(pixels, 2)
    assert (out[pixels[..., 3] > 0] == pixels[pixels[..., 3] > 0]).all(), "what was there stays"
    away = np.hypot(*np.mgrid[-4:5, -2:7])
    assert (out[away <= 2, 3][out[away <= 2, 0] > 0] == 255).all() and (out[away > 2.5, 0] == 0).all()
    assert out[4, 3].tolist() == out[3, 2].tolist() == [255, 0, 0, 255] and out[4, 5].tolist() == [0, 0, 255, 255]
    assert out[1, 7].tolist() == [0, 255, 0, 255] and out[8, 8, 3] == 0
    assert (grown(pixels, 0) == pixels).all()


def test_a_line_joins_the_positions_of_one_run():
    x, y = np.array([2.0, 30.0, 40.0, 60.0, 75.0]), np.array([10.0, 10.0, 10.0, 30.0, 5.0])
    out = line_pixels(x, y, np.array([0, 0, 1, 1, 2]), (80, 40), (10, 20, 30, 255))
    assert out.shape == (40, 80, 4) and (out[..., :3] == (10, 20, 30)).all()
    ink = out[..., 3]
    assert (ink[8:12, 4:28].max(axis=0) > 200).all(), "the first run"
    assert (ink[:, 33:38] == 0).all(), "the gap"
    assert ink[18:22, 48:52].max() > 200 and ink[5, 75] > 200, "a slope, and a dot"


@pytest.mark.parametrize("colour", ACCENTS)
def test_accents_show_on_both_grounds(colour: tuple[int, int, int, int]):
    own = luminance(colour[:3])
    for ground in (luminance((255, 255, 255)), luminance(PLOT_DARK)):
        assert (max(own, ground) + 0.05) / (min(own, ground) + 0.05) > 2.4
