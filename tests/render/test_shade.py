"""Pictures of planes, on planes small enough to follow."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bigviz.common.errors import BadInput
from bigviz.document.spec import LayerSpec
from bigviz.render.colormaps import lut
from bigviz.render.shade import Cells, Shading, norm_of, shade, values_of
from bigviz.server.http.shading import read_shading

from . import golden_shades as golden

STYLE = LayerSpec("f0-0", "d", "points", "x", "y", "count", cmap="bgy", how="log", low=1.0, high=None)
GOLDEN = golden.read()
GRAY = Shading("gray", "linear", None, None)
COUNTS, VALUES = Cells("counts"), Cells("null")


def draw(planes: list[np.ndarray], cells: Cells, shading: Shading = GRAY) -> np.ndarray:
    values = values_of(planes, cells)
    return np.asarray(
        Image.open(io.BytesIO(shade(planes, values, norm_of([values], shading), shading))).convert("RGBA")
    )


def test_counts_are_looked_up_and_zero_is_transparent():
    image = draw([np.array([[0, 1], [2, 3]], np.uint32)], COUNTS)
    gray = lut("gray")
    np.testing.assert_array_equal(image[..., 3], [[0, 255], [255, 255]])
    np.testing.assert_array_equal(image[1, 1, :3], gray[255])
    np.testing.assert_array_equal(image[1, 0, :3], gray[128])
    np.testing.assert_array_equal(image[0, 1, :3], gray[0])


def test_other_planes_are_transparent_where_they_hold_nothing():
    nan = draw([np.array([[np.nan, 0.0], [-1.0, 1.0]])], VALUES)
    np.testing.assert_array_equal(nan[..., 3], [[0, 255], [255, 255]])
    masked = np.ma.MaskedArray(np.array([[7, 7], [8, 9]], np.int64), [[True, False], [False, False]])
    np.testing.assert_array_equal(draw([masked], VALUES)[..., 3], [[0, 255], [255, 255]])
    sums = np.ma.MaskedArray(np.array([[0.0, 0.0], [1.0, np.nan]]), [[True, False], [False, False]])
    np.testing.assert_array_equal(draw([sums], VALUES)[..., 3], [[0, 255], [255, 0]])


def test_categories_mix_and_their_sum_is_the_opacity():
    a = np.array([[4, 0], [1, 0]], np.uint32)
    b = np.array([[0, 2], [1, 0]], np.uint32)
    image = draw([a, b], Cells("counts", by=True))
    colours = lut("glasbey_category10").astype(int)
    np.testing.assert_array_equal(image[0, 0, :3], colours[0])
    np.testing.assert_array_equal(image[0, 1, :3], colours[1])
    np.testing.assert_array_equal(image[1, 0, :3], (colours[0] + colours[1]) // 2)
    np.testing.assert_array_equal(image[..., 3], [[255, 40], [40, 0]])


def test_values_of_categories_are_weighed_by_their_size_whatever_their_sign():
    nan = np.nan
    a = np.array([[nan, -1.0, 0.0, 2.0**1023, 2.0]])
    b = np.array([[nan, 3.0, 0.0, 2.0**1023, -2.0]])
    image = draw([a, b], Cells("null", by=True))
    colours = lut("glasbey_category10").astype(int)
    assert image[0, :, 3].tolist() == [0, 255, 40, 255, 40]  # a sum beyond all numbers is not in the range
    np.testing.assert_array_equal(image[0, 1, :3], (colours[0] + 3 * colours[1]) // 4)
    for k in (2, 3, 4):
        np.testing.assert_array_equal(image[0, k, :3], (colours[0] + colours[1]) // 2)


def test_a_single_category_is_one_too():
    image = draw([np.array([[0, 1, 2]], np.uint32)], Cells("counts", by=True))
    assert image[0, :, 3].tolist() == [0, 40, 255]
    np.testing.assert_array_equal(image[0, 1:, :3], lut("glasbey_category10")[[0, 0]])


def test_nothing_at_all_is_a_transparent_picture():
    assert not draw([np.zeros((3, 5), np.uint32)], COUNTS).any()
    assert not draw([np.full((3, 5), np.nan)], VALUES).any()


def test_a_query_changes_the_published_style():
    assert read_shading(STYLE, {}.get) == Shading("bgy", "log", 1.0, None)
    query = {"cmap": "fire", "how": "cbrt", "low": "-2", "high": "3.5"}
    assert read_shading(STYLE, query.get) == Shading("fire", "cbrt", -2.0, 3.5)
    for name, value in (("cmap", "x"), ("how", "x"), ("low", "x"), ("high", "1")):
        with pytest.raises(BadInput) as error:
            read_shading(STYLE, {name: value}.get)
        assert error.value.field in (name, "low")


@pytest.mark.parametrize("case", GOLDEN, ids=[f"{each['how']} of {each['name']}" for each in GOLDEN])
def test_golden_pictures_are_what_the_code_draws(case: dict[str, Any]):
    shading = Shading("fire", case["how"], case["low"], case["high"])
    found = golden.drawn(case["planes"], Cells(**case["cells"]), shading)
    np.testing.assert_allclose(found["fractions"], case["fractions"], rtol=0, atol=1e-12)
    assert found["pixels"] == case["pixels"]
