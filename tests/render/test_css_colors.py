"""CSS colours, read as a browser reads them."""

from __future__ import annotations

import pytest

from bigviz.common.errors import BadInput
from bigviz.render.css_colors import rgba


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("#d33", (221, 51, 51, 255)),
        ("#D33f", (221, 51, 51, 255)),
        ("#d338", (221, 51, 51, 136)),
        ("#dd3333", (221, 51, 51, 255)),
        ("#dd333380", (221, 51, 51, 128)),
        ("SteelBlue", (70, 130, 180, 255)),
        ("rebeccapurple", (102, 51, 153, 255)),
        ("grey", (128, 128, 128, 255)),
        ("transparent", (0, 0, 0, 0)),
        ("rgb(70, 130, 180)", (70, 130, 180, 255)),
        ("rgb(70 130 180 / 50%)", (70, 130, 180, 128)),
        ("RGBA(70,130,180,.5)", (70, 130, 180, 128)),
        ("rgb(100% 0% 50%)", (255, 0, 128, 255)),
        ("rgb(300 -5 12.6)", (255, 0, 13, 255)),
        ("hsl(0 100% 50%)", (255, 0, 0, 255)),
        ("hsl(120deg, 100%, 25%)", (0, 128, 0, 255)),
        ("hsla(-120, 100%, 50%, 25%)", (0, 0, 255, 64)),
        (" white ", (255, 255, 255, 255)),
    ],
)
def test_colours(text: str, channels: tuple[int, int, int, int]):
    assert rgba(text) == channels


@pytest.mark.parametrize(
    "text",
    ["", "#12", "#12345", "#ggg", "no colour", "rgb(1,2)", "rgb(1 2 3 4)", "rgb(1% 2 3)", "rgb(1, 2 3)", "hsl(0 0 0)",
     "hsl(10% 10% 10%)", "url(x)", "red;", "var(--x)", "rgb(nan 0 0)", "#d33" * 100, None, 3, ["red"]],
)  # fmt: skip
def test_what_is_no_colour(text: object):
    with pytest.raises(BadInput, match="is a CSS colour, such as #d33") as error:
        rgba(text, "layer.color")
    assert error.value.field == "layer.color"


def test_the_nearest_name_is_told():
    with pytest.raises(BadInput, match="Did you mean 'steelblue'"):
        rgba("steelbleu")
