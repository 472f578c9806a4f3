"""What one chooses in a figure's form: columns found by typing, the reduction apart from its column."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

from .driver import choose, figure, frames, moving, open_page, pixels, plot, settle, until, view, watching
from .served import Server, start_server

COLUMNS = 300
ROWS = 400
POINTS = "#x=m0&y=m1&glyph=points"


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`table`: 300 columns of numbers, one with spaces in its name, one of labels and one that cannot be drawn."""
    rng = np.random.default_rng(300)
    columns: dict[str, pa.Array] = {f"m{k}": pa.array(rng.normal(size=ROWS)) for k in range(COLUMNS)}
    columns["pump temperature 7"] = pa.array(rng.normal(size=ROWS))
    columns["kind"] = pa.array(rng.choice(["ash", "elm"], ROWS)).dictionary_encode()
    columns["parts"] = pa.array([[1, 2]] * ROWS)
    folder = tmp_path_factory.mktemp("wide")
    pq.write_table(pa.table(columns), folder / "table.parquet")
    running = start_server("table.parquet", cwd=folder)
    yield running
    running.stop()


def shown(page: Page) -> list[str]:
    """The names in the list that is open."""
    return page.locator(".choices:popover-open [role=option] .name").all_text_contents()


def test_a_column_among_300_is_found_by_typing(page: Page, wide: Server) -> None:
    open_page(page, f"{wide.url}/table/{POINTS}")
    box = page.get_by_role("combobox", name="y", exact=True)
    box.click()
    assert len(shown(page)) == 100
    expect(page.locator(".choices:popover-open .more")).to_have_text(f"{COLUMNS + 2 - 100} more: type to search")
    page.keyboard.type("pump t")
    assert shown(page) == ["pump temperature 7"]
    page.keyboard.press("Enter")
    expect(box).to_have_value("pump temperature 7")
    expect(page.locator(".choices:popover-open")).to_have_count(0)
    until(page, "() => new URLSearchParams(location.hash.slice(1)).get('y') === 'pump temperature 7'")


def test_arrows_choose_and_escape_gives_up(page: Page, wide: Server) -> None:
    open_page(page, f"{wide.url}/table/{POINTS}")
    box = page.get_by_role("combobox", name="x", exact=True)
    box.focus()
    page.keyboard.type("m29")
    assert shown(page)[:3] == ["m29", "m290", "m291"]
    page.keyboard.press("ArrowDown")
    active = box.get_attribute("aria-activedescendant")
    assert active
    expect(page.locator(f"#{active} .name")).to_have_text("m290")
    page.keyboard.press("Escape")
    expect(box).to_have_value("m0")
    assert box.get_attribute("aria-expanded") == "false"
    page.keyboard.type("m29")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(box).to_have_value("m291")
    box.fill("no such column")
    box.blur()
    expect(box).to_have_value("m291")


def test_a_column_that_cannot_be_drawn_is_found_with_its_reason(page: Page, wide: Server) -> None:
    open_page(page, f"{wide.url}/table/{POINTS}")
    box = page.get_by_role("combobox", name="y", exact=True)
    box.fill("parts")
    option = page.get_by_role("option", name="parts")
    assert option.get_attribute("aria-disabled") == "true"
    assert (option.get_attribute("title") or "").startswith("parts: ")
    page.keyboard.press("Enter")
    expect(box).to_have_value("parts")
    page.keyboard.press("Escape")
    expect(box).to_have_value("m1")


def test_a_reduction_and_its_column_are_two_choices(page: Page, wide: Server) -> None:
    open_page(page, f"{wide.url}/table/{POINTS}")
    agg = page.locator(f'{figure()} [name="agg"]')
    choose(page, "reduction", "mean")
    expect(agg).to_have_value("mean(m2)")
    choose(page, "of", "pump temperature 7")
    expect(agg).to_have_value("mean(pump temperature 7)")
    choose(page, "reduction", "max")
    expect(agg).to_have_value("max(pump temperature 7)")
    choose(page, "reduction", "by")
    expect(agg).to_have_value("by(kind)")
    choose(page, "reduction", "count")
    expect(agg).to_have_value("count")
    expect(page.locator('[name="of"]')).to_be_hidden()


@pytest.mark.parametrize("context", [{"viewport": {"width": 1280, "height": 600}}], indirect=True)
def test_every_option_is_read_and_none_moves_the_plot(page: Page, wide: Server) -> None:
    open_page(page, f"{wide.url}/table/{POINTS}")
    before = plot(page)
    for name in ("cmap", "how", "reduction"):
        control = page.locator(f'{figure()} [name="{name}"]')
        for value in control.evaluate("e => [...e.options].map(option => option.value)"):
            control.select_option(value)
            frames(page)
            cut = control.locator("selectedcontent").evaluate("e => e.scrollWidth - e.clientWidth")
            assert (cut, plot(page).y) == (0, before.y), value


