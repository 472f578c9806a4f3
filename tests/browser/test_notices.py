"""What goes wrong is shown, in the server's words, and the view stays."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from bigviz.wire import frames as wire

from .driver import choose, figure, frames, moving, open_page, pixels, rest, settle, until, view, watching
from .served import Server

# Types of frames, docs/protocol.md.
LAYER, PROGRESS, TILE = 2, 3, 4
LOST = 1001  # with 1012 the server would ask to come again at once


def test_an_error_is_told_in_the_servers_words(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/#agg=mean(velue)")
    toast = page.get_by_role("alert")
    expect(toast).to_contain_text("velue")
    expect(toast).to_contain_text("value")  # the nearest name
    # What was published is shown instead.
    assert page.locator('[name="agg"]').input_value() == "count"
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)


def test_a_key_that_the_server_refuses_takes_no_other_with_it(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/#x=value&xaxis=log&agg=mean(velue)&cmap=bmy")
    expect(page.get_by_role("alert")).to_contain_text("velue")
    for name, value in (("agg", "count"), ("x", "value"), ("xaxis", "log"), ("cmap", "bmy")):
        assert page.locator(f'[name="{name}"]').input_value() == value


def test_a_plot_that_is_not_open_yet_is_asked_for_again(page: Page, server: Server) -> None:
    """It says what it waits for in the server's words, counts down, and shows the plot once it is there."""
    words = "far.parquet cannot be read: its server did not send it in time. The server tries again every 30 s."
    (refusal,) = wire.frames(wire.Type.ERROR, wire.json_parts({"error": words}), sequence=1, epoch=1)
    open_yet: list[bool] = []

    def connect(socket: WebSocketRoute) -> None:
        if open_yet:
            upstream = socket.connect_to_server()
            socket.on_message(upstream.send)
            upstream.on_message(socket.send)
        else:
            socket.send(refusal)
            socket.close(code=wire.LATER, reason=words[:100])

    page.route_web_socket(lambda url: urlsplit(url).path.endswith("/ws"), connect)
    page.goto(f"{server.url}/points/")
    expect(page.locator(".opening.refused")).to_have_text(words)
    banner = page.locator(".banner")
    expect(banner).to_contain_text("This plot is not open yet. Trying again in ")
    open_yet.append(True)
    page.get_by_role("button", name="Retry now").click()
    expect(page.locator(".opening")).to_have_count(0)
    expect(banner).to_be_hidden()
    settle(page)


def test_many_notices_leave_the_plot_in_sight(page: Page, server: Server) -> None:
    """An app that tells each step of a slider, and fails at each: the newest few stay, with what is so."""
    open_page(page, f"{server.url}/points/")
    page.evaluate(
        """async (at) => {
          const { Notices } = await import(at);
          const notices = new Notices(document.body);
          notices.state("app", "The app is being started.");
          for (let k = 0; k < 9; k++) {
            notices.note(`note ${k}`);
            notices.error(`error ${k}`);
          }
        }""",
        f"{server.url}/_/static/ui/page/notices.js",
    )
    kept = [f"{kind} {k}" for k in (6, 7, 8) for kind in ("note", "error")]
    expect(page.locator(".toast p")).to_have_text(["The app is being started.", *kept])


class Line:
    """The socket between page and server, which the test can cut or slow down."""

    def __init__(self, page: Page) -> None:
        self.open = True
        self.tries = 0
        self.held: list[Callable[[], None]] | None = None
        self.kinds = range(256)  # of the frames that are held
        self.sockets: list[WebSocketRoute] = []
        page.route_web_socket(lambda url: urlsplit(url).path.endswith("/ws"), self._connect)

    def _connect(self, socket: WebSocketRoute) -> None:
        self.tries += 1
        if not self.open:
            socket.close(code=LOST)
            return
        upstream = socket.connect_to_server()
        self.sockets.append(socket)

        def answer(message: Any) -> None:
            if self.held is not None and message[4] in self.kinds:
                self.held.append(lambda: socket.send(message))
            else:
                socket.send(message)

        socket.on_message(upstream.send)
        upstream.on_message(answer)

    def cut(self) -> None:
        self.open = False
        for socket in self.sockets:
            socket.close(code=LOST)
        self.sockets.clear()

    def hold(self) -> None:
        self.held = []

    def release(self) -> None:
        for send in self.held or []:
            send()
        self.held = None


