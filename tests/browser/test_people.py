"""The pages of people, and the list: with a keyboard alone, on a phone, and as axe-core sees them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.library.library import Library

from ..patience import PATIENCE
from .axe import faults
from .served import Server, start_server

PASSWORD = "correct horse battery staple"
SECRET = document(figure(title="Secret").points("points", "x", "y"), id="secret").to_json()
CONTEXTS = pytest.mark.parametrize(
    "context",
    [
        {"viewport": {"width": 1280, "height": 800}},
        {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark", "has_touch": True},
    ],
    indirect=True,
    ids=["desk", "phone in the dark"],
)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(tmp_path_factory.mktemp("people")) as found:
        found.users.add("ada", password=PASSWORD)
        found.users.add("bob")
        yield found


@pytest.fixture(scope="module")
def peopled(files: Path, library: Library) -> Iterator[Server]:
    running = start_server("points.parquet", f"--library={library.directory}", cwd=files)
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def _secret(library: Library) -> None:
    """ada's document, which nobody else may see."""
    library.documents.put("secret", SECRET, title="Secret", datasets=["points"], author="ada")
    library.access.set("document", "secret", False, {})


@pytest.fixture
def visitor(context: BrowserContext) -> Page:
    """A page of nobody's; errors of scripts fail the test."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1_000)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    return page


def signed_in(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/_/login")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{server.url}/")


@CONTEXTS
def test_pages_have_no_serious_fault_and_fit(visitor: Page, peopled: Server, library: Library) -> None:
    def check() -> None:
        visitor.wait_for_load_state()  # before it, a page has no title yet
        assert faults(visitor) == []
        assert visitor.evaluate("() => document.documentElement.scrollWidth <= innerWidth")

    visitor.goto(f"{peopled.url}/secret/")
    check()
    visitor.get_by_label("User name").fill("ada")
    visitor.get_by_label("Password").fill("wrong")
    visitor.get_by_label("Password").press("Enter")
    expect(visitor.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
    check()
    visitor.goto(f"{peopled.url}/_/link/{library.users.make_link('bob')}")
    check()
    signed_in(visitor, peopled)
    check()  # the list
    visitor.goto(f"{peopled.url}/_/account")
    visitor.get_by_role("button", name="Make a token").click()
    expect(visitor.get_by_role("status")).to_have_text("Copy it now: it is not shown again.")
    check()
    visitor.goto(f"{peopled.url}/_/documents/secret/access")
    check()
    visitor.goto(f"{peopled.url}/nothing/")
    check()


@pytest.mark.parametrize("link", ["secret/#x0=-1&x1=1&y0=-0.5&y1=0.5", "secret/?v="])
def test_the_login_leads_on_to_the_view(visitor: Page, peopled: Server, library: Library, link: str) -> None:
    view = "x0=-1&x1=1&y0=-0.5&y1=0.5"
    kept = library.views.put("secret", view, "ada") if link.endswith("=") else ""
    visitor.goto(f"{peopled.url}/{link}{kept}")
    visitor.get_by_label("User name").fill("ada")
    for password in ("wrong", PASSWORD):
        visitor.get_by_label("Password").fill(password)
        visitor.get_by_label("Password").press("Enter")
        if password == "wrong":
            expect(visitor.get_by_role("alert")).to_be_visible()
    visitor.wait_for_url(f"{peopled.url}/secret/#*")
    visitor.wait_for_selector('[data-ready="1"]')
    found = visitor.evaluate("() => Object.fromEntries(new URLSearchParams(location.hash.slice(1)))")
    assert [float(found[key]) for key in ("x0", "x1")] == [-1, 1]


def test_with_the_keyboard_alone(visitor: Page, peopled: Server, library: Library) -> None:
    """From a document's address, by the login, to it; then it is shared and made public, and signed out of."""
    visitor.goto(f"{peopled.url}/secret/")
    expect(visitor.get_by_label("User name")).to_be_focused()
    visitor.keyboard.type("ada")
    visitor.keyboard.press("Tab")
    visitor.keyboard.type(PASSWORD)
    visitor.keyboard.press("Enter")
    visitor.wait_for_url(f"{peopled.url}/secret/*")
    visitor.goto(f"{peopled.url}/_/documents/secret/access")
    tab_to(visitor, "Make public")
    visitor.keyboard.press("Enter")
    expect(visitor.get_by_role("button", name="Make private")).to_be_visible()
    tab_to(visitor, "User")
    visitor.keyboard.type("bob")
    visitor.keyboard.press("Enter")
    expect(visitor.get_by_role("row", name="bob")).to_contain_text("viewer")
    assert library.access.get("document", "secret") == {"public": True, "users": {"ada": "owner", "bob": "viewer"}}
    visitor.goto(f"{peopled.url}/_/account")
    tab_to(visitor, "Sign out")
    visitor.keyboard.press("Enter")
    visitor.wait_for_url(f"{peopled.url}/_/login")
    assert visitor.goto(f"{peopled.url}/secret/").status == 200  # it is public
    assert "/_/login" in visitor.goto(f"{peopled.url}/points/").url


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control of that name has the focus."""
    for _ in range(40):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => document.activeElement.closest('label')?.innerText ?? document.activeElement.innerText ?? ''"
        )
        if focused.strip().startswith(name):
            return
    raise AssertionError(f"Tab does not lead to {name}")


def test_a_page_that_is_open_says_that_its_reader_was_signed_out(
    visitor: Page, peopled: Server, library: Library
) -> None:
    signed_in(visitor, peopled)
    visitor.goto(f"{peopled.url}/points/")
    visitor.wait_for_function("() => document.documentElement.dataset.ready === '1'")
    library.sessions.end_all("ada")
    expect(visitor.get_by_text("Sign in to see this.")).to_be_visible()


def test_a_page_of_another_origin_changes_nothing(visitor: Page, peopled: Server, library: Library) -> None:
    """A form on a page of another port of this machine: browsers call it same-site, and send the cookie with it."""
    signed_in(visitor, peopled)
    action = f"{peopled.url}/_/documents/secret/access"
    page = f'<form method="post" action="{action}"><input name="action" value="public"><button>Win</button></form>'
    visitor.route("http://127.0.0.1:59999/", lambda route: route.fulfill(body=page, content_type="text/html"))
    visitor.goto("http://127.0.0.1:59999/")
    with visitor.expect_response(action) as sent:
        visitor.get_by_role("button").click()
    assert "bigviz-" in sent.value.request.all_headers()["cookie"]
    assert sent.value.status == 403 and library.access.get("document", "secret")["public"] is False
