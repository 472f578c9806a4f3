"""The legend of categories: hides them, shows them, keeps one alone, with pointer and keyboard; nothing is read."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from .axe import faults
from .driver import count_messages, hash_of, hover, open_page, plot, rest, settle, tip
from .served import LABELS, Server, Tables


def test_the_legend_hides_categories(page: Page, server: Server, tables: Tables) -> None:
    open_page(page, f"{server.url}/points/#agg=by(kind)")
    keys = page.locator('.legend-entries[data-of="categories"]')
    first = keys.get_by_role("button", name=LABELS[0])
    expect(first).to_have_attribute("aria-pressed", "true")
    rows = int((tables.kind == 0).sum())
    expect(first).to_have_attribute("aria-label", f"{LABELS[0]}, {rows:,} rows in view")
    middle = plot(page).at(0.5, 0.5)
    hover(page, *middle)
    before = tip(page)
    assert LABELS[0] in before
    page.mouse.move(1, 1)
    with count_messages(page) as messages:
        first.click()
        expect(first).to_have_attribute("aria-pressed", "false")
        settle(page)
        hover(page, *middle)
        after = tip(page)
        assert LABELS[0] not in after
        assert int(before["all"].replace(",", "")) - int(before[LABELS[0]]) == int(after["all"].replace(",", ""))
        page.keyboard.press("Escape")
        keys.get_by_role("button", name=LABELS[1]).focus()
        page.keyboard.press("Shift+Enter")
        rest(page)
        assert json.loads(hash_of(page)["hide"]) == [label for label in LABELS if label != LABELS[1]]
        page.keyboard.press("Shift+Enter")
        rest(page)
        assert "hide" not in hash_of(page)
        keys.get_by_role("button", name=LABELS[2]).dblclick()
        rest(page)
        assert len(json.loads(hash_of(page)["hide"])) == len(LABELS) - 1
        page.keyboard.press("Shift+Enter")
        rest(page)
        assert "hide" not in hash_of(page)
        assert messages() == 0
    assert faults(page) == []
    open_page(page, f"{server.url}/points/?again#agg=by(kind)&hide=%5B%22{LABELS[3]}%22%5D")
    hidden = page.locator('.legend-entries[data-of="categories"] button[aria-pressed="false"]')
    expect(hidden).to_have_count(1)
