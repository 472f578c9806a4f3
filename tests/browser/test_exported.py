"""Pages in one file, opened from the disk: they draw what the server's page draws, and fetch nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

import bigviz as bv
from bigviz.commands.export.html import write_pages
from bigviz.document.document import document

from ..patience import PATIENCE
from .conftest import HERE
from .driver import figure, frames, hover, moving, number, open_page, pixels, plot, settle, tip, view
from .served import Server, Tables
from .test_save import saved

Opened = Callable[[Path, str], Page]


@pytest.fixture
def open_file(context: BrowserContext) -> Iterator[Opened]:
    """Opens a file and waits until it is drawn; no request but for the file itself, and no error, may come of it."""
    page = context.new_page()
    page.add_init_script(path=HERE / "probes.js")
    page.set_default_timeout(PATIENCE * 1_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(f"uncaught: {error}"))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    page.on("websocket", lambda socket: wrong.append(socket.url))
    files: list[str] = []
    page.on("request", lambda request: files.append(request.url))

    def opened(path: Path, hash: str = "") -> Page:
        open_page(page, f"{path.as_uri()}{hash}")
        return page

    yield opened
    own = page.url.partition("#")[0]
    assert wrong == [] and {url.partition("#")[0] for url in files if not url.startswith(("data:", "blob:"))} == {own}


@pytest.fixture(scope="module")
def app_file(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document of app.py: linked points and categories, and points and a line over times."""
    points, walk = bv.open(str(files / "points.parquet")), bv.open(str(files / "walk.parquet"))
    every = bv.figure(title="Every point").points(points, "x", "y")
    kinds = bv.figure(title="By kind", x_range=every.x_range, y_range=every.y_range)
    kinds.points(points, "x", "y", "by(kind)")
    both = bv.figure(title="Walk").points(walk, "time", "value", cmap="blues")
    both.line(walk, "time", "value", color="#c2410c")
    made = bv.document(bv.column(bv.row(every, kinds), both), title="Three figures", id="app")
    return exported(made, tmp_path_factory.mktemp("exported"), depth=4)


def exported(made: object, folder: Path, depth: int | None = None) -> Path:
    path = folder / "out.html"
    assert write_pages([document(made)], path, depth, None, None, folder / "stores") == 0  # type: ignore[arg-type]
    return path


def plain(page: Page) -> np.ndarray:
    """Pixels without the form, of which a file has less."""
    page.add_style_tag(content="form.pickers { display: none !important }")
    frames(page)
    settle(page)
    return pixels(page)


VIEWS = ["", "#x0=-1&x1=1&y0=-1.2&y1=0.9&x0.1=-1&x1.1=1&y0.1=-1.2&y1.1=0.9", "#x0=-2.9&x1=2.9&y0=-0.25&y1=0.25"]


@pytest.mark.parametrize("hash", VIEWS)
def test_each_pixel_is_the_server_s(page: Page, app: Server, open_file: Opened, app_file: Path, hash: str) -> None:
    """Three figures, at home and inside; also where the levels of x and y differ by two. (Where a server has few enough
    rows in view it draws each.)"""
    open_page(page, f"{app.url}/app/{hash}")
    offline = open_file(app_file, hash)
    for each in range(3):
        settle(page, each)
        settle(offline, each)
        ours, theirs = pixels(offline, each), pixels(page, each)
        assert ours.shape == theirs.shape
        unlike = (ours != theirs).any(axis=2).mean()
        assert unlike == 0 if each < 2 else unlike < 0.03, "a part of a line's rows draws it within a pixel"
        assert len(np.unique(ours.reshape(-1, 4), axis=0)) > 3
    expect(offline.locator(f"{figure()} .status-line")).to_have_text("exact")
    expect(offline.locator(f"{figure(2)} .status-line")).to_have_text("exact within a pixel")


def test_it_moves_tells_and_recolours(open_file: Opened, app_file: Path, tables: Tables, tmp_path: Path) -> None:
    page = open_file(app_file, "")
    box = plot(page)
    page.mouse.move(*box.middle)
    with moving(page):
        page.mouse.wheel(0, -400)
    with moving(page):
        page.mouse.down()
        page.mouse.move(box.middle[0] + 60, box.middle[1], steps=4)
        page.mouse.up()
    shown = view(page)
    assert shown.width < 5 and view(page, 1) == shown
    hover(page, *box.middle)
    told = tip(page)
    at = shown.at(0.5, 0.5)
    assert number(told["x"]) == pytest.approx(at[0], abs=2 * shown.width / box.width)
    assert number(told["count"]) >= 0
    before = pixels(page)
    page.locator(f'{figure()} [data-act="settings"]').click()
    page.locator(f'{figure()} select[name="cmap"]').select_option("viridis")
    frames(page)
    recoloured = pixels(page)
    page.locator(f'{figure()} select[name="how"]').select_option("log")
    frames(page)
    assert (before != recoloured).any() and (recoloured != pixels(page)).any()
    name, image = saved(page, "s", tmp_path)
    assert name.endswith(".png") and image.size


