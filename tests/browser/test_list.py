"""The list of documents, and the page for an unknown address, as people use them."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from ..patience import PATIENCE
from .served import Server


@pytest.mark.parametrize(
    "context",
    [
        {"viewport": {"width": 1280, "height": 800}},
        {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark", "has_touch": True},
    ],
    indirect=True,
    ids=["desk", "phone in the dark"],
)
def test_cards_with_pictures(page: Page, context: BrowserContext, server: Server) -> None:
    page.goto(server.url)
    cards = page.get_by_role("listitem").get_by_role("link")
    expect(cards).to_have_count(3)
    expect(cards.nth(0)).to_contain_text("200,000 rows · 4 columns")  # the page loads itself again
    page.wait_for_function("() => [...document.images].every((i) => i.complete && i.naturalWidth > 0)")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Tab")
    expect(cards.nth(0)).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{server.url}/points/*")


def test_from_an_unknown_address_to_the_nearest_document(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1_000)
    answer = page.goto(f"{server.url}/pionts/")
    assert answer is not None and answer.status == 404
    expect(page.get_by_role("heading")).to_have_text("There is no plot named “pionts”")
    page.get_by_role("link", name="points").click()
    page.wait_for_url(f"{server.url}/points/*")
