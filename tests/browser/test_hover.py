"""What the tooltip says is what numpy counts."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from .driver import (
    cell,
    cells,
    figure,
    home,
    home_view,
    hover,
    level,
    moving,
    number,
    open_page,
    pixels,
    plot,
    root,
    tip,
    view,
)
from .served import GAP, Server, Tables


@pytest.mark.parametrize("place", [(0.5, 0.5), (0.37, 0.61), (0.9, 0.12), (0.02, 0.98)])
def test_the_count_under_the_pointer(page: Page, server: Server, tables: Tables, place: tuple[float, float]) -> None:
    open_page(page, f"{server.url}/points/")
    box, shown = plot(page), home_view(tables.x, tables.y)
    x, y = round(box.at(*place)[0]) + 0.5, round(box.at(*place)[1]) + 0.5
    page.mouse.move(x, y)
    told = tip(page)
    at = shown.at((x - box.x) / box.width, (y - box.y) / box.height)
    assert number(told["x"]) == pytest.approx(at[0], abs=2 * shown.width / box.width)
    assert number(told["y"]) == pytest.approx(at[1], abs=2 * shown.height / box.height)
    assert number(told["count"]) == count(tables, at, shown.width / box.width, shown.height / box.height)


def count(tables: Tables, at: tuple[float, float], pixel_x: float, pixel_y: float) -> int:
    """Rows in the cell that holds a place, where cells are nearest to a pixel of this size."""
    inside = np.ones(tables.x.size, bool)
    for values, where, pixel in ((tables.x, at[0], pixel_x), (tables.y, at[1], pixel_y)):
        _, exponent = root(float(values.min()), float(values.max()))
        z = level(exponent, pixel, 1)
        inside &= cells(values, exponent, z) == cell(where, exponent, z)
    return int(inside.sum())


def test_the_count_of_a_large_cell_deep_down(page: Page, server: Server, tables: Tables) -> None:
    open_page(page, f"{server.url}/points/")
    page.mouse.move(*plot(page).middle)
    for _ in range(4):
        with moving(page):
            page.mouse.wheel(0, -260)
    shown, box = view(page), plot(page)
    for place in ((0.5, 0.5), (0.31, 0.72), (0.66, 0.4)):
        x, y = round(box.at(*place)[0]) + 0.5, round(box.at(*place)[1]) + 0.5
        hover(page, x, y)
        at = shown.at((x - box.x) / box.width, (y - box.y) / box.height)
        assert number(tip(page)["count"]) == count(tables, at, shown.width / box.width, shown.height / box.height)


def test_the_tooltip_follows_and_leaves(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    box = plot(page)
    page.mouse.move(*box.at(0.98, 0.98))
    tip(page)
    shown = page.locator(f"{figure()} .tip").bounding_box()
    assert shown
    assert shown["x"] + shown["width"] <= 1000
    assert shown["y"] + shown["height"] <= 700
    page.mouse.move(5, 5)
    expect(page.locator(f"{figure()} .tip")).to_be_hidden()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.95])
def test_a_line_tells_its_real_row(page: Page, server: Server, tables: Tables, share: float) -> None:
    open_page(page, f"{server.url}/walk/")
    box = plot(page)
    page.mouse.move(*box.at(share, 0.5))
    told = tip(page)
    row = int(number(told["row"]))
    low, high = home(0, float(tables.time[-1] - tables.time[0]))
    pixel = (high - low) / box.width
    assert abs((tables.time[row] - tables.time[0]) - (low + share * (high - low))) < 2 * pixel
    assert number(told["value"]) == pytest.approx(tables.walk[row], abs=0.5)
    assert told["time"].startswith(str(np.datetime64(int(tables.time[row]), "ns")).replace("T", " ")[:13])


def test_deep_down_the_line_tells_each_row_exactly(page: Page, server: Server, tables: Tables) -> None:
    row = 70_000
    x0, x1 = int(tables.time[row]) - 150_000_000_000, int(tables.time[row]) + 150_000_000_000
    near = tables.walk[row - 4 : row + 5]
    open_page(page, f"{server.url}/walk/#x0={x0}&x1={x1}&y0={near.min() - 1}&y1={near.max() + 1}")
    box = plot(page)
    for shift in (-2, -1, 0, 1, 2):
        hover(page, *box.at(0.5 + 0.2 * shift, 0.5))
        told = tip(page)
        assert int(number(told["row"])) == row + shift
        assert number(told["value"]) == pytest.approx(tables.walk[row + shift], abs=1e-3)
        assert (
            str(np.datetime64(int(tables.time[row + shift]), "ns"))
            .replace("T", " ")
            .startswith(told["time"].rstrip("0").rstrip("."))
        )


def test_a_gap_is_a_gap(page: Page, server: Server, tables: Tables) -> None:
    open_page(page, f"{server.url}/walk/")
    shown = pixels(page)[..., :3].astype(int)
    # The stroke is far from grey; the grid is not.
    stroke = (shown.max(axis=2) - shown.min(axis=2)) > 60
    low, high = home(0, float(tables.time[-1] - tables.time[0]))
    width = shown.shape[1]
    columns = [(float(tables.time[k] - tables.time[0]) - low) / (high - low) * width for k in (GAP.start, GAP.stop - 1)]
    assert not stroke[:, int(columns[0]) + 3 : int(columns[1]) - 2].any()
    assert stroke.any(axis=0)[int(columns[0]) - 20 : int(columns[0]) - 3].all()
