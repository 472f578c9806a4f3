"""Colour maps."""

from __future__ import annotations

import colorcet
import datashader.colors
import numpy as np
import pytest

from bigviz.common.errors import BadInput
from bigviz.render.colormaps import CATEGORICAL, NAMES, aliases, body, canonical, lut


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


@pytest.mark.parametrize("name", ["viridis", "inferno"])
def test_colours_are_matplotlibs(name: str):
    """datashader has these two as well, each channel rounded in another way."""
    want = np.array(getattr(datashader.colors, name))
    assert np.abs(lut(name).astype(int) - want).max() <= 1


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("viridis", "viridis"), ("Viridis", "viridis"), ("Viridis256", "viridis"), ("cividis", "cividis"),
        ("grey", "gray"), ("linear_kryw_0_100_c71", "fire"), ("CET_L3", "fire"), ("CET_CBL1", "cbl1"),
        ("Blues", "blues"), ("glasbey_bw_minc_20", "glasbey"), ("coolwarm", "coolwarm"),
    ],
)  # fmt: skip
def test_names_of_the_same_colours(name: str, offered: str):
    assert canonical(name) == offered
    np.testing.assert_array_equal(lut(name), lut(offered))


def test_a_page_can_look_names_up_in_lower_case():
    assert all(name == name.casefold() == name.lower() and offered in NAMES for name, offered in aliases().items())
    assert {name: aliases()[name.casefold()] for name in NAMES} == {name: name for name in NAMES}


@pytest.mark.parametrize("name", ["jet", "viridis_r", "", None, 3, ["fire"]])
def test_unknown_names_are_told_the_known_ones(name: object):
    with pytest.raises(BadInput, match="fire, bmy") as error:
        canonical(name)
    assert error.value.field == "cmap"


def test_the_nearest_name_is_told():
    with pytest.raises(BadInput, match="Did you mean 'viridis'"):
        lut("viridris")
