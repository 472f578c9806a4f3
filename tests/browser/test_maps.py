"""The example pages of examples/maps: tiles of a plot on maps of other libraries, served from another origin than the
plot's; each row is drawn where the library puts its coordinates."""

from __future__ import annotations

import io
import math
import runpy
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bokeh.embed import file_html
from bokeh.plotting import figure
from bokeh.resources import INLINE
from PIL import Image
from playwright.sync_api import BrowserContext, Page

from ..patience import PATIENCE
from .driver import until
from .served import Server, start_server

ROOT = Path(__file__).parents[2]
PLACES = [(13.0, 52.0), (14.0, 53.0), (13.377, 52.516), (13.2, 52.9), (13.81, 52.13)]
# `map` is the element of that id before it is the library's object.
# How each library says where a place is in its element, in CSS pixels, and whether all of its tiles are drawn.
PROJECT = {
    "leaflet": "([x, y]) => { const p = map.latLngToContainerPoint([y, x]); return [p.x, p.y] }",
    "maplibre": "([x, y]) => { const p = map.project([x, y]); return [p.x, p.y] }",
    "openlayers": "([x, y]) => map.getPixelFromCoordinate(ol.proj.fromLonLat([x, y]))",
    "bokeh": """([x, y]) => {
        const { frame, canvas_view } = Bokeh.index.roots[0], { left, top } = canvas_view.el.getBoundingClientRect();
        const east = (x * Math.PI) / 180, north = Math.log(Math.tan(((90 + y) * Math.PI) / 360)), radius = 6378137;
        const half = 0.5; // a CSS pixel, by which Bokeh moves all that it paints
        return [left + half + frame.x_scale.compute(east * radius), top + half + frame.y_scale.compute(north * radius)];
    }""",
}
DRAWN = {
    "leaflet": "() => window.map && document.querySelectorAll('.leaflet-tile').length > 0 && "
    "[...document.querySelectorAll('.leaflet-tile')].every(e => e.complete && getComputedStyle(e).opacity === '1')",
    "maplibre": "() => window.map?.loaded?.() && map.areTilesLoaded() && !map.isMoving()",
    "openlayers": "() => { window.map?.once?.('rendercomplete', () => { window.whole = true }); "
    "window.map?.render?.(); return window.whole }",
    "bokeh": "() => window.Bokeh?.index.roots?.[0]?.has_finished()",
}


class Origins(NamedTuple):
    """The plot's server, and the address of the example pages at another one."""

    plot: Server
    pages: str


class _Pages(SimpleHTTPRequestHandler):
    """The example pages, with the libraries beside them as npm puts them, and the one that a script has written."""

    written: Path

    def translate_path(self, path: str) -> str:
        name = path.partition("?")[0].lstrip("/")
        if name == self.written.name:
            return str(self.written)
        return str(ROOT / name if name.startswith("node_modules/") else ROOT / "examples" / "maps" / name)

    def log_message(self, format: str, *args: object) -> None:
        pass


_Pages.extensions_map = {**_Pages.extensions_map, ".mjs": "text/javascript"}


def bokeh_figure(layer: str) -> figure:
    """The figure of the example script, with the tiles of another layer, around the places and without a grid over
    them; a pixel of a tile of level 8 is about a CSS pixel."""
    made = runpy.run_path(str(ROOT / "examples" / "maps" / "bokeh_tiles.py"))
    source, plot = made["source"], made["plot"]
    source.url = source.url.replace(made["LAYER"], layer)
    plot.x_range.update(start=1_356_000, end=1_654_000)
    plot.y_range.update(start=6_730_400, end=7_039_600)
    plot.grid.visible = False
    return plot


@pytest.fixture(scope="module")
def origins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origins]:
    folder = tmp_path_factory.mktemp("places")
    lon, lat = zip(*PLACES, strict=True)
    pq.write_table(pa.table({"lon": lon, "lat": lat}), folder / "places.parquet")
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as pages:
        thread = threading.Thread(target=pages.serve_forever, daemon=True)
        thread.start()
        origin = f"http://127.0.0.1:{pages.server_address[1]}"
        server = start_server("places.parquet", "--allow-origin", origin, cwd=folder)
        _Pages.written = folder / "bokeh.html"
        _Pages.written.write_text(file_html(bokeh_figure(f"{server.url}/places/layers/0"), INLINE))
        yield Origins(server, origin)
        server.stop()
        pages.shutdown()
        thread.join()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails its test on any error."""
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE * 1_000)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(f"uncaught: {error}"))
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    yield opened
    assert wrong == []


def shown(page: Page, origins: Origins, name: str) -> np.ndarray:
    """RGB of the page once the plot's tiles are drawn on the map."""
    page.goto(f"{origins.pages}/{name}.html?layer={origins.plot.url}/places/layers/0/")
    until(page, DRAWN[name])
    return np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB")).astype(int)


def middles(image: np.ndarray, around: list[list[float]], reach: int) -> list[list[float]]:
    """The middle of what is not white within so many pixels of each place; NaN where there is nothing."""
    out = []
    for x, y in around:
        left, top = max(0, round(x) - reach), max(0, round(y) - reach)
        part = image[top : round(y) + reach, left : round(x) + reach]
        rows, columns = np.nonzero((part < 200).any(-1))
        found = [columns.mean() + left + 0.5, rows.mean() + top + 0.5] if len(rows) else [math.nan, math.nan]
        out.append(found)
    return out


@pytest.mark.parametrize("context", [{}, {"device_scale_factor": 2}], indirect=True, ids=["1x", "2x"])
@pytest.mark.parametrize("name", PROJECT)
def test_rows_are_where_the_map_puts_their_coordinates(page: Page, origins: Origins, name: str) -> None:
    image = shown(page, origins, name)
    scale = page.evaluate("devicePixelRatio")
    wanted = [[scale * each for each in page.evaluate(PROJECT[name], place)] for place in PLACES]
    found = middles(image, wanted, reach=8)
    # A row is a pixel of a tile, which is a device pixel or two wide where the map is between two levels.
    assert np.abs(np.subtract(found, wanted)).max() <= 1.5, (found, wanted)
    names = page.evaluate("() => performance.getEntriesByType('resource').map(e => e.name)")
    tiles = [each for each in names if "/tiles/" in each]
    assert tiles and all(each.startswith(f"{origins.plot.url}/places/layers/0/tiles/") for each in tiles)


def test_the_bokeh_figure_asks_for_the_same_tiles() -> None:
    made = runpy.run_path(str(ROOT / "examples" / "maps" / "bokeh_tiles.py"))
    source = made["source"]
    address = source.url.replace("{Z}", "3").replace("{X}", "4").replace("{Y}", "2")
    assert address == f"{made['LAYER']}/tiles/3/4/2.png?cmap=bmy"
    assert (source.tile_size, source.max_zoom, source.x_origin_offset) == (256, 24, 20037508.34)
    assert [each.tile_source for each in made["plot"].renderers] == [source]