def test_a_reduction_can_be_written(page: Page, wide: Server) -> None:
    open_page(page, f"{wide.url}/table/{POINTS}")
    choose(page, "agg", "mean(m5)")
    expect(page.locator('[name="reduction"]')).to_have_value("mean")
    expect(page.locator('[name="of"]')).to_have_value("m5")
    choose(page, "agg", "by(kind, mean(m5))")
    expect(page.locator('[name="reduction"] option:checked')).to_have_text("as written")
    expect(page.locator('[name="of"]')).to_be_hidden()
    until(page, "() => new URLSearchParams(location.hash.slice(1)).get('agg') === 'by(kind, mean(m5))'")
    choose(page, "reduction", "count")
    expect(page.locator('[name="agg"]')).to_have_value("count")
    until(page, "() => !location.hash.includes('agg')")


def test_every_choice_is_undone_and_done_again(page: Page, wide: Server) -> None:
    open_page(page, f"{wide.url}/table/{POINTS}")
    names = ("x", "y", "agg", "glyph", "cmap", "how", "xaxis")

    def chosen() -> list[str]:
        return [page.locator(f'{figure()} [name="{name}"]').input_value() for name in names]

    changes = [("cmap", "bmy"), ("how", "log"), ("agg", "mean(m5)"), ("x", "m7"), ("y", "m8"), ("xaxis", "log")]
    steps, pictures = [chosen()], [pixels(page)]
    for name, value in changes:
        choose(page, name, value)
        settle(page)
        steps.append(chosen())
        pictures.append(pixels(page))
    for k in reversed(range(len(changes))):
        page.locator('[data-act="undo"]').click()
        settle(page)
        assert chosen() == steps[k]
        assert (pixels(page) == pictures[k]).all()
    expect(page.locator('[data-act="undo"]')).to_be_disabled()
    # In the form's boxes too, where a browser would leave the page.
    page.locator('[name="y"]').focus()
    for k in range(len(changes)):
        page.keyboard.press("Alt+ArrowRight")
        settle(page)
        assert chosen() == steps[k + 1]
        assert (pixels(page) == pictures[k + 1]).all()


def test_undo_of_a_column_brings_its_view_back(page: Page, wide: Server) -> None:
    open_page(page, f"{wide.url}/table/{POINTS}")
    page.locator(f"{figure()} .surface").focus()
    with moving(page):
        page.keyboard.press("+")
    before = view(page)
    choose(page, "x", "m9")
    settle(page)
    page.keyboard.press("Alt+ArrowLeft")
    settle(page)
    until(page, "() => new URLSearchParams(location.hash.slice(1)).get('x') !== 'm9'")
    assert view(page) == before


# Names the figure's state when a text is drawn, once the frame that draws it is done.
HEAR = """() => {
  window.heard = [];
  const { fillText } = CanvasRenderingContext2D.prototype;
  const section = document.querySelector('section[data-figure]');
  CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
    queueMicrotask(() => heard.push([text, section.dataset.old ?? '']));
    return fillText.call(this, text, ...rest);
  };
}"""


def test_the_old_picture_is_dimmed_and_keeps_its_title(page: Page, wide: Server) -> None:
    open_page(page, f"{wide.url}/table/{POINTS}")
    page.evaluate(HEAR)
    at_once = page.evaluate("""() => {
      const box = document.querySelector('[name=agg]');
      box.value = 'mean(m5)';
      box.dispatchEvent(new Event('change'));
      const canvas = document.querySelector('canvas.data');
      return [canvas.closest('section').dataset.old, Number(getComputedStyle(canvas).opacity) < 0.6];
    }""")
    assert at_once == ["1", True]
    settle(page)
    heard = page.evaluate("() => heard")
    assert ["mean(m5)", ""] in heard
    assert ["mean(m5)", "1"] not in heard
    assert page.locator(f"{figure()}[data-old]").count() == 0


def test_a_picture_stays_until_the_next_one_has_come(page: Page, wide: Server) -> None:
    """The key next to the plot changes its width with the categories, and with it the canvas."""
    open_page(page, f"{wide.url}/table/{POINTS}")
    with watching(page) as seen:
        choose(page, "agg", "by(kind)")
        settle(page)
    assert seen.blank == () and seen.frames > 0
