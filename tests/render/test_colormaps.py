"""Colour maps."""

from __future__ import annotations

import colorcet
import numpy as np
import pytest

from bigviz.common.errors import BadInput
from bigviz.render.colormaps import CATEGORICAL, NAMES, body, lut


def test_colour_maps_are_256_colours_each_in_the_order_of_the_names():
    data = np.frombuffer(body(), np.uint8).reshape(len(NAMES), 256, 3)
    for at, name in enumerate(NAMES):
        np.testing.assert_array_equal(data[at], lut(name))
    assert NAMES[0] == "fire" and NAMES[-len(CATEGORICAL) :] == CATEGORICAL and len(set(NAMES)) == len(NAMES)
    np.testing.assert_array_equal(lut("fire")[[0, -1]], [[0, 0, 0], [255, 255, 255]])
    with pytest.raises(ValueError, match="read-only"):
        lut("fire")[0] = 1


@pytest.mark.parametrize("name", ["fire", "gray", "glasbey"])
def test_colours_are_colorcets(name: str):
    assert ["#" + rgb.tobytes().hex() for rgb in lut(name)] == [colour.lower() for colour in colorcet.palette[name]]


def test_unknown_names_are_told_the_known_ones():
    with pytest.raises(BadInput, match="fire, bmy") as error:
        lut("viridis")
    assert error.value.field == "cmap"
