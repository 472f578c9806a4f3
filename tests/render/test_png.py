"""PNG files, read by another reader."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from bigviz.render.colormaps import lut
from bigviz.render.png import indexed_png, png
from bigviz.render.shade import Cells, Shading, coloured, norm_of, shade, values_of

FIRE = Shading("fire", "linear", 0.0, 255.0)


def read(body: bytes) -> tuple[str, np.ndarray]:
    """The colour type, and the RGBA pixels."""
    image = Image.open(io.BytesIO(body))
    return image.mode, np.asarray(image.convert("RGBA"))


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (256, 256)])
@pytest.mark.parametrize("clear", [None, 0, 5, 255])
def test_pixels_are_those_of_the_palette(shape: tuple[int, int], clear: int | None) -> None:
    places = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    if clear is not None:
        places[0, 0] = clear
    wanted = np.dstack([lut("fire")[places], np.full(shape, 255, np.uint8)])
    wanted[places == (-1 if clear is None else clear)] = 0
    mode, found = read(indexed_png(places, lut("fire"), clear))
    assert mode == "P"
    np.testing.assert_array_equal(found, wanted)
    np.testing.assert_array_equal(read(png(wanted))[1], wanted)


@pytest.mark.parametrize("dtype", [np.uint32, np.int16, np.int64])
@pytest.mark.parametrize(("values", "mode"), [(255, "P"), (256, "RGBA")])
def test_a_palette_holds_256_colours_with_the_transparent_one(dtype: type, values: int, mode: str) -> None:
    """255 values and empty cells have a palette, 256 and empty cells have none; both are the same pixels."""
    numbers = np.vstack([np.tile(np.arange(256 - values, 256), (4, 1)), np.zeros((1, values))]).astype(dtype)
    planes = [np.ma.masked_array(numbers, np.arange(5)[:, None] * np.ones(values) == 4)]
    found = values_of(planes, Cells("null"))
    norm = norm_of([found], FIRE)
    got, pixels = read(shade(planes, found, norm, FIRE))
    np.testing.assert_array_equal(pixels, coloured(planes, found, norm, FIRE))
    assert got == mode and (pixels[4] == 0).all() and (pixels[:4, :, 3] == 255).all()
