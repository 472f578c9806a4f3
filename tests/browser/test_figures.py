"""Several figures, several layers: linked ranges, a document drawn from its JSON alone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .driver import choose, count_messages, figure, hash_of, moving, open_page, pixels, plot, settle, tip, view
from .served import Server


@pytest.fixture
def three(page: Page, app: Server) -> Page:
    open_page(page, f"{app.url}/app/")
    return page


def test_rows_and_columns_stand_where_the_document_says(three: Page) -> None:
    boxes = [three.locator(figure(k)).bounding_box() for k in range(3)]
    assert all(boxes)
    every, kinds, walk = (b or {} for b in boxes)
    assert every["y"] == kinds["y"] and every["x"] + every["width"] <= kinds["x"] + 1
    assert walk["y"] >= every["y"] + every["height"]
    assert walk["width"] > 1.9 * every["width"]
    expect(three.get_by_role("heading", level=1)).to_have_text("Three figures")
    assert three.get_by_role("heading", level=2).all_inner_texts()[:3] == ["Every point", "By kind", "Walk"]
    assert three.title() == "Three figures"


def test_linked_figures_move_together(three: Page) -> None:
    walk = pixels(three, 2)
    three.mouse.move(*plot(three, 1).at(0.4, 0.4))
    with moving(three, 0), moving(three, 1):
        three.mouse.wheel(0, -240)
    assert view(three, 0) == view(three, 1)
    settle(three, 2)
    assert (pixels(three, 2) == walk).all()
    with moving(three, 1):
        three.locator(f"{figure(0)} .surface").focus()
        three.keyboard.press("ArrowRight")
    assert view(three, 0) == view(three, 1)


def test_each_figure_has_its_own_form_and_keys(three: Page) -> None:
    three.locator(f'{figure(1)} [data-act="settings"]').click()
    choose(three, "agg", "count", 1)
    settle(three, 1)
    choose(three, "cmap", "kbc", 1)
    settle(three, 1)
    three.wait_for_function("() => location.hash.includes('cmap.1=kbc')")
    assert hash_of(three) == {"agg.1": "count", "cmap.1": "kbc"}
    three.reload()
    three.wait_for_selector('html[data-ready="1"]', state="attached")
    assert three.locator(f'{figure(1)} [name="agg"]').input_value() == "count"
    assert three.locator(f'{figure(0)} [name="cmap"]').input_value() == "fire"


def test_points_and_a_line_share_axes(three: Page) -> None:
    box = plot(three, 2)
    shown = pixels(three, 2)[..., :3].astype(int)
    orange = (shown[..., 0] > 150) & (shown[..., 2] < 80)
    assert orange.any(axis=0).mean() > 0.6
    three.mouse.move(*box.at(0.3, 0.5))
    assert "time" in tip(three, 2)
    with moving(three, 2):
        three.locator(f"{figure(2)} .surface").focus()
        three.keyboard.press("+")
    expect(three.locator(f'{figure(2)} [name="layer"]')).to_have_count(1)


def test_restyling_one_of_several_sends_nothing(three: Page) -> None:
    three.locator(f'{figure(0)} [data-act="settings"]').click()
    settle(three, 0)
    with count_messages(three) as sent:
        before = pixels(three, 0)
        choose(three, "cmap", "bmy")
        settle(three)
        assert (pixels(three, 0) != before).any()
        assert sent() == 0


def test_undo_goes_back_in_each(three: Page) -> None:
    with moving(three, 0):
        three.locator(f"{figure(0)} .surface").focus()
        three.keyboard.press("+")
    undo = three.locator(f'{figure(0)} [data-act="undo"]')
    expect(undo).to_be_enabled()
    with moving(three, 1):
        undo.click()
    assert "x0" not in three.url
