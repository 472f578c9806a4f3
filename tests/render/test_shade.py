"""Pictures of planes, on planes small enough to follow."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bigviz.common.errors import BadInput
from bigviz.document.spec import LayerSpec
from bigviz.render.colormaps import lut
from bigviz.render.shade import Shading, norm_of, shade, values_of
from bigviz.server.http.shading import read_shading

STYLE = LayerSpec("f0-0", "d", "points", "x", "y", "count", cmap="bgy", how="log", low=1.0, high=None)
GRAY = Shading("gray", "linear", None, None)


def draw(planes: list[np.ndarray], zero: bool, shading: Shading = GRAY) -> np.ndarray:
    values = values_of(planes, zero)
    return np.asarray(Image.open(io.BytesIO(shade(planes, values, norm_of([values], shading), shading))))


def test_counts_are_looked_up_and_zero_is_transparent():
    image = draw([np.array([[0, 1], [2, 3]], np.uint32)], True)
    gray = lut("gray")
    np.testing.assert_array_equal(image[..., 3], [[0, 255], [255, 255]])
    np.testing.assert_array_equal(image[1, 1, :3], gray[255])
    np.testing.assert_array_equal(image[1, 0, :3], gray[128])
    np.testing.assert_array_equal(image[0, 1, :3], gray[0])


def test_other_planes_are_transparent_where_they_hold_nothing():
    nan = draw([np.array([[np.nan, 0.0], [-1.0, 1.0]])], False)
    np.testing.assert_array_equal(nan[..., 3], [[0, 255], [255, 255]])
    masked = np.ma.MaskedArray(np.array([[7, 7], [8, 9]], np.int64), [[True, False], [False, False]])
    np.testing.assert_array_equal(draw([masked], False)[..., 3], [[0, 255], [255, 255]])


def test_categories_mix_and_their_sum_is_the_opacity():
    a = np.array([[4, 0], [1, 0]], np.uint32)
    b = np.array([[0, 2], [1, 0]], np.uint32)
    image = draw([a, b], True)
    colours = lut("glasbey").astype(int)
    np.testing.assert_array_equal(image[0, 0, :3], colours[0])
    np.testing.assert_array_equal(image[0, 1, :3], colours[1])
    np.testing.assert_array_equal(image[1, 0, :3], (colours[0] + colours[1]) // 2)
    np.testing.assert_array_equal(image[..., 3], [[255, 40], [40, 0]])


def test_nothing_at_all_is_a_transparent_picture():
    assert not draw([np.zeros((3, 5), np.uint32)], True).any()
    assert not draw([np.full((3, 5), np.nan)], False).any()


def test_a_query_changes_the_published_style():
    assert read_shading(STYLE, {}.get) == Shading("bgy", "log", 1.0, None)
    query = {"cmap": "fire", "how": "cbrt", "low": "-2", "high": "3.5"}
    assert read_shading(STYLE, query.get) == Shading("fire", "cbrt", -2.0, 3.5)
    for name, value in (("cmap", "x"), ("how", "x"), ("low", "x"), ("high", "1")):
        with pytest.raises(BadInput) as error:
            read_shading(STYLE, {name: value}.get)
        assert error.value.field in (name, "low")
