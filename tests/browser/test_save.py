"""The saved image: size, data, axes and colour bar."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from .driver import figure, open_page, pixels, plot, settle
from .served import Server


def saved(page: Page, key: str, folder: Path) -> tuple[str, np.ndarray]:
    """Name and RGB of the PNG that a key saves."""
    page.locator(f"{figure()} .surface").focus()
    with page.expect_download() as download:
        page.keyboard.press(key)
    path = folder / "saved.png"
    download.value.save_as(path)
    return download.value.suggested_filename, np.asarray(Image.open(path).convert("RGB")).astype(int)


@pytest.mark.parametrize(("key", "scale", "name"), [("s", 1, "points.png"), ("Shift+S", 2, "points@2x.png")])
def test_points_at_both_sizes(page: Page, server: Server, tmp_path: Path, key: str, scale: int, name: str) -> None:
    open_page(page, f"{server.url}/points/#x0=-2&x1=2&y0=-2&y1=2&cmap=bmy")
    box, shown = plot(page), pixels(page)[..., :3].astype(int)
    surface = page.locator(f"{figure()} .surface").bounding_box()
    assert surface
    got_name, image = saved(page, key, tmp_path)
    assert got_name == name
    title = 40
    assert image.shape == (round((surface["height"] + title) * scale), round(surface["width"] * scale), 3)
    top, left = round((box.y - surface["y"] + title) * scale), round((box.x - surface["x"]) * scale)
    data = image[top : top + round(box.height * scale), left : left + round(box.width * scale)]
    if scale == 1:
        assert (data == shown).all()
    else:
        # Drawn from finer cells, not enlarged.
        assert (data[::2, ::2] != data[1::2, 1::2]).any(axis=2).mean() > 0.05
    # Tick labels left of the plot, the title above, the colours of the bar to the right.
    paper = image[0, 0]
    assert (image[top:-60, 4 : left - 6] != paper).any()
    assert (image[: title * scale, : 200 * scale] != paper).any()
    bar = image[
        top + 40 * scale : top + 200 * scale, left + data.shape[1] + 18 * scale : left + data.shape[1] + 30 * scale
    ]
    assert len(np.unique(bar.reshape(-1, 3), axis=0)) > 40
    settle(page)
    assert (pixels(page)[..., :3] == shown).all()


@pytest.mark.parametrize("key", ["s", "Shift+S"])
def test_a_line(page: Page, server: Server, tmp_path: Path, key: str) -> None:
    open_page(page, f"{server.url}/walk/")
    shown = pixels(page)
    name, image = saved(page, key, tmp_path)
    assert name.startswith("walk")
    stroke = (image.max(axis=2) - image.min(axis=2)) > 60
    assert stroke.any(axis=0).mean() > 0.8
    settle(page)
    assert (pixels(page) == shown).all()


def test_the_menu_saves_too(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    page.get_by_role("button", name="Save as an image").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="PNG, twice the size").click()
    assert download.value.suggested_filename == "points@2x.png"
