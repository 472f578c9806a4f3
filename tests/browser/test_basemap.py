"""The map below a figure: tiles to the pixel, from their host alone, and in saved images where that allows it."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page

import bigviz as bv

from ..patience import PATIENCE
from ..ports import free_port
from .conftest import HERE
from .driver import Box, figure, frames, open_page, pixels, plot, rest, settle, until
from .served import Server, start_server
from .test_save import saved
from .tile_host import SIZE, TileHost, red, tile_host

CREDIT = "© Map makers <b>&amp;</b>"
SCRIPT = """
import bigviz as bv

axes = dict(x_axis_type="mercator", y_axis_type="mercator")
plot = bv.figure(title="Map", **axes, basemap={address!r}, attribution="Map makers")
bv.serve(plot.points({{"lon": [13.0, 14.0], "lat": [52.0, 53.0]}}, x="lon", y="lat"))
"""
Z = 9
WEST, NORTH = 274 * SIZE + 100, 166 * SIZE + 50  # of the pixels of level 9


@dataclass
class Seen:
    """What a page said and asked for."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Maps:
    """A plot server, and the hosts of its documents' maps: "map" and, of level 7 at most, "shallow" are over `host`,
    "dense" has {r}, "opaque" is over a host that lets no page read its tiles."""

    server: Server
    host: TileHost
    closed: TileHost

    @property
    def url(self) -> str:
        return self.server.url


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Maps]:
    rng = np.random.default_rng(3)
    rows = {"lon": rng.normal(13.4, 0.3, 5_000), "lat": rng.normal(52.5, 0.2, 5_000)}
    folder = tmp_path_factory.mktemp("maps")
    with ExitStack() as stopping:
        host, closed = stopping.enter_context(tile_host()), stopping.enter_context(tile_host(cors=False))
        server = start_server("--library", str(folder / "library"), cwd=folder)
        stopping.callback(server.stop)
        plain, dense = f"{host.url}/{{z}}/{{x}}/{{y}}.png", f"{host.url}/{{z}}/{{x}}/{{y}}{{r}}.png"
        connection = bv.connect(server.url)
        connection.upload("places", rows)
        for name, address, deepest in (
            ("map", plain, 19), ("shallow", plain, 7), ("dense", dense, 19),
            ("opaque", f"{closed.url}/{{z}}/{{x}}/{{y}}.png", 19),
        ):  # fmt: skip
            axes: dict[str, Any] = {"x_axis_type": "mercator", "y_axis_type": "mercator"}
            plot = bv.figure(title=name, **axes, basemap=address, attribution=CREDIT, max_zoom=deepest)
            connection.publish(name, plot.points("places", x="lon", y="lat"))
        yield Maps(server, host, closed)


@pytest.fixture
def maps(running: Maps) -> Maps:
    """The server; its hosts were asked for nothing yet, and have all tiles."""
    for host in (running.host, running.closed):
        host.forget()
    return running


@pytest.fixture
def host(maps: Maps) -> TileHost:
    return maps.host


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def page(context: BrowserContext, serve: object, seen: Seen) -> Page:
    """A page that may ask another host; its tests look at what it has asked."""
    opened = context.new_page()
    opened.add_init_script(path=HERE / "probes.js")
    opened.set_default_timeout(PATIENCE * 1_000)
    opened.on("pageerror", lambda error: seen.errors.append(f"uncaught: {error}"))
    opened.on("console", lambda said: seen.errors.append(said.text) if said.type == "error" else None)
    opened.on("request", lambda request: seen.requests.append(request.url))
    return opened


def drawn(page: Page) -> None:
    """Waits until the map is whole."""
    page.wait_for_selector(f'{figure()}[data-basemap="1"]', state="attached")
    frames(page)


def map_pixels(page: Page) -> np.ndarray:
    """RGB of the map's canvas, (height, width, 3)."""
    width, height, text = page.evaluate(
        """() => {
          const canvas = document.querySelector("canvas.basemap");
          const { width, height } = canvas;
          const bytes = canvas.getContext("2d").getImageData(0, 0, width, height).data;
          let text = "";
          for (let k = 0; k < bytes.length; k += 32768) text += String.fromCharCode(...bytes.subarray(k, k + 32768));
          return [width, height, btoa(text)];
        }"""
    )
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)[..., :3]


