"""Texts of pictures: one line each, whatever is in them."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.export.png.chrome.canvas import Canvas

FONT = (15.0, True)


def written(text: str) -> np.ndarray:
    canvas = Canvas(np.full((40, 200, 3), 255, np.uint8), 1.0)
    canvas.text(text, 4, 24, FONT, (0, 0, 0))
    return canvas.pixels


@pytest.mark.parametrize(
    "end", ["\n", "\r", "\t", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\u2028", "\u2029"]
)
def test_what_breaks_lines_is_a_space(end: str) -> None:
    assert Canvas.width_of(f"Two{end}lines", FONT) == Canvas.width_of("Two lines", FONT)
    assert np.array_equal(written(f"Two{end}lines"), written("Two lines"))


@pytest.mark.parametrize(
    "text", ["\0", "\u202e", "\ufffe", "\U0010ffff", "a\u202eb\u2029c", "\u05d0\u200f", "</script>"]
)
def test_any_other_text_is_written(text: str) -> None:
    assert written(text).shape == (40, 200, 3) and Canvas.width_of(text, FONT) >= 0