def test_only_what_is_inside_is_offered(open_file: Opened, app_file: Path) -> None:
    page = open_file(app_file, "#agg=mean(value)")
    expect(page.locator(".toast")).to_contain_text("no other columns")
    page.locator(f'{figure()} [data-act="settings"]').click()
    form = page.locator(f"{figure()} form")
    for name in ("x", "y", "agg", "glyph"):
        expect(form.locator(f'[name="{name}"]')).to_be_hidden()
    expect(form.locator('[data-for="cmap"]')).to_be_visible()
    expect(page.locator(".brand")).to_be_hidden()


def test_beyond_its_depth_it_says_so(open_file: Opened, app_file: Path, tables: Tables) -> None:
    page = open_file(app_file, "#x0=0.1&x1=0.101&y0=0.1&y1=0.101")
    status = page.locator(f"{figure()} .status-line")
    expect(status).to_contain_text("as deep as this file goes")
    cells = pixels(page)
    assert (cells[1:] == cells[:-1]).all(axis=(1, 2)).mean() > 0.9, "cells are magnified"
    hover(page, *plot(page).middle)
    assert "count" in tip(page)
    page.locator(f"{figure()} .surface").focus()
    with moving(page):
        page.keyboard.press("0")
    expect(status).to_have_text("exact")


@pytest.mark.parametrize("agg", ["mean(value)", "any"])
def test_reductions_that_cannot_be_added(
    page: Page, server: Server, open_file: Opened, files: Path, tmp_path: Path, agg: str
) -> None:
    made = bv.figure(title="points").points(str(files / "points.parquet"), "x", "y", agg)
    path = exported(bv.document(made, id="points"), tmp_path, depth=4)
    for hash in (f"#agg={agg}", f"#agg={agg}&x0=-1&x1=1&y0=-0.5&y1=0.5"):
        open_page(page, f"{server.url}/points/{hash}")
        offline = open_file(path, hash)
        assert (plain(offline) == plain(page)).all()


def test_a_line_keeps_its_rows(page: Page, server: Server, open_file: Opened, files: Path, tmp_path: Path) -> None:
    made = bv.document(bv.figure(title="walk").line(str(files / "walk.parquet"), "time", "value"), id="walk")
    path = exported(made, tmp_path)
    start, minute = 1614556800_000_000_000, 60_000_000_000
    deep = f"#x0={start + 50_000 * minute}&x1={start + 50_400 * minute}&y0=-400&y1=400"
    for hash in ("", deep):
        open_page(page, f"{server.url}/walk/{hash}")
        offline = open_file(path, hash)
        assert (plain(offline) == plain(page)).all()
    hover(offline, *plot(offline).middle)
    assert "row" in tip(offline)
    expect(offline.locator('[data-act="settings"]')).to_be_hidden()
    shallow = exported(made, tmp_path, depth=1)
    offline = open_file(shallow, "")
    expect(offline.locator(".status-line")).to_have_text("as deep as this file goes")


def test_small_data_is_inside_whole(open_file: Opened, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 3_000))
    path = exported(bv.document(bv.figure(title="Few").points({"x": x, "y": y}, "x", "y")), tmp_path)
    page = open_file(path, f"#x0={x[7] - 1e-6}&x1={x[7] + 1e-6}&y0={y[7] - 1e-6}&y1={y[7] + 1e-6}")
    hover(page, *plot(page).middle)
    assert number(tip(page)["row"]) == 7
    expect(page.locator(".status-line")).to_have_text("exact")


def test_the_tip_stands_off_the_words_over_an_empty_view(open_file: Opened, tmp_path: Path) -> None:
    made = bv.figure(title="Two").points({"x": np.array([0.0, 1.0]), "y": np.array([0.0, 1.0])}, "x", "y")
    page = open_file(exported(bv.document(made), tmp_path), "#x0=0.4&x1=0.6&y0=0.4&y1=0.6")
    words = page.locator(f"{figure()} .nothing")
    expect(words).to_be_visible()
    said = words.bounding_box()
    assert said
    for share in (0.1, 0.9):
        hover(page, said["x"] + share * said["width"], said["y"] + 2)
        told = page.locator(f"{figure()} .tip").bounding_box()
        assert told and (told["y"] + told["height"] <= said["y"] or told["y"] >= said["y"] + said["height"])


def test_hostile_names_are_text(open_file: Opened, tmp_path: Path) -> None:
    hostile = "</script></title><img src=x onerror=alert(1)><!--\u2028"
    x = np.arange(60.0)
    labels = [hostile, "b", "c"] * 20
    table = {hostile: x, "y": x, "kind": labels}
    made = bv.figure(title=hostile, x_label=hostile).points(table, hostile, "y", "by(kind)")
    page = open_file(exported(bv.document(made, title=hostile, id="plot"), tmp_path), "")
    assert page.title() == hostile.replace("\u2028", "\u2028")
    assert page.locator("img[src=x]").count() == 0
    expect(page.locator(f"{figure()} .title")).to_contain_text("<img src=x")
