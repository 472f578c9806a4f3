"""Colours: every pixel equals what numpy and colorcet give, and no change of style asks the server for anything."""

from __future__ import annotations

import itertools

import colorcet
import numpy as np
import pytest
from playwright.sync_api import Page

from bigviz.render.contrast import seen_on

from .driver import (
    cells,
    choose,
    count_messages,
    level,
    number,
    open_page,
    pixels,
    plot,
    rest,
    root,
    settle,
    tip,
    until,
)
from .served import LABELS, Server, Tables

LUT = {
    name: np.array([[int(c[k : k + 2], 16) for k in (1, 3, 5)] for c in colorcet.palette[name]], np.int64)
    for name in ("fire", "bmy")
}
HOWS = ("linear", "log", "cbrt", "eq_hist")


def one_to_one(page: Page, server: Server, tables: Tables, extra: str = "") -> np.ndarray:
    """Opens a view in which each cell is one device pixel: the counts of its pixels, row 0 on top."""
    open_page(page, f"{server.url}/points/#{extra}")
    _, exponent_x = root(float(tables.x.min()), float(tables.x.max()))
    _, exponent_y = root(float(tables.y.min()), float(tables.y.max()))
    assert exponent_x == exponent_y
    z = 2
    size = 2.0 ** (exponent_x - 8 - z)
    for _ in range(2):  # the labels of the first view may move the plot's left edge
        width, height = pixels(page).shape[1::-1]
        x0, y0 = -size * (width // 2), -size * (height // 2)
        page.evaluate(
            "h => { location.hash = h; }", f"x0={x0}&x1={x0 + size * width}&y0={y0}&y1={y0 + size * height}&{extra}"
        )
        settle(page)
        rest(page)
    assert level(exponent_x, size * width, width) == z
    columns = cells(tables.x, exponent_x, z) - round(x0 / size)
    rows = height - 1 - (cells(tables.y, exponent_y, z) - round(y0 / size))
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    place = (rows * width + columns)[inside]
    return np.bincount(place, minlength=width * height).reshape(height, width)


def shares(values: np.ndarray, how: str, low: float | None = None, high: float | None = None) -> np.ndarray:
    """Where each filled cell lies along the colour map, by the formulas that datashader uses."""
    filled = values[values > 0].astype(np.float64)
    low, high = filled.min() if low is None else low, filled.max() if high is None else high
    cut = values.clip(low, high)
    if how == "eq_hist":
        inside = np.sort(filled[(filled >= low) & (filled <= high)])
        below = np.searchsorted(inside, low, "right")
        share = (np.searchsorted(inside, cut, "right") - below) / (inside.size - below)
        multiple = max(1.0, 1.5 - 0.5 / 98 * (np.unique(inside).size - 2))  # datashader's rescale_discrete_levels
        lift = min(below / inside.size, 1 - 1 / multiple)
        return lift + (1 - lift) * share
    forward = {"linear": lambda d: d, "log": np.log1p, "cbrt": np.cbrt}[how]
    return forward(cut - low) / forward(high - low)


def assert_colours(got: np.ndarray, counts: np.ndarray, where: np.ndarray, lut: np.ndarray) -> None:
    """Each filled pixel has the colour of its share, at most a step of the map off; empty ones have the ground's."""
    assert (got[..., 3] == 255).all()
    ground = got[counts == 0][:, :3]
    assert (ground == ground[0]).all()
    filled = counts > 0
    step = np.floor(where[filled] * 255 + 0.5).astype(int)
    off = [np.abs(lut[(step + d).clip(0, 255)] - got[filled][:, :3]).max(axis=1) for d in (-1, 0, 1)]
    assert np.min(off, axis=0).max() <= 1


@pytest.mark.parametrize("how", HOWS)
def test_every_pixel_has_its_colour(page: Page, server: Server, tables: Tables, how: str) -> None:
    counts = one_to_one(page, server, tables, f"how={how}&cmap=bmy")
    assert counts.sum() > 50_000
    assert_colours(pixels(page), counts, shares(counts, how), seen_on(LUT["bmy"], True))


@pytest.mark.parametrize("how", HOWS)
def test_clipping_cuts_the_colours(page: Page, server: Server, tables: Tables, how: str) -> None:
    counts = one_to_one(page, server, tables, f"how={how}&cmap=bmy&low=2&high=9")
    assert_colours(pixels(page), counts, shares(counts, how, 2, 9), seen_on(LUT["bmy"], True))


def test_restyling_sends_nothing_and_takes_one_frame(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    seen = [pixels(page)]
    with count_messages(page) as sent:
        for name, value in (("cmap", "bmy"), ("how", "log"), ("how", "linear"), ("how", "cbrt")):
            choose(page, name, value)
            settle(page)
            seen.append(pixels(page))
        page.locator('[data-act="clip"]').click()
        page.locator('[name="high"]').fill("3")
        settle(page)
        seen.append(pixels(page))
        page.locator('[data-clip="middle"]').click()
        settle(page)
        seen.append(pixels(page))
        in_one_frame = [page.evaluate("name => probe.restyle(name)", name) for name in ("fire", "kbc", "bmy", "fire")]
        assert sent() == 0
    assert all((a != b).any() for a, b in itertools.pairwise(seen))
    fire, *others, again = in_one_frame
    assert again == fire
    assert len({fire, *others}) == 3


def test_the_colour_bar_inverts_to_values(page: Page, server: Server, tables: Tables) -> None:
    counts = one_to_one(page, server, tables, "how=cbrt")
    low, high = counts[counts > 0].min(), counts.max()
    box = plot(page)
    # The bar: 22 px below the plot's top, 18 px to its right.
    length = min(box.height - 22, 340)
    for share in (0.25, 0.5, 0.9):
        page.mouse.move(box.x + box.width + 24, box.y + 22 + length * (1 - share))
        told = number(tip(page)["count"])
        wanted = low + (share * np.cbrt(high - low)) ** 3
        assert told == pytest.approx(wanted, abs=1 + 0.03 * wanted)


def test_a_drag_along_the_colour_bar_clips(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/#how=linear")
    box = plot(page)
    length = min(box.height - 22, 340)
    before = pixels(page)
    page.mouse.move(box.x + box.width + 24, box.y + 22 + length * 0.8)
    page.mouse.down()
    page.mouse.move(box.x + box.width + 24, box.y + 22 + length * 0.4, steps=4)
    page.mouse.up()
    until(page, "() => location.hash.includes('low=') && location.hash.includes('high=')")
    assert (pixels(page) != before).any()
    assert "x0" not in page.url
    page.mouse.dblclick(box.x + box.width + 24, box.y + 22 + length * 0.5)
    until(page, "() => !location.hash.includes('low=')")
    settle(page)
    assert (pixels(page) == before).all()


def test_categories_mix_and_have_a_legend(page: Page, server: Server, tables: Tables) -> None:
    open_page(page, f"{server.url}/points/#agg=by(kind)")
    page.mouse.move(*plot(page).middle)
    told = tip(page)
    total = number(told["all"])
    assert total == sum(number(told[label]) for label in LABELS if label in told)
    assert total > 5
    shown = pixels(page)
    colours = np.unique(shown.reshape(-1, 4), axis=0)
    assert len(colours) > 50
    choose(page, "agg", "count")
    settle(page)
    page.mouse.move(*plot(page).at(0.5, 0.52))
    page.mouse.move(*plot(page).middle)
    assert number(tip(page)["count"]) == pytest.approx(total, rel=0.5)


def test_all_is_the_reduction_over_all_categories_or_not_told(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/#agg=by(kind,max(value))")
    page.mouse.move(*plot(page).middle)
    told = tip(page)
    values = [number(told[label]) for label in LABELS if label in told]
    assert len(values) > 1 and number(told["all"]) == max(values)
    page.goto("about:blank")  # else only the hash would change, and the page be ready already
    open_page(page, f"{server.url}/points/#agg=by(kind,mean(value))")
    page.mouse.move(*plot(page).middle)
    told = tip(page)
    assert any(label in told for label in LABELS) and "all" not in told


def test_means_are_coloured_by_the_mean(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/#agg=mean(value)&how=linear&cmap=bmy")
    box, shown = plot(page), pixels(page)
    # The mean is ten times x: colours rise from the left to the right of the cloud.
    row = shown[shown.shape[0] // 2 - 40 : shown.shape[0] // 2 + 40]
    left, right = (row[:, int(f * shown.shape[1]), :3].astype(int).sum(axis=1).mean() for f in (0.42, 0.58))
    assert left < right
    page.mouse.move(*box.at(0.6, 0.5))
    told = tip(page)
    assert number(told["mean(value)"]) == pytest.approx(10 * number(told["x"]), abs=4)
