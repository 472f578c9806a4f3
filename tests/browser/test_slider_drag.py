"""A slider that is dragged: its figure is brushed at each step, and then shows what the filtered layer does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, WebSocket

from bigviz.wire.frames import Type, parse

from .driver import figure, hash_of, open_page, pixels, rest, until
from .served import Server, start_server

ROWS = 300_000
APP = """
import bigviz as bv

trips = bv.open("trips.parquet")
least = bv.slider("least", 0, 100, 0.5, 10, label="At least")
kept = "miles >= $least"
points = bv.figure(title="Points").points(trips, "x", "y", filter=kept)
hours = bv.figure(title="Miles").histogram(trips, "miles", bins=40, filter=kept)
count = bv.number("count", "count()", trips, kept)
bv.document(bv.row(bv.column(least, count), points, hours), title="Drag", id="drag")
"""


@pytest.fixture(scope="module")
def dragging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("drag")
    rng = np.random.default_rng(31)
    x, y = rng.normal(size=(2, ROWS))
    miles = np.abs(40 + 20 * x + rng.normal(size=ROWS) * 5)
    pq.write_table(pa.table({"x": x, "y": y, "miles": miles}), folder / "trips.parquet")
    (folder / "drag.py").write_text(APP)
    running = start_server("drag.py", cwd=folder)
    yield running
    running.stop()


def ends(sent: list[dict[str, Any]], payload: Any) -> bool:
    """Whether a message is the end of a step of a brush."""
    frame = parse(payload)
    return frame.type == Type.DONE and any(each["id"] == frame.request and each["op"] == "brush" for each in sent)


def await_step(page: Page, number: int, after: int = 0) -> int:
    """The step of the brush that a figure draws, once it is one after another."""
    until(page, "([s, n]) => Number(document.querySelector(s).dataset.brush ?? 0) > n", [figure(number), after])
    return int(page.locator(figure(number)).get_attribute("data-brush") or 0)


def test_a_drag_is_a_brush_and_ends_as_the_filter(page: Page, dragging: Server) -> None:
    sent: list[dict[str, Any]] = []
    page.on("websocket", lambda each: each.on("framesent", lambda text: sent.append(json.loads(text))))
    with page.expect_websocket() as opening:
        open_page(page, f"{dragging.url}/drag/")
    socket: WebSocket = opening.value
    rest(page)
    before = pixels(page, 0)
    thumb = page.locator('[data-control="least"] input[type="range"]')
    box = thumb.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    with socket.expect_event("framereceived", lambda payload: ends(sent, payload)):
        page.mouse.move(box["x"] + 0.12 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.3 * box["width"], middle, steps=2)
    step = await_step(page, 0)
    asked = [each for each in sent if each["op"] == "layer"]
    for share in (0.5, 0.45, 0.6):
        page.mouse.move(box["x"] + share * box["width"], middle, steps=2)
        step = await_step(page, 0, step)
        await_step(page, 1)
    assert [each for each in sent if each["op"] == "layer"] == asked  # no layer was defined for a step
    page.mouse.up()
    until(page, "s => document.querySelector(s).dataset.brush === undefined", figure(0))
    until(page, "s => document.querySelector(s).dataset.brush === undefined", figure(1))
    rest(page)
    value = float(thumb.input_value())
    assert float(hash_of(page)["c.least"]) == value
    dragged = [pixels(page, number) for number in (0, 1)]
    assert (dragged[0] != before).any()
    thumb.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert await_step(page, 0) > step  # of keys, which are steps too until they rest
    until(page, "s => document.querySelector(s).dataset.brush === undefined", figure(0))
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    await_step(page, 0)
    until(page, "s => document.querySelector(s).dataset.brush === undefined", figure(0))
    page.goto("about:blank")
    open_page(page, f"{dragging.url}/drag/#c.least={value}")
    rest(page)
    for number in (0, 1):
        np.testing.assert_array_equal(dragged[number], pixels(page, number))