def test_progress_is_shown_while_the_index_is_built(page: Page, server: Server) -> None:
    """A progress frame is put before the answer about the layer, and what follows is held back until it was seen."""
    words = b'{"stage": "sorting rows", "done": 0.4, "rows": 80000, "seconds": 6.0}'
    words += b" " * (-len(words) % 8)
    held: list[bytes] = []
    sockets: list[WebSocketRoute] = []

    def connect(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        upstream = socket.connect_to_server()
        socket.on_message(upstream.send)

        def answer(message: Any) -> None:
            if not held and message[4] != LAYER:
                socket.send(message)
                return
            if not held:
                progress = bytearray(message[:40])
                progress[4] = PROGRESS
                struct.pack_into("<II", progress, 32, len(words), 0)
                socket.send(bytes(progress) + words)
            later = bytearray(message)
            struct.pack_into("<Q", later, 24, struct.unpack_from("<Q", message, 24)[0] + 1)
            held.append(bytes(later))

        upstream.on_message(answer)

    page.route_web_socket(lambda url: urlsplit(url).path.endswith("/ws"), connect)
    page.goto(f"{server.url}/points/")
    card = page.locator(f"{figure()} .card")
    expect(card).to_be_visible()
    expect(card).to_contain_text("Sorting rows")
    expect(card).to_contain_text("40 % · 80,000 rows · about 9 s left")
    expect(card.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "40")
    sockets[0].send(held[0])
    expect(card).to_be_hidden()


def test_a_lost_connection_keeps_the_view_and_comes_back(page: Page, server: Server) -> None:
    line = Line(page)
    open_page(page, f"{server.url}/points/")
    page.locator(f"{figure()} .surface").focus()
    with moving(page):
        page.keyboard.press("+")
    before, shown = view(page), pixels(page)
    page.evaluate("() => probe.hold(250)")  # the page does not try again by itself
    line.cut()
    banner = page.locator(".banner")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text("The connection is lost")
    assert (pixels(page) == shown).all()
    # Panning works with what is there.
    page.keyboard.press("ArrowRight")
    frames(page)
    rest(page)
    after = view(page)
    assert after.x0 > before.x0
    line.open = True
    page.get_by_role("button", name="Retry now").click()
    expect(banner).to_be_hidden()
    assert line.tries == 2
    settle(page)
    assert view(page) == after

    line.cut()
    expect(banner).to_be_visible()
    page.keyboard.press("f")
    until(page, "() => document.fullscreenElement !== null")
    line.open = True
    page.get_by_role("button", name="Retry now").click()  # it lies above the figure that fills the screen
    expect(banner).to_be_hidden()
    settle(page)

    page.evaluate("() => probe.hold(Infinity)")
    line.cut()
    expect(banner).to_be_visible()
    line.open = True
    expect(banner).to_be_hidden()
    settle(page)


def test_parents_stay_until_children_arrive(page: Page, server: Server) -> None:
    line = Line(page)
    open_page(page, f"{server.url}/points/#how=linear")
    ground = pixels(page)[0, 0]
    line.hold()
    page.locator(f"{figure()} .surface").focus()
    for _ in range(3):
        page.keyboard.press("+")
        frames(page)
        shown = pixels(page)
        assert (shown != ground).any(axis=2).mean() > 0.2, "the picture went blank"
        colours = np.unique(shown.view(np.uint32)[200:300, 300:400])
        assert colours.size > 4, "a flat patch, where cells hold 1 to 12 rows"
    assert page.locator(figure()).get_attribute("data-exact") == "0"
    expect(page.locator(figure())).to_have_attribute("aria-busy", "true")
    expect(page.locator(f"{figure()} .loading")).to_be_visible()
    coarse = pixels(page)
    line.release()
    settle(page)
    expect(page.locator(figure())).to_have_attribute("aria-busy", "false")
    expect(page.locator(f"{figure()} .loading")).to_be_hidden()
    assert (pixels(page) != coarse).any()


def test_a_plot_has_the_pages_colour_until_it_is_drawn(page: Page, server: Server) -> None:
    line = Line(page)
    line.kinds = range(TILE, TILE + 1)
    line.hold()
    page.goto(f"{server.url}/points/")
    expect(page.locator(f'{figure()} [data-part="rows"]')).to_contain_text("rows")
    frames(page)
    colour = page.evaluate("() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (pixels(page)[..., :3] == colour).all()
    line.release()
    settle(page)
    assert (pixels(page)[..., :3] != colour).any()


def test_no_frame_is_blank_while_panning(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    page.locator(f"{figure()} .surface").focus()
    with watching(page) as seen:
        for key in ("+", "+", "ArrowLeft", "ArrowUp", "+", "-", "ArrowRight", "0"):
            page.keyboard.press(key)
            frames(page)
        settle(page)
    assert seen.blank == () and seen.frames > 10


def test_far_rows_are_named_and_can_be_shown(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/far/")
    status = page.locator(f"{figure()} .status")
    expect(status).to_contain_text("1 row lies very far")
    expect(page.locator(f'{figure()} [data-part="rows"]')).to_have_text("100,000 rows")
    status.get_by_role("button", name="Show them").click()
    expect(status).to_contain_text("makes room")
    settle(page)
    until(page, "() => location.hash.includes('root=full')")
    label = page.locator(f"{figure()} .surface")
    expect(label).to_have_attribute("aria-label", re.compile("e\\+?3[67]|10"))
    status.get_by_role("button", name="Leave them out").click()
    expect(status).to_contain_text("left out")
    settle(page)
    until(page, "() => !location.hash.includes('root')")


def test_about_this_view_is_the_picture_in_words(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    page.get_by_role("button", name="About this view").click()
    table = page.locator(".about table")
    expect(table).to_contain_text("200,000 of points")
    expect(table).to_contain_text("count, visible")


def test_the_latency_panel_shows_the_stages(page: Page, server: Server) -> None:
    open_page(page, f"{server.url}/points/")
    button = page.get_by_role("button", name="Latency panel", exact=True)
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    panel = page.get_by_role("region", name="Latency of the last view")
    expect(panel).to_contain_text("Move the plot")
    page.locator(f"{figure()} .surface").focus()
    with moving(page):
        page.keyboard.press("+")
    for stage in (
        "Waiting in the server",
        "Aggregating rows",
        "Encoding",
        "On the wire",
        "Decoding",
        "Painting",
        "Input to exact picture",
    ):
        expect(panel).to_contain_text(stage)
    expect(panel).to_contain_text("touched")


@pytest.mark.parametrize("agg", ["count", "mean(value)"])
def test_settled_views_are_measured_once(page: Page, server: Server, agg: str) -> None:
    open_page(page, f"{server.url}/points/")
    choose(page, "agg", agg)
    settle(page)
    page.locator(f"{figure()} .surface").focus()
    before = page.evaluate("() => performance.getEntriesByName('bigviz:view').length")
    with moving(page):
        page.keyboard.press("+")
    entries = page.evaluate("() => performance.getEntriesByName('bigviz:view').map(e => [e.duration, e.detail])")
    assert len(entries) == before + 1
    duration, detail = entries[-1]
    assert 0 < duration < 5000
    assert detail["figure"] == 0
    assert detail["tiles"] > 0
    assert {"zx", "zy", "tiles", "messages"} <= set(detail)
