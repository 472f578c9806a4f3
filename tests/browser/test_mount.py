"""Documents in elements: several on a page, and nothing left of one that is unmounted; the page as one script."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .driver import open_page
from .served import Server

ROOT = Path(__file__).resolve().parent.parent.parent

# Mounts a document in an element of its own; tells when every figure of it has been exact.
MOUNT = """async ([name, server, told]) => {
  const { mount } = await import(`${server}/_/static/mount.js`);
  const { Connection } = await import(`${server}/_/static/wire/connection.js`);
  const element = document.createElement("div");
  element.id = name;
  element.style = "position: fixed; left: 0; width: 500px; height: 300px; display: flex";
  document.body.append(element);
  const connection = new Connection(`${server.replace("http", "ws")}/${name}/ws`);
  const opened = told ? window.told : null;
  connection.addEventListener("hello", ({ detail }) => (window.told = detail));
  window.mounted ??= {};
  const mounted = (window.mounted[name] = mount(element, opened, connection));
  const figures = mounted.figures.length;
  await new Promise((resolve) => mounted.addEventListener("ready", resolve, { once: true }));
  return figures;
}"""
UNMOUNT = """(name) => {
  window.mounted[name].unmount();
  const element = document.getElementById(name);
  return [element.childNodes.length, element.className];
}"""
OUTSIDE = ["window", "document", "document.documentElement"]


def listeners(page: Page) -> dict[str, int]:
    """How many listeners there are on what lives as long as the page."""
    session = page.context.new_cdp_session(page)
    found = {}
    for name in OUTSIDE:
        target = session.send("Runtime.evaluate", {"expression": name})["result"]["objectId"]
        found[name] = len(session.send("DOMDebugger.getEventListeners", {"objectId": target})["listeners"])
    session.detach()
    return found


def counts(page: Page, root: str) -> Any:
    """[data-exact, how many colours the picture has, the number of rows] of the only figure below an element."""
    return page.evaluate(
        """(root) => {
          const figure = document.querySelector(`${root} section.figure`);
          const canvas = figure.querySelector("canvas.data");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const colours = new Set(new Uint32Array(data.buffer));
          return [figure.dataset.exact, colours.size > 3, figure.querySelector('[data-part="rows"]').textContent];
        }""",
        root,
    )


def test_two_documents_beside_the_pages_own(page: Page, server: Server) -> None:
    sockets: list[Any] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    open_page(page, server.url + "/points/")
    title, address = page.title(), page.url
    before = listeners(page)
    assert page.evaluate(MOUNT, ["walk", server.url, False]) == 0
    assert page.evaluate(MOUNT, ["far", server.url, False]) == 0
    assert [counts(page, f"#{name}")[:2] for name in ("page", "walk", "far")] == [["1", True]] * 3
    assert len({counts(page, f"#{name}")[2] for name in ("page", "walk", "far")}) == 3

    page.locator("#walk .surface").press("+")
    # Once it can be undone the view has rested for longer than a page waits to write its URL.
    expect(page.locator("#walk [data-act=undo]")).to_be_enabled()
    for name in ("page", "far"):
        expect(page.locator(f"#{name} [data-act=undo]")).to_be_disabled()
    assert (page.title(), page.url) == (title, address), "the page is not theirs"
    theme = page.locator("[data-act=theme]")
    theme.nth(2).evaluate("button => button.click()")
    assert len(set(theme.evaluate_all("all => all.map((button) => button.title)"))) == 1

    assert [page.evaluate(UNMOUNT, name) for name in ("walk", "far")] == [[0, ""], [0, ""]]
    assert listeners(page) == before
    assert [socket.is_closed() for socket in sockets] == [False, True, True]
    page.locator("#page .surface").press("+")
    page.wait_for_function("() => location.hash !== ''")


def test_a_document_that_is_known_is_shown_before_its_connection_opens(page: Page, server: Server) -> None:
    open_page(page, server.url + "/points/")
    page.evaluate(MOUNT, ["walk", server.url, False])
    page.evaluate(UNMOUNT, "walk")
    page.evaluate("() => document.getElementById('walk').remove()")
    assert page.evaluate(MOUNT, ["walk", server.url, True]) == 1
    assert counts(page, "#walk")[:2] == ["1", True]


@pytest.mark.parametrize("bundled", [False, True])
def test_the_modules_and_their_bundle_show_the_same(
    page: Page, serve: Callable[..., Server], files: Path, tmp_path: Path, bundled: bool
) -> None:
    static = tmp_path / "static"
    shutil.copytree(ROOT / "bigviz" / "static", static)
    (static / "page.js").unlink(missing_ok=True)
    if bundled:
        subprocess.run(["node", ROOT / "tools" / "bundle.mjs", static / "page.js"], check=True)
    server = serve("points.parquet", cwd=files, static=static)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_page(page, f"{server.url}/points/")
    assert counts(page, "#page")[:2] == ["1", True]
    scripts = {url.partition("/_/static/")[2] for url in asked if url.endswith(".js")}
    assert (scripts == {"boot.js", "page.js"}) is bundled and ("main.js" in scripts) is not bundled
    assert page.evaluate("() => document.querySelector('.bar use').getBoundingClientRect().width") > 0


def test_a_document_that_changes_is_built_anew_in_its_element(page: Page, server: Server) -> None:
    open_page(page, server.url + "/points/")
    page.evaluate(MOUNT, ["walk", server.url, False])
    page.evaluate("""() => {
      const { connection } = window.mounted.walk;
      const json = structuredClone(window.told.json);
      json.document.title = json.document.layout.title = "Another walk";
      connection.emit("hello", { ...window.told, json });
      connection.emit("up", { again: true, restarted: true });
    }""")
    page.wait_for_selector('#walk section[data-exact="1"]', state="attached")
    assert page.locator("#walk section.figure .title").all_inner_texts() == ["Another walk"]
    assert page.locator("#walk .doc-tools").count() == 1 and page.locator("#walk .brand").count() == 1
    assert counts(page, "#walk")[:2] == ["1", True]
    assert page.evaluate(UNMOUNT, "walk") == [0, ""]
