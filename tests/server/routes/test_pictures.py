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


def test_twice_the_pixels_are_the_tiles_of_the_next_level(served: Running):
    for document in ("points", "by"):
        base = f"/{document}/layers/0/tiles"
        double = pixels(served.get(f"{base}/1/0/1@2x.png").body)
        assert double.shape == (512, 512, 4) and double[..., 3].any()
        for i in (0, 1):
            for j in (0, 1):
                single = pixels(served.get(f"{base}/2/{i}/{2 + j}.png").body)
                np.testing.assert_array_equal(double[256 * j : 256 * (j + 1), 256 * i : 256 * (i + 1)], single)


def test_a_deep_picture_reads_no_level_above(documents):
    engine = Gated()
    with running(documents[:1], engine) as server:
        assert server.get(f"{L}/tiles/18/90000/90000.png").status == 200 and len(engine.computed) == 1
        for how in ("linear", "log", "cbrt"):
            assert server.get(f"{L}/tiles/2/1/1.png?how={how}&low=1&high=7").status == 200
        assert len(engine.computed) == 4, "nor any tile but its own between given ends"


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
