"""The ground of a plot, by the table that the page's tests read too."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bigviz.render.colormaps import CATEGORICAL, NAMES, lut
from bigviz.render.contrast import PLOT_DARK, PLOT_LIGHT, luminance, seen_on, wants_dark

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "contrast.json").read_text())


def test_the_table_has_every_map():
    assert [each["map"] for each in GOLDEN] == [name for name in NAMES if name not in CATEGORICAL]


@pytest.mark.parametrize("each", GOLDEN, ids=lambda each: each["map"])
def test_luminance_and_ground(each: dict):
    table = lut(each["map"])
    assert [table[0].tolist(), table[-1].tolist()] == [each["low"], each["high"]]
    assert [luminance(each["low"]), luminance(each["high"])] == pytest.approx(each["luminance"], abs=1e-9)
    assert wants_dark(table) == each["dark"]


def test_maps_that_rise_to_light_are_on_dark():
    assert wants_dark(lut("fire")) and wants_dark(lut("viridis")) and not wants_dark(lut("blues"))


@pytest.mark.parametrize("page", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in CATEGORICAL])
def test_the_first_colour_is_seen_on_the_ground(name: str, page: bool):
    table = lut(name)
    dark = wants_dark(table, page)
    shown = seen_on(table, dark)
    low, high = sorted((luminance(shown[0].tolist()), luminance(PLOT_DARK if dark else PLOT_LIGHT)))
    assert (high + 0.05) / (low + 0.05) > 1.38  # a single row among many has this colour
    assert shown[-1].tolist() == table[-1].tolist() and wants_dark(shown, page) == dark


def test_what_is_left_is_stretched_as_in_the_page():
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    at = [0, 1, 128, 255]
    assert seen_on(greys, True)[at, 0].tolist() == [45, 46, 150, 255]  # tests/js/render/contrast.test.js has the same
    assert seen_on(greys[::-1], False)[at, 0].tolist() == [215, 214, 107, 0]
    assert (seen_on(greys[::-1], True) == greys[::-1]).all()
