"""The ground of a plot, by the table that the page's tests read too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bigviz.render.colormaps import CATEGORICAL, NAMES, lut
from bigviz.render.contrast import luminance, wants_dark

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
