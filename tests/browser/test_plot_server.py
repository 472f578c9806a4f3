"""A page of a plot server follows what a script stores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from ..plotting.animation import animated
from .driver import open_page, settle
from .served import Server

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
