"""What a page shows of a table that is not indexed yet: an estimate at once, said to be one, and exact in the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from bigviz.wire.frames import Type, parse

from .driver import choose, figure, moving, open_page, pixels, plot, rest, settle
from .served import Server, start_server

ROWS = 3_000_000
GROUP = 200_000
STATE = f'{figure()} [data-part="state"]'

# From now on each state of the figure is noted: exact, and the words about an estimate.
_WATCH = """() => {
  const section = document.querySelector('section[data-figure="0"]');
  const line = section.querySelector('.status-line');
  window.states = [];
  const words = () => line.querySelector('[data-part="state"]').textContent;
  const note = () => states.push([section.dataset.exact, words().startsWith('estimate: ') ? words() : '']);
  new MutationObserver(note).observe(section, { attributes: true, attributeFilter: ["data-exact"] });
  new MutationObserver(note).observe(line, { childList: true, characterData: true, subtree: true });
}"""


@pytest.fixture(scope="module")
def large_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with enough rows to be sampled, in row groups of 200,000."""
    folder = tmp_path_factory.mktemp("large")
    rng = np.random.default_rng(5)
    x, y, z = rng.normal(0, 1, (3, ROWS)).astype(np.float32)
    kind = pa.DictionaryArray.from_arrays(rng.integers(0, 3, ROWS).astype(np.int32), pa.array(["ash", "elm", "fir"]))
    gaps = np.where(rng.random(ROWS) < 0.01, np.nan, z)
    table = pa.table({"x": x, "y": y, "z": z, "gaps": gaps, "t": np.arange(ROWS), "kind": kind})
    pq.write_table(table, folder / "large.parquet", row_group_size=GROUP)
    return folder


@pytest.fixture(scope="module")
def large(large_folder: Path) -> Iterator[Server]:
    running = start_server("large.parquet", "--index", "never", cwd=large_folder)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def scanned(large: Server, large_folder: Path) -> Iterator[Server]:
    """The same table, and memory for no index."""
    running = start_server("large.parquet", "--index", "never", "--cache", "40MB", cwd=large_folder)
    yield running
    running.stop()


def states(page: Page) -> list[tuple[str, str]]:
    return [(exact, words) for exact, words in page.evaluate("() => states")]


def test_other_columns_are_estimated_first_and_exact_in_the_end(page: Page, large: Server):
    open_page(page, f"{large.url}/large/")
    expect(page.locator(STATE)).to_have_text("exact")
    page.evaluate(_WATCH)
    choose(page, "y", "z")
    page.wait_for_function("() => states.some(([exact, words]) => words.startsWith('estimate: '))")
    page.wait_for_function("() => states.length && states.at(-1)[0] === '1' && states.at(-1)[1] === ''")
    seen = states(page)
    assert all(exact == "0" for exact, words in seen if words), "an estimate is never called exact"
    said = [words for _, words in seen if words]
    assert said and all("% of rows" in words for words in said)
    assert any("±" in words for words in said)
    expect(page.locator(STATE)).to_have_text("exact")
    settled = pixels(page)
    rest(page)
    page.reload()
    open_page(page, page.url)
    settle(page)
    np.testing.assert_array_equal(settled, pixels(page), "the picture is that of a page that never saw an estimate")


def test_a_home_that_becomes_better_known_is_no_step_to_undo(page: Page, large: Server):
    open_page(page, f"{large.url}/large/#x=z&y=x")
    settle(page)
    rest(page, 350)  # as long as the page waits before it calls a view at rest
    assert page.locator(f'{figure()} [data-act="undo"]').is_disabled()


def test_a_line_is_estimated_first(page: Page, large: Server):
    open_page(page, f"{large.url}/large/")
    page.evaluate(_WATCH)
    choose(page, "x", "t")
    settle(page)
    choose(page, "glyph", "line")
    page.wait_for_function("() => states.length && states.at(-1)[0] === '1' && states.at(-1)[1] === ''")
    assert page.locator(f"{figure()} form [name=glyph]").input_value() == "line"
    assert all(exact == "0" for exact, words in states(page) if words)


def test_a_view_that_moves_while_it_is_estimated_ends_exact(page: Page, large: Server):
    open_page(page, f"{large.url}/large/")
    page.evaluate(_WATCH)
    choose(page, "x", "z")
    page.wait_for_function("() => states.some(([exact, words]) => words.startsWith('estimate: '))")
    box = page.locator(f"{figure()} canvas.data").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -300)
    page.wait_for_function("() => states.at(-1)[0] === '1' && states.at(-1)[1] === ''")
    settle(page)
    measures = page.evaluate("() => performance.getEntriesByName('bigviz:view').map(({ detail }) => detail.figure)")
    assert measures.count(0) >= 1


