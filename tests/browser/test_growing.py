"""A page follows appended rows: each frame is of one version, and in the end it shows what a fresh page shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import BrowserContext, Page, WebSocketRoute

from bigviz.wire.frames import Type

from ..patience import PATIENCE
from ..ports import free_port
from .driver import figure, frames, open_page, pixels, settle
from .served import Server
from .test_library import ARROW, put

BATCHES = 20
ROWS = 20  # a batch

# In every frame from now on: how far to the right marks (red) and the line (blue) reach, in pixels.
WATCH = """() => {
  window.ends = [];
  const canvas = document.querySelector("canvas.data");
  const look = () => {
    const { width, height } = canvas;
    const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, width, height).data.buffer);
    const end = (colour) => {
      let found = -1;
      for (let at = 0; at < pixels.length; at++) if (pixels[at] === colour) found = Math.max(found, at % width);
      return found;
    };
    window.ends.push([end(0xff0000ff), end(0xffff0000)]);
    window.looking = requestAnimationFrame(look);
  };
  window.looking = requestAnimationFrame(look);
}"""


def batch(first: int, count: int) -> bytes:
    """Rows whose y is in [1, 9], as an Arrow stream."""
    x = np.arange(first, first + count, dtype=float)
    table = pa.table({"x": x, "y": 5 + 4 * np.sin(x)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def append(server: Server, first: int, count: int) -> int:
    """Append rows to the dataset: its version."""
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    connection.request("POST", "/_/api/datasets/grows/append", batch(first, count), {"Content-Type": ARROW})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    assert answer.status == 200, told
    return int(told["version"])


def fill(server: Server, span: float) -> None:
    """A dataset of the first rows, and a page with marks and a line of it over a range that stays."""
    put(server, "datasets/grows", batch(0, ROWS), ARROW)
    shared = {"dataset": "grows", "x": "x", "y": "y"}
    line = {"id": "a", "glyph": "line", "agg": "any", "color": "#0000ff", "line_width": 3, **shared}
    marks = {"id": "b", "glyph": "points", "agg": "count", "color": "#ff0000", "size": 6, **shared}
    shown = {"id": "f0", "type": "figure", "x_range": "x0", "y_range": "y0", "layers": [line, marks]}
    ranges = {"x0": {"start": -10, "end": span}, "y0": {"start": 0, "end": 10}}
    head = {"format": 2, "id": "grows", "title": "Grows", "datasets": ["grows"], "ranges": ranges}
    put(server, "documents/grows", json.dumps({**head, "layout": shown}).encode())


@pytest.fixture
def grows(tmp_path: Path, serve: Callable[..., Server]) -> Server:
    running = serve("--library", str(tmp_path / "library"), cwd=tmp_path)
    fill(running, BATCHES * ROWS + 30)
    return running


def await_version(page: Page, version: int) -> None:
    """Wait until a version is drawn, exactly."""
    page.wait_for_selector(f'{figure()}[data-version="{version}"][data-exact="1"]', state="attached")
    settle(page)


def assert_fresh(page: Page, server: Server) -> None:
    """The page shows what a fresh one does."""
    followed = pixels(page)
    open_page(page, f"{server.url}/grows/")
    settle(page)
    np.testing.assert_array_equal(followed, pixels(page))


def test_each_frame_is_of_one_version(page: Page, grows: Server) -> None:
    open_page(page, f"{grows.url}/grows/")
    page.evaluate(WATCH)
    version = 1
    for number in range(1, BATCHES):
        version = append(grows, number * ROWS, ROWS)
        if number % 5 == 0:
            await_version(page, version)
        elif number % 3:
            frames(page)
    await_version(page, version)
    page.evaluate("() => cancelAnimationFrame(window.looking)")
    ends = page.evaluate("() => window.ends")
    steps = {line for _, line in ends}
    assert len(steps) > 3, "several versions were drawn"
    assert all(abs(marks - line) <= 8 for marks, line in ends), ends
    assert_fresh(page, grows)


def test_layers_that_are_asked_for_anew_are_drawn_together(page: Page, grows: Server) -> None:
    """The answer about the second one is held back, and the page drawn meanwhile: in other colours."""
    held: list[tuple[WebSocketRoute, str | bytes]] = []
    answers: list[int] | None = None  # layers about which the server has answered

    def connect(route: WebSocketRoute) -> None:
        def pass_on(message: str | bytes) -> None:
            if answers is not None and isinstance(message, bytes) and message[4] == Type.LAYER:
                answers.append(message[6])
            if answers is not None and len(answers) > 1:
                held.append((route, message))
            else:
                route.send(message)

        route.connect_to_server().on_message(pass_on)

    page.route_web_socket(lambda url: urlsplit(url).path.endswith("/ws"), connect)
    open_page(page, f"{grows.url}/grows/")
    page.evaluate(WATCH)
    answers = []
    version = append(grows, ROWS, 10 * ROWS)  # which lie in another root
    while not held:
        frames(page)
    page.emulate_media(color_scheme="dark")
    frames(page, 3)
    assert page.evaluate("() => new Set(window.ends.map(String)).size") == 1, "both are what they were"
    answers = None
    for route, message in held:
        route.send(message)
    await_version(page, version)
    assert sorted(page.evaluate("() => window.ends.at(-1)"))[0] > page.evaluate("() => window.ends[0][0]")


def test_a_page_that_was_cut_off_goes_on_from_where_it_was(page: Page, grows: Server) -> None:
    open_page(page, f"{grows.url}/grows/")
    page.evaluate("() => { window.kept = true; dispatchEvent(new PageTransitionEvent('pagehide')); }")
    append(grows, ROWS, ROWS)
    version = append(grows, 2 * ROWS, ROWS)
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    await_version(page, version)
    version = append(grows, 3 * ROWS, ROWS)
    await_version(page, version)
    assert page.evaluate("() => window.kept")
    assert_fresh(page, grows)


def test_a_page_follows_over_a_restart_of_its_server(
    context: BrowserContext, serve: Callable[..., Server], tmp_path: Path
) -> None:
    page = context.new_page()  # one that may write errors to its console: connections are refused meanwhile
    page.add_init_script(path=Path(__file__).with_name("probes.js"))
    page.set_default_timeout(PATIENCE * 1_000)
    port = free_port()
    first = serve("--library", str(tmp_path / "library"), cwd=tmp_path, port=port)
    fill(first, BATCHES * ROWS + 30)
    open_page(page, f"{first.url}/grows/")
    version = append(first, ROWS, ROWS)
    await_version(page, version)
    page.evaluate("() => { window.kept = true; }")
    first.stop()
    second = serve("--library", str(tmp_path / "library"), cwd=tmp_path, port=port)
    version = append(second, 2 * ROWS, ROWS)
    await_version(page, version)
    assert page.evaluate("() => window.kept")
    assert_fresh(page, second)
