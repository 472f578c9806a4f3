"""A brush in a figure shows its rows in those that are linked, while it is dragged, and with the keyboard alone."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from .driver import figure, open_page, pixels, plot, rest, until
from .served import Server, start_server

ROWS = 300_000
WHERE, OTHER, FARES, KINDS, SAME = range(5)
BOX = [-1, -0.5, 2, 2]
IS_FILTERED = """(s) => {
  const { exact, brush, old } = document.querySelector(s).dataset;
  return exact === "1" && brush === undefined && old === undefined;
}"""
CHROME = "(s) => document.querySelector(`${s} canvas.chrome`).toDataURL()"
SAME_NUMBERS = """() => {
  const [count, same] = ['count', 'same'].map((id) => document.querySelector(`[data-control=${id}]`).dataset.value);
  return count !== undefined && count === same;
}"""


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("linked")
    rng = np.random.default_rng(21)
    x, y, u, v = rng.normal(size=(4, ROWS))
    columns = {"x": x, "y": y, "u": u + x, "v": v, "fare": np.abs(x * 3 + 9), "kind": rng.choice(["a", "b", "c"], ROWS)}
    pq.write_table(pa.table(columns), folder / "trips.parquet")
    shutil.copy(Path(__file__).parent / "linked.py", folder / "linked.py")
    running = start_server("linked.py", cwd=folder)
    yield running
    running.stop()


def step(page: Page, number: int) -> int:
    """The step of the brush that a figure draws; 0 without."""
    return int(page.locator(figure(number)).get_attribute("data-brush") or 0)


def await_step(page: Page, after: int, *numbers: int) -> None:
    for number in numbers:
        page.wait_for_function(
            "([s, n]) => Number(document.querySelector(s).dataset.brush ?? 0) > n", arg=[figure(number), after]
        )


def test_a_brush_draws_what_a_filter_does(page: Page, linked: Server) -> None:
    open_page(page, f"{linked.url}/linked/#brush={quote(json.dumps({'box': BOX}))}")
    await_step(page, 0, OTHER, FARES, KINDS)
    rest(page)
    brushed, filtered = pixels(page, OTHER), pixels(page, SAME)
    np.testing.assert_array_equal(brushed, filtered)
    assert len(np.unique(brushed.reshape(-1, 4), axis=0)) > 20
    assert step(page, WHERE) == 0 == step(page, SAME)


def test_it_is_dragged_moved_and_taken_away(page: Page, linked: Server) -> None:
    open_page(page, f"{linked.url}/linked/")
    box = plot(page, WHERE)
    page.mouse.move(*box.at(0.4, 0.4))
    page.mouse.down()
    page.mouse.move(*box.at(0.5, 0.6), steps=5)
    await_step(page, 0, OTHER, FARES, KINDS)
    first = step(page, FARES)
    page.mouse.move(*box.at(0.6, 0.7), steps=5)
    await_step(page, first, OTHER, FARES, KINDS)
    page.mouse.up()
    rest(page)
    expect(page.locator(f"{figure(WHERE)} .brush")).to_have_text(re.compile(r"^[\d,]+ rows$"))
    second, small = step(page, FARES), pixels(page, FARES)
    page.mouse.move(*box.at(0.5, 0.55))
    page.mouse.down()  # inside: it is moved
    page.mouse.move(*box.at(0.45, 0.5), steps=3)
    page.mouse.up()
    await_step(page, second, FARES)
    rest(page)
    assert "brush=" in page.url and (pixels(page, FARES) != small).any()
    bars = plot(page, KINDS)
    third = step(page, FARES)
    page.mouse.click(*bars.at(0.2, 0.9))
    await_step(page, third, OTHER, FARES)
    assert '{"labels":["a"]}' in page.evaluate("() => decodeURIComponent(location.hash)") or rest(page) is None
    page.mouse.click(*box.at(0.05, 0.05))  # beside the brush: it is gone, and the bars' is left
    page.wait_for_function("s => document.querySelector(s).dataset.brush === undefined", arg=figure(KINDS))
    page.keyboard.press("Tab")
    page.locator(f"{figure(KINDS)} .surface").focus()
    page.keyboard.press("Escape")
    page.wait_for_function("s => document.querySelector(s).dataset.brush === undefined", arg=figure(FARES))
    rest(page)
    assert "brush" not in page.url


def test_a_slider_moves_brushes_that_rest(page: Page, linked: Server) -> None:
    open_page(page, f"{linked.url}/linked/#brush={quote(json.dumps({'box': BOX}))}&c.least=4")
    await_step(page, 0, OTHER, FARES, KINDS)
    rest(page)
    np.testing.assert_array_equal(pixels(page, OTHER), pixels(page, SAME))
    until(page, SAME_NUMBERS)
    before, bars, counted = step(page, OTHER), pixels(page, KINDS), numbers(page)
    slider = page.locator('[data-control="least"] input[type="range"]')
    slider.focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    await_step(page, before, OTHER, FARES, KINDS)
    until(page, "c => document.querySelector('[data-control=count]').dataset.value !== c", str(counted[0]))
    until(page, SAME_NUMBERS)
    until(page, IS_FILTERED, figure(SAME))
    rest(page)  # the figures have become layers of the new value
    np.testing.assert_array_equal(pixels(page, OTHER), pixels(page, SAME))
    one, other = (page.evaluate(CHROME, figure(each)) for each in (OTHER, SAME))
    assert one == other  # the key alone was drawn again at each step, with what is round it at once
    assert (pixels(page, KINDS) != bars).any() and numbers(page)[0] != counted[0]
    page.locator(f"{figure(WHERE)} .surface").focus()
    page.keyboard.press("Escape")
    page.wait_for_function("s => document.querySelector(s).dataset.brush === undefined", arg=figure(OTHER))
    until(page, "c => document.querySelector('[data-control=count]').dataset.value === c", str(ROWS))


def numbers(page: Page) -> list[str | None]:
    """What the live figures say: of the link, and of the filter that is the same."""
    return [page.locator(f'[data-control="{name}"]').get_attribute("data-value") for name in ("count", "same")]


def test_the_keyboard_alone_brushes(page: Page, linked: Server) -> None:
    open_page(page, f"{linked.url}/linked/")
    button = page.locator(f'{figure(FARES)} [data-act="brush"]')
    for pressed in ("false", "true"):
        button.press("Enter")
        expect(button).to_have_attribute("aria-pressed", pressed)
    page.locator(f"{figure(FARES)} .surface").focus()
    page.keyboard.press("Enter")
    await_step(page, 0, WHERE, OTHER, KINDS)
    rest(page)
    before = json.loads(page.evaluate("() => new URLSearchParams(location.hash.slice(1)).get('brush.2')"))["range"]
    first = step(page, WHERE)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    await_step(page, first, WHERE)
    rest(page)
    after = json.loads(page.evaluate("() => new URLSearchParams(location.hash.slice(1)).get('brush.2')"))["range"]
    assert after[0] > before[0] and after[1] == pytest.approx(before[1])
    page.keyboard.press("k")
    assert button.get_attribute("aria-pressed") == "false"
