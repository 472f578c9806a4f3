"""A page of a plot server follows what a script stores."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

import bigviz as bv

from ..plotting.animation import animated
from .driver import open_page, settle
from .served import Server

ROWS = (
    "() => Number(document.querySelector('[data-part=\"rows\"]').textContent.match(/[0-9,]+/)[0].replaceAll(',', ''))"
)
PICTURE = "() => document.querySelector('section[data-figure=\"0\"] canvas').toDataURL()"


def test_an_open_page_follows_the_animated_line_without_a_reload(
    page: Page, serve: Callable[..., Server], tmp_path: Path
) -> None:
    server = serve("--library", "library", cwd=tmp_path)
    with animated(server.url):
        open_page(page, f"{server.url}/animated/")
        page.evaluate("() => { window.stayed = true; }")
        for _ in range(2):
            before = page.evaluate(PICTURE)
            page.wait_for_function(f"before => ({PICTURE})() !== before", arg=before)
    settle(page)
    assert page.evaluate("() => window.stayed") is True


def test_an_open_page_follows_a_stream_of_many_appends(
    page: Page, serve: Callable[..., Server], tmp_path: Path
) -> None:
    """However often rows come, what is drawn gets there: each version is drawn before the next one is asked for."""
    server = serve("--library", "library", cwd=tmp_path)
    plots = bv.connect(server.url)
    points = plots.stream("points", {"x": "float64", "y": "float64"})
    points.append({"x": [0.0, 1.0], "y": [0.0, 1.0]})
    plots.publish("plot", bv.figure().points("points", "x", "y"))
    open_page(page, f"{server.url}/plot/")
    page.evaluate("() => { window.stayed = true; }")
    stop = threading.Event()

    def produce() -> None:
        while not stop.is_set():
            points.append({"x": [0.5, 0.25], "y": [0.5, 0.75]})

    producer = threading.Thread(target=produce)
    producer.start()
    try:
        for _ in range(3):
            before = drawn_rows(page)
            page.wait_for_function(f"before => ({ROWS})() > before", arg=before)
    finally:
        stop.set()
        producer.join()
    (found,) = plots.datasets()
    page.wait_for_function(f"rows => ({ROWS})() === rows", arg=found["rows"])
    assert page.evaluate("() => window.stayed") is True


def drawn_rows(page: Page) -> int:
    """The rows that the page says it shows."""
    return int(page.evaluate(ROWS))
