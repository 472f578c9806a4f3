"""Plots in pages of other origins, in a browser on two of them: drawn where that is allowed, refused with a sentence
where it is not, and never with the rights of whoever looks at the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

import bigviz as bv
from bigviz.document.document import document
from bigviz.document.figure import figure
from bigviz.library.library import Library
from bigviz.library.secrets import new_secret

from .foreign import Foreign, foreign_pages, plots, sentence, title, visiting
from .served import Server, start_server

EXAMPLE = Path(__file__).parents[2] / "examples" / "embedding.html"
HIDE = "iframe, div, canvas { display: none; width: 3px; height: 3px; transform: scale(0.1) }"
SOCKET = """address => new Promise(done => {
  const made = new WebSocket(address);
  made.onmessage = () => done('read');
  made.onclose = () => done('refused');
})"""
FETCH = "([address, options]) => fetch(address, options).then(answer => answer.status, () => 'refused')"


@dataclass
class Town:
    """A server with users, and three origins: two of them are allowed."""

    server: Server
    library: Library
    near: Foreign  # another port of the same host: same-site, so browsers send it the server's cookies
    far: Foreign  # another site
    refused: Foreign
    secret: Path

    def tag(self, name: str, **options: object) -> str:
        return bv.embed(name, self.server.url, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def town(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    directory = tmp_path_factory.mktemp("embedding")
    secret = directory / "secret.txt"
    secret.write_text(new_secret() + "\n")
    with ExitStack() as stack:
        library = stack.enter_context(Library.open(directory / "library"))
        library.users.add("ada")
        for name in ("open", "closed"):
            shown = document(figure(title=name).points("points", "x", "y"), id=name).to_json()
            library.documents.put(name, shown, title=name, datasets=["points"], author="ada")
        library.access.set("document", "open", True, {})
        near, far, refused = (stack.enter_context(foreign_pages(f"127.0.0.{n}")) for n in (1, 2, 3))
        allowed = [f"--allow-origin={each.origin}" for each in (near, far)]
        options = [f"--library={library.directory}", f"--secret-file={secret}", *allowed]
        server = start_server("points.parquet", *options, cwd=files)
        stack.callback(server.stop)
        yield Town(server, library, near, far, refused, secret)


@pytest.fixture
def visited(context: BrowserContext) -> tuple[Page, list[str]]:
    return visiting(context)


def sign_in(context: BrowserContext, town: Town) -> None:
    port = town.server.url.rpartition(":")[2]
    cookie = {"name": f"bigviz-{port}", "value": town.library.sessions.create("ada"), "url": town.server.url}
    context.add_cookies([cookie])  # type: ignore[list-item]


def test_two_plots_on_a_page_that_hides_everything_else(visited: tuple[Page, list[str]], town: Town) -> None:
    page, errors = visited
    blocking = town.tag("open", view="x0=-1&x1=1&y0=-1&y1=1").replace(" async", "")
    town.far.show(
        page,
        f'<style>{HIDE}</style><main style="width: 500px; height: 300px">{town.tag("open")}</main>'
        f'<section style="width: 400px">{blocking}</section>',
    )
    page.wait_for_function("() => document.querySelectorAll('.bigviz-embed').length === 2")
    first, second = plots(page, 2)
    assert title(first) == title(second) == "open"
    assert {frame.evaluate("() => [innerWidth, innerHeight].join()") for frame in (first, second)} == {
        "500,300",
        "400,480",
    }
    page.eval_on_selector("main", "box => { box.style.width = '640px'; box.style.height = '360px'; }")
    for frame in (first, second):
        if frame.evaluate("() => innerHeight") != 480:
            frame.wait_for_function("() => innerWidth === 640 && innerHeight === 360")
            frame.wait_for_function("() => document.querySelector('.surface').clientWidth > 500")
        else:
            assert "x0=-1" in frame.evaluate("() => location.hash")
    known = "() => Object.keys(window).filter((name) => /bigviz|embed/i.test(name))"
    assert page.evaluate(known) == [] and page.url == f"{town.far.origin}/"
    first.locator("[data-act=about]").click()
    expect(first.locator("dialog.about")).to_be_visible()
    assert errors == []


def test_the_wheel_is_the_pages_until_the_plot_is_clicked(visited: tuple[Page, list[str]], town: Town) -> None:
    page, _ = visited
    town.far.show(page, f'{town.tag("open")}<p style="height: 3000px">')
    page.wait_for_selector(".bigviz-embed")
    (frame,) = plots(page)
    box = frame.locator(".surface").bounding_box()
    assert box is not None
    at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*at)
    page.mouse.wheel(0, 60)
    page.wait_for_function("() => scrollY > 0")
    expect(frame.locator(".hint")).to_have_text("Click the plot, or hold Ctrl, to zoom with the wheel")
    expect(frame.locator("[data-act=undo]")).to_be_disabled()
    page.mouse.click(*at)
    page.mouse.wheel(0, -60)
    expect(frame.locator("[data-act=undo]")).to_be_enabled()


def test_the_example(visited: tuple[Page, list[str]], town: Town) -> None:
    page, errors = visited
    html = EXAMPLE.read_text("utf-8").replace("http://127.0.0.1:5006/sales/", f"{town.server.url}/open/")
    page.set_viewport_size({"width": 1000, "height": 1100})  # browsers draw nothing in frames that are out of sight
    town.far.show(page, html)
    page.wait_for_function("() => document.querySelectorAll('.bigviz-embed').length === 3")
    sizes = {frame.evaluate("() => innerHeight") for frame in plots(page, 3)}
    assert sizes == {300, 26 * 16} and errors == []
    assert {each.get_attribute("class") for each in page.locator("div.wide > *").all()} == {None, "bigviz-embed"}


def test_a_page_that_is_not_allowed_is_told_what_to_type(visited: tuple[Page, list[str]], town: Town) -> None:
    page, errors = visited
    town.refused.show(page, town.tag("open"))
    assert f"--allow-origin {town.refused.origin}" in sentence(page, errors)
    words = page.frames[1]
    expect(words.locator("main")).to_contain_text(f"--allow-origin {town.refused.origin}")
    assert words.locator("canvas").count() == 0


@pytest.mark.parametrize("query", ["", "?embed=1"])
def test_frames_without_a_script(visited: tuple[Page, list[str]], town: Town, query: str) -> None:
    page, errors = visited
    frame = f'<iframe src="{town.server.url}/open/{query}" width="600" height="400"></iframe>'
    town.far.show(page, frame)
    assert title(*plots(page)) == "open" and errors == []
    town.refused.show(page, frame)
    assert f"--allow-origin {town.refused.origin}" in sentence(page, errors)
    town.refused.show(page, f'<meta name="referrer" content="no-referrer">{frame}')
    sentence(page, errors, "frame-ancestors")


@pytest.mark.parametrize("where", ["near", "far"])
def test_the_visitors_cookies_open_nothing(visited: tuple[Page, list[str]], town: Town, where: str) -> None:
    """Also where the browser sends them, because the page is of the same site."""
    page, errors = visited
    sign_in(page.context, town)
    page.goto(f"{town.server.url}/closed/")
    page.wait_for_selector('html[data-ready="1"]', state="attached")
    foreign: Foreign = getattr(town, where)
    foreign.show(page, town.tag("closed"))
    assert "not public" in sentence(page, errors)
    foreign.show(page, f'<iframe src="{town.server.url}/closed/"></iframe>')
    (frame,) = [each for each in page.frames if each != page.main_frame]
    expect(frame.locator(".opening.refused")).to_contain_text("not public")
    expect(frame.locator(".toast")).to_have_count(0)
    for options in ({}, {"credentials": "include"}):
        found = page.evaluate(FETCH, [f"{town.server.url}/closed/layers/0/tilejson.json", options])
        assert found == (401 if options == {} else "refused")
    assert page.evaluate(SOCKET, f"{town.server.url.replace('http', 'ws')}/closed/ws") == "refused"
    assert page.evaluate(FETCH, [f"{town.server.url}/open/layers/0/tilejson.json", {}]) == 200
    assert page.evaluate(SOCKET, f"{town.server.url.replace('http', 'ws')}/open/ws") == "read"


def test_a_page_that_is_not_allowed_opens_no_socket(visited: tuple[Page, list[str]], town: Town) -> None:
    page, _ = visited
    sign_in(page.context, town)
    town.refused.show(page, "")
    for name in ("open", "closed"):
        assert page.evaluate(SOCKET, f"{town.server.url.replace('http', 'ws')}/{name}/ws") == "refused"
        assert page.evaluate(FETCH, [f"{town.server.url}/{name}/layers/0/tilejson.json", {}]) == "refused"


def test_a_private_plot_with_a_token(visited: tuple[Page, list[str]], town: Town) -> None:
    page, errors = visited
    tag = town.tag("closed", origin=town.far.origin, secret=town.secret)
    town.far.show(page, tag)
    (frame,) = plots(page)
    assert title(frame) == "closed" and errors == []
    token = tag.partition('data-token="')[2].partition('"')[0]
    assert token not in frame.url
    address = f"{town.server.url}/closed/layers/0/tilejson.json"
    assert page.evaluate(FETCH, [address, {"headers": {"Authorization": f"Bearer {token}"}}]) == 200
    town.near.show(page, tag)
    assert f"for pages of {town.far.origin}" in sentence(page, errors)
    assert page.evaluate(FETCH, [address, {"headers": {"Authorization": f"Bearer {token}"}}]) == 401


def test_a_token_that_ends_while_it_is_shown(visited: tuple[Page, list[str]], town: Town) -> None:
    page, errors = visited
    for seconds in (2, 8, 32, 128):  # the first that is longer than this machine takes to show the plot
        errors.clear()
        town.far.show(page, town.tag("closed", origin=town.far.origin, secret=town.secret, expires=seconds))
        assert "expired" in sentence(page, errors)
        if page.frames[1].locator("section.figure").count():
            break
    assert title(page.frames[1]) == "closed"
    expect(page.frames[1].locator(".toast")).to_contain_text("expired")