class LateFacts:
    """Between a page of one figure and its server: final facts of what was estimated come after the view's end."""

    def __init__(self, page: Page) -> None:
        self.estimated: set[int] = set()  # requests about layers
        self._held: list[bytes] = []
        self._ended = False
        self._sequence = 0
        page.route_web_socket(lambda url: urlsplit(url).path.endswith("/ws"), self._connect)

    def _connect(self, route: WebSocketRoute) -> None:
        self._route = route
        route.connect_to_server().on_message(self._take)

    def _take(self, message: str | bytes) -> None:
        assert isinstance(message, bytes)
        frame = parse(message)
        if frame.type == Type.LAYER and json.loads(frame.json)["provisional"]:
            self.estimated.add(frame.request)
        elif frame.type == Type.LAYER and frame.request in self.estimated and not self._ended:
            self._held.append(message)
            return
        self._pass(message)
        if frame.type == Type.DONE:
            self._ended = True
            for each in self._held:
                self._pass(each)
            self._held.clear()

    def _pass(self, message: bytes) -> None:
        self._sequence += 1
        self._route.send(message[:24] + self._sequence.to_bytes(8, "little") + message[32:])


def test_a_view_that_is_answered_before_the_final_facts_ends_exact(page: Page, large: Server):
    """It does not move when they come: the address says where it is."""
    late = LateFacts(page)
    open_page(page, f"{large.url}/large/#x=gaps&y=z&x0=-1&x1=1&y0=-1&y1=1")
    assert late.estimated
    expect(page.locator(STATE)).to_have_text("exact")


@pytest.mark.parametrize("agg", ["any", "by(kind, mean(z))", "by(kind, any)"])
def test_every_reduction_is_drawn(page: Page, large: Server, agg: str):
    """Also those whose planes come as values where others of the name have counts."""
    open_page(page, f"{large.url}/large/#agg={quote(agg)}")
    drawn = pixels(page)
    assert len(np.unique(drawn.reshape(-1, 4), axis=0)) >= (2 if agg == "any" else 8)
    assert (drawn[..., :3].sum(axis=2) > 60).mean() > 0.05, "something is there to be seen"


def test_numbers_beside_an_estimate_carry_its_mark(page: Page, large: Server):
    open_page(page, f"{large.url}/large/")
    page.evaluate(
        """() => {
          const line = document.querySelector('section[data-figure="0"] .status');
          const part = name => line.querySelector(`[data-part="${name}"]`)?.textContent ?? '';
          window.told = [];
          const note = () => told.push([part('state'), part('rows')]);
          new MutationObserver(note).observe(line, { childList: true, characterData: true, subtree: true });
        }"""
    )
    choose(page, "x", "gaps")
    page.wait_for_function("() => told.length && told.at(-1)[0] === 'exact' && told.at(-1)[1].includes('not drawn')")
    told = page.evaluate("() => told")
    beside = {rows for state, rows in told if state.startswith("estimate: ") and "not drawn" in rows}
    assert beside and all(", about " in rows for rows in beside), told
    assert "about" not in told[-1][1]


def test_columns_that_memory_does_not_hold_are_scanned(page: Page, scanned: Server):
    open_page(page, f"{scanned.url}/large/")
    page.evaluate(_WATCH)
    choose(page, "x", "z")
    choose(page, "y", "x")
    page.wait_for_function("() => states.length && states.at(-1)[0] === '1' && states.at(-1)[1] === ''")
    settle(page)
    assert all(exact == "0" for exact, words in states(page) if words)
    expect(page.locator(STATE)).to_have_text("exact")
    drawn = pixels(page)
    rest(page)
    page.reload()
    open_page(page, page.url)
    settle(page)
    np.testing.assert_array_equal(pixels(page), drawn, "the picture is that of a page that never saw an estimate")


def test_few_rows_of_a_scanned_layer_are_marks(page: Page, scanned: Server):
    open_page(page, f"{scanned.url}/large/#x=z&y=x&x0=0&x1=0.01&y0=0&y1=0.01")
    settle(page)
    expect(page.locator(STATE)).to_have_text("exact")
    with moving(page):
        middle = plot(page).middle
        page.mouse.move(*middle)
        page.mouse.wheel(0, -300)
    expect(page.locator(STATE)).to_have_text("exact")
