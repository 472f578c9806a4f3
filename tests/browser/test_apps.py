"""An app's page: what its callbacks set is drawn, what they say is shown, and the end of its process is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from .driver import open_page
from .served import Server

APP = """
import os
import pyarrow as pa
import bigviz as bv

table = pa.table({"x": [1.0, 2.0, 3.0], "y": [1.0, 3.0, 2.0], "fare": [1.0, 5.0, 9.0]})
plot = bv.figure(title="Fares").points(table, "x", "y", filter="fare >= $least")
least = bv.slider("least", 0, 10, 1, label="At least")
shade = bv.select("shade", ["count", "mean(fare)"], "count", "Show")
go = bv.button("go", "Go")
leave = bv.button("leave", "Leave")


@least.on_change
def changed(session, value):
    session.set(plot, title=f"Fares from {value}")
    session.set(least, label=f"At least {value}")


@shade.on_change
def shaded(session, agg):
    session.set(plot.layers[0], agg=agg)


@go.on_click
def gone(session, presses):
    session.set(least, value=7)
    session.set(plot, x_range=(1.5, 2.5))
    session.notify(f"<b>{presses}</b> & more")


@plot.on_select
def selected(session, selection):
    session.notify("none" if selection is None else f"{selection.count} selected, {selection.rows().tolist()}")


leave.on_click(lambda session, presses: os._exit(7))
bv.serve(bv.row(plot, bv.column(least, shade, go, leave)))
"""


def test_what_callbacks_do_is_seen(page: Page, serve: Callable[..., Server], tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    running = serve("app.py", cwd=tmp_path)
    open_page(page, f"{running.url}/app/")
    title, slider = page.locator("section[data-figure] .title"), page.locator('[data-control="least"] input').first
    slider.fill("4")
    expect(title).to_have_text("Fares from 4")
    expect(page.locator('[data-control="least"]')).to_contain_text("At least 4")
    page.locator('[data-control="shade"] select').select_option(label="mean(fare)")
    expect(page.locator('select[name="reduction"]')).to_have_value("mean")
    page.get_by_role("button", name="Go").click()
    expect(page.locator(".toast")).to_contain_text("<b>1</b> & more")
    expect(page.locator('[data-control="least"] input').first).to_have_value("7")
    expect(page).to_have_url(re.compile("x0=1.5"))

    page.reload()
    expect(title).to_have_text("Fares from 4")
    expect(page.locator('[data-control="least"] input').first).to_have_value("7")
    page.get_by_role("button", name="Leave").click()
    banner = page.locator('.toast[data-about="app"]')
    expect(banner).to_contain_text("The app ended itself with exit code 7. It is started again.")
    expect(banner).to_have_count(0)
    page.wait_for_selector('section[data-figure][data-exact="1"]')
