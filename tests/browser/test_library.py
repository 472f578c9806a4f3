"""A plot server in the browser: its list is searched, an open page follows new data and offers a new version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from ..patience import PATIENCE
from .driver import hash_of, open_page, plot, settle
from .served import Server, start_server

ARROW = "application/vnd.apache.arrow.stream"


@pytest.fixture(scope="module")
def plots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("plots")
    running = start_server("--library", str(folder / "library"), cwd=folder)
    yield running
    running.stop()


def put(server: Server, path: str, body: bytes, kind: str = "application/json", **headers: str) -> dict[str, object]:
    """The answer to a PUT below /_/api/."""
    connection = HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    connection.request("PUT", f"/_/api/{path}", body, {"Content-Type": kind, **headers})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    assert answer.status in (200, 201), text
    return dict(json.loads(text))


def upload(server: Server, name: str, y: list[float], **headers: str) -> None:
    table = pa.table({"x": np.arange(len(y), dtype=float), "y": np.array(y)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    put(server, f"datasets/{name}", bytes(sink.getvalue()), ARROW, **headers)


def publish(server: Server, name: str, dataset: str, title: str) -> None:
    layer = {"id": "l", "dataset": dataset, "glyph": "line", "x": "x", "y": "y", "agg": "any"}
    shown = {"id": "f0", "type": "figure", "title": title, "x_range": "x0", "y_range": "y0", "layers": [layer]}
    head = {"format": 2, "id": name, "title": title, "datasets": [dataset], "ranges": {"x0": {}, "y0": {}}}
    put(server, f"documents/{name}", json.dumps({**head, "layout": shown}).encode())


def test_an_open_page_follows_new_data_and_offers_a_new_version(page: Page, plots: Server) -> None:
    upload(plots, "line", [6, 7, 2, 4, 5])
    publish(plots, "line", "line", "First")
    open_page(page, f"{plots.url}/line/")
    page.evaluate("() => { window.kept = true; window.before = probe.pixels(0)[2]; }")
    upload(plots, "line", [2, 7, 6, 4, 5], **{"If-Match": '"1"'})
    page.wait_for_function("""() => probe.pixels(0)[2] !== window.before
        && document.querySelector('section[data-figure="0"]').dataset.exact === "1" """)
    box = plot(page)
    page.mouse.move(*box.middle)
    page.mouse.wheel(0, -300)
    page.wait_for_function("() => location.hash.includes('x0')")
    settle(page)
    publish(plots, "line", "line", "Second")
    page.get_by_role("button", name="Show it").wait_for()
    assert page.evaluate("() => window.kept")  # neither new data nor a new version loads the page
    view = hash_of(page)
    page.get_by_role("button", name="Show it").click()
    expect(page.get_by_role("heading", name="Second")).to_be_visible()
    page.wait_for_selector('html[data-ready="1"]', state="attached")
    assert not page.evaluate("() => window.kept") and hash_of(page) == view


def test_data_that_changed_while_the_connection_was_lost(page: Page, plots: Server) -> None:
    upload(plots, "lost", [6, 7, 2, 4, 5])
    publish(plots, "lost", "lost", "Lost")
    open_page(page, f"{plots.url}/lost/")
    page.evaluate("() => { window.before = probe.pixels(0)[2]; dispatchEvent(new PageTransitionEvent('pagehide')); }")
    upload(plots, "lost", [2, 7, 6, 4, 5], **{"If-Match": '"1"'})
    page.evaluate("() => dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.wait_for_function("""() => probe.pixels(0)[2] !== window.before
        && document.querySelector('section[data-figure="0"]').dataset.exact === "1" """)


def test_a_short_link_opens_the_view(page: Page, context: BrowserContext, plots: Server) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=plots.url)
    upload(plots, "linked", [6, 7, 2, 4, 5])
    publish(plots, "linked", "linked", "Linked")
    open_page(page, f"{plots.url}/linked/#x0=1&x1=3")
    page.get_by_role("button", name="Copy a link to this view").click()
    expect(page.get_by_text("A short link to this view is copied.")).to_be_visible()
    link = page.evaluate("() => navigator.clipboard.readText()")
    assert link.startswith(f"{plots.url}/linked/?v=") and len(link) < 80
    open_page(page, link)
    assert hash_of(page)["x0"] == "1" and hash_of(page)["x1"] == "3"


def test_the_list_follows_the_search(page: Page, plots: Server) -> None:
    upload(plots, "shown", [1, 2, 3])
    for name in ("ants", "bees", "bears"):
        publish(plots, name, "shown", name.title())
    page.goto(f"{plots.url}/")
    page.keyboard.press("/")
    page.keyboard.type("be")
    cards = page.locator(".card")
    expect(cards).to_have_count(2)
    assert page.url == f"{plots.url}/?q=be"
    page.get_by_label("Order").select_option("title")
    expect(cards.nth(0)).to_contain_text("Bears")
    page.get_by_role("searchbox").fill("wasps")
    expect(page.get_by_role("heading", name="No plot matches “wasps”")).to_be_visible()
    page.get_by_role("link", name="Show all plots").click()
    page.get_by_role("link", name="Ants 3 rows").click()
    page.wait_for_url(f"{plots.url}/ants/*")
