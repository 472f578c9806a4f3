"""Pages of another origin, for tests of what they may show of a server's."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from playwright.sync_api import BrowserContext, ConsoleMessage, Frame, Page, expect

from ..patience import PATIENCE


class Foreign:
    """A web server whose only page is `html`, at whatever address of its host."""

    def __init__(self, host: str, port: int) -> None:
        self.origin = f"http://{host}:{port}"
        self.html = ""

    def show(self, page: Page, html: str) -> None:
        """Open a page with this HTML in its body, in standards mode."""
        self.html = f"<!doctype html><html><body>{html}</body></html>"
        page.goto(self.origin)


@contextmanager
def foreign_pages(host: str) -> Iterator[Foreign]:
    """A web server at an address of this machine, on a free port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = found.html.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer((host, 0), Answer) as server:
        found = Foreign(host, server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield found
        server.shutdown()
        thread.join(PATIENCE)


def visiting(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and the errors that its console says, those of its frames too."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1_000)
    errors: list[str] = []

    def told(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    page.on("console", told)
    return page, errors


def sentence(page: Page, errors: list[str], has: str = "bigviz: ") -> str:
    """The first sentence in the console with these words, now or to come."""

    def found() -> str | None:
        return next((each for each in errors if has in each), None)

    if found() is None:
        page.wait_for_event("console", lambda message: has in message.text)
    return found() or ""


def plots(page: Page, count: int = 1) -> list[Frame]:
    """The frames of embedded plots, each exact."""
    for frame in (found := [each for each in page.frames if "embed=" in each.url]):
        frame.wait_for_selector('html[data-ready="1"]', state="attached")
    assert len(found) == count
    return found


def title(frame: Frame) -> str:
    """The title of the only figure."""
    expect(frame.locator("section.figure .title")).not_to_be_empty()
    return frame.locator("section.figure .title").inner_text()
