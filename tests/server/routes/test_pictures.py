"""Tiles and images as PNG."""

from __future__ import annotations

import numpy as np
import pytest

from bigviz.render.colormaps import lut

from ..running import Gated, Running, running
from .answers import WINDOW, L, failure, npy, pixels


def test_pictures_are_transparent_where_nothing_is(served: Running):
    counts = npy(served.get(f"{L}/tiles/1/0/1.npy").body)
    image = pixels(served.get(f"{L}/tiles/1/0/1.png").body)
    assert image.shape == (256, 256, 4) and ((image[..., 3] == 255) == (counts > 0)).all()


@pytest.mark.parametrize("how", ["linear", "log", "cbrt", "eq_hist"])
def test_pictures_of_neighbours_join(served: Running, how):
    """One count has one colour over all tiles of a level."""
    colours: dict[int, set] = {}
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        counts = npy(served.get(f"{L}/tiles/1/{i}/{j}.npy").body).ravel()
        image = pixels(served.get(f"{L}/tiles/1/{i}/{j}.png?how={how}&cmap=gray").body).reshape(-1, 4)
        for count in np.unique(counts):
            colours.setdefault(int(count), set()).update(map(tuple, image[counts == count]))
    assert all(len(each) == 1 for each in colours.values())
    levels = [next(iter(colours[count]))[0] for count in sorted(colours) if count]
    assert levels == sorted(levels) and levels[-1] == lut("gray")[-1, 0]
    assert how == "eq_hist" or levels[0] == lut("gray")[0, 0]


def test_a_deep_picture_of_a_line_draws_one_tile(documents):
    """A line's cells are ones: no other tile of the level has a say in its colours."""
    engine = Gated()
    with running(documents[2:3], engine) as server:
        answer = server.get("/line/layers/0/tiles/24/9/9.png")
        assert answer.status == 200 and len(engine.computed) == 1


def test_pictures_between_given_ends(served: Running):
    counts = npy(served.get(f"{L}/tiles/0/0/0.npy").body)
    image = pixels(served.get(f"{L}/tiles/0/0/0.png?how=linear&cmap=gray&low=0&high=10").body)
    places = np.floor(np.minimum(counts, 10) / 10 * 255 + 0.5).astype(int)
    np.testing.assert_array_equal(image[counts > 0][:, :3], lut("gray")[places][counts > 0])


def test_pictures_of_windows_lines_and_categories(served: Running):
    image = pixels(served.get(f"{L}/image.png?{WINDOW}&width=30&height=20").body)
    assert image.shape == (20, 30, 4) and image[..., 3].any()
    line = pixels(served.get("/line/layers/0/tiles/0/0/0.png").body)
    assert line[..., 3].any() and not line[..., 3].all()
    by = pixels(served.get("/by/layers/0/tiles/0/0/0.png").body)
    assert len(np.unique(by[by[..., 3] > 0][:, 3])) > 3, "the sum decides the opacity"


@pytest.mark.parametrize(
    ("query", "field"),
    [("cmap=nope", "cmap"), ("how=sqrt", "how"), ("low=nan", "low"), ("high=1e999", "high"), ("low=5&high=5", "low")],
)
def test_pictures_that_cannot_be(served: Running, query, field):
    assert failure(served, f"{L}/tiles/0/0/0.png?{query}", 400)["field"] == field