def ranges(box: Box, z: int = Z, scale: float = 1) -> str:
    """The hash of a view whose pixels are `scale` of level z's, from a corner within a tile."""
    world = SIZE * 2**z
    x0, y1 = WEST / SIZE / 2**Z, 1 - NORTH / SIZE / 2**Z
    return f"#x0={x0!r}&x1={x0 + box.width * scale / world!r}&y0={y1 - box.height * scale / world!r}&y1={y1!r}"


def expected(width: int, height: int, z: int = Z, scale: float = 1) -> np.ndarray:
    """RGB of a view of `ranges`: at each pixel's middle, its tile and the place in that."""
    x = (WEST * 2.0 ** (z - Z) + (np.arange(width) + 0.5) * scale)[None, :].repeat(height, 0)
    y = (NORTH * 2.0 ** (z - Z) + (np.arange(height) + 0.5) * scale)[:, None].repeat(width, 1)
    i, j = (x // SIZE).astype(int), (y // SIZE).astype(int)
    return np.stack([red(z, i, j), x % SIZE, y % SIZE], -1)  # type: ignore[arg-type]


def show(page: Page, maps: Maps, name: str = "map", **view: Any) -> Box:
    """Opens a map, then at a view of `ranges`."""
    if not page.url.startswith(f"{maps.url}/{name}/"):
        open_page(page, f"{maps.url}/{name}/")
    while True:  # the labels of other ranges may leave the plot another size
        box = plot(page)
        page.evaluate("hash => { location.hash = hash }", ranges(box, **view))
        rest(page)
        settle(page)
        drawn(page)
        if plot(page) == box:
            return box


def test_tiles_lie_where_they_must_to_the_pixel_and_come_from_their_host_alone(
    page: Page, seen: Seen, maps: Maps, host: TileHost
) -> None:
    box = show(page, maps)
    found = map_pixels(page)
    assert found.shape[:2] == (box.height, box.width)
    assert (found == np.floor(expected(*found.shape[1::-1]))).all()
    # The data lies above it, and lets it through where there is none.
    data = pixels(page)
    assert (data[..., 3] == 0).any() and (data[..., 3] > 0).any()
    others = [url for url in seen.requests if not url.startswith((maps.url, "data:", "blob:"))]
    assert others and all(url.startswith(f"{host.url}/") for url in others)
    assert seen.errors == []
    policy = httpx.get(f"{maps.url}/map/").headers["Content-Security-Policy"]
    directives = dict(each.split(" ", 1) for each in policy.split("; "))
    assert directives["img-src"] == f"'self' data: blob: {host.url}"
    assert not any(host.url in value for name, value in directives.items() if name != "img-src")
    # Who made it stands in the corner, as plain text.
    credit = page.locator(f"{figure()} .attribution")
    assert credit.text_content() == CREDIT and credit.locator("*").count() == 0
    at = credit.bounding_box()
    assert at and abs(at["x"] + at["width"] - box.x - box.width) < 1
    assert abs(at["y"] + at["height"] - box.y - box.height) < 1
    # The host learns which site asks, and not which document.
    assert {each["Referer"] for each in host.headers} == {f"{maps.url}/"}
    assert not any("Cookie" in each for each in host.headers)


def test_tiles_between_two_levels(page: Page, maps: Maps) -> None:
    for scale in (0.8, 1.3):
        show(page, maps, scale=scale)
        found = map_pixels(page).astype(float)
        wanted = expected(found.shape[1], found.shape[0], scale=scale)
        # Away from the tiles' edges, where what is drawn is between two tiles' colours.
        inner = ((wanted[..., 1:] > 4) & (wanted[..., 1:] < SIZE - 5)).all(-1)
        assert (np.abs(found - wanted)[inner] <= 2).all() and inner.mean() > 0.9


def test_a_map_is_magnified_beyond_its_host_s_deepest_level(page: Page, maps: Maps, host: TileHost) -> None:
    show(page, maps, "shallow")
    found = map_pixels(page).astype(float)
    wanted = expected(found.shape[1], found.shape[0], z=7, scale=0.25)
    inner = ((wanted[..., 1:] > 2) & (wanted[..., 1:] < SIZE - 3)).all(-1)
    assert (np.abs(found - wanted)[inner] <= 1.5).all() and inner.mean() > 0.9
    assert max(z for z, _, _ in host.asked) == 7


def test_a_saved_image_has_the_map(page: Page, maps: Maps, tmp_path: Path) -> None:
    box = show(page, maps)
    shown, data = map_pixels(page).astype(int), pixels(page)
    surface = page.locator(f"{figure()} .surface").bounding_box()
    assert surface
    _, image = saved(page, "s", tmp_path)
    top, left = round(box.y - surface["y"] + 40), round(box.x - surface["x"])
    inside = image[top : top + round(box.height), left : left + round(box.width)]
    bare = data[..., 3] == 0
    bare[-20:] = False  # who made it
    assert (inside[bare] == shown[bare]).all()
    assert (inside[-15:] != shown[-15:]).any(-1).sum() > 100


def test_a_host_that_lets_no_page_read_its_tiles(page: Page, seen: Seen, maps: Maps, tmp_path: Path) -> None:
    show(page, maps, "opaque")
    tainted = "() => { try { document.querySelector('canvas.basemap').getContext('2d').getImageData(0, 0, 1, 1) }"
    assert page.evaluate(tainted + " catch (e) { return e.name } }") == "SecurityError"
    assert len(np.unique(pixels(page).reshape(-1, 4), axis=0)) > 2, "the data's canvas is read as ever"
    saved(page, "s", tmp_path)
    page.get_by_text("Saved as opaque.png, without the map").wait_for()
    assert not [each for each in seen.errors if "CORS" not in each and "ERR_FAILED" not in each]


def test_tiles_that_are_not_there_are_no_error_of_the_page(page: Page, seen: Seen, maps: Maps, host: TileHost) -> None:
    host.missing = {Z}
    show(page, maps)
    # A tile above them stands in.
    assert len(np.unique(map_pixels(page).reshape(-1, 3), axis=0)) > 100
    assert all("404" in each or "CORS" in each or "ERR_FAILED" in each for each in seen.errors)


def test_what_a_view_no_longer_shows_is_given_up(page: Page, maps: Maps, host: TileHost) -> None:
    open_page(page, f"{maps.url}/map/")
    drawn(page)
    host.going.clear()
    failed: list[str] = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    box = plot(page)
    page.evaluate("hash => { location.hash = hash }", ranges(box, z=14))
    page.wait_for_selector(f'{figure()}[data-basemap="0"]', state="attached")
    with page.expect_event("requestfailed"):
        page.evaluate("hash => { location.hash = hash }", ranges(box, z=11))
    host.going.set()
    drawn(page)
    assert all("/14/" in url for url in failed)
    assert len([1 for z, _, _ in host.asked if z == 14]) <= 8


def test_other_columns_have_no_map(page: Page, maps: Maps) -> None:
    open_page(page, f"{maps.url}/map/#y=lon")
    assert not page.locator("canvas.basemap").is_visible() and not page.locator(".attribution").is_visible()
    assert (pixels(page)[..., 3] == 255).all()


@pytest.mark.parametrize("context", [{"device_scale_factor": 2}], indirect=True)
@pytest.mark.parametrize("name", ["map", "dense"])
def test_dense_screens(page: Page, maps: Maps, host: TileHost, name: str) -> None:
    show(page, maps, name)
    assert {("@2x" in path) for path in host.paths} == {name == "dense"}
    found = map_pixels(page).astype(float)
    wanted = expected(found.shape[1], found.shape[0], scale=0.5)
    inner = ((wanted[..., 1:] > 2) & (wanted[..., 1:] < SIZE - 3)).all(-1)
    assert (np.abs(found - wanted)[inner] <= 1.5).all()


def await_listening(port: int) -> None:
    """Wait until a server answers."""
    latest = time.monotonic() + PATIENCE
    while time.monotonic() < latest:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise TimeoutError(f"Nothing listens on port {port}.")


def test_a_page_that_came_before_its_document_was_known_loads_itself_again(
    page: Page, seen: Seen, host: TileHost, serve: Callable[..., Server], tmp_path: Path
) -> None:
    script = SCRIPT.format(address=f"{host.url}/{{z}}/{{x}}/{{y}}.png")
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(tmp_path / 'go')!r}).exists(): time.sleep(0.05)\n"
    (tmp_path / "map.py").write_text(wait + script)
    port = free_port()
    with ThreadPoolExecutor(1) as starting:  # the address is printed once the script has run
        starting.submit(serve, "map.py", cwd=tmp_path, port=port)
        await_listening(port)
        answer = page.goto(f"http://127.0.0.1:{port}/map/")
        assert answer and host.url not in answer.headers["content-security-policy"]
        page.locator(".opening").wait_for()
        with page.expect_navigation() as again:
            (tmp_path / "go").touch()
    assert host.url in again.value.headers["content-security-policy"]
    drawn(page)
    until(page, "() => sessionStorage.length === 0")
    assert seen.errors == []
