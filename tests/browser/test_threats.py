"""The page against hostile neighbours and hostile names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import BrowserContext, Page

from ..patience import PATIENCE
from .driver import figure, open_page, plot, settle
from .served import Server, start_server

NAMES = ["<img src=x onerror=window.hit=1>", '"><script>window.hit=1</script>', "__proto__", "a\nb\x00c", "", "=1+1"]
ZONES = ["<img src=x onerror=window.hit=1>", "Mars/Phobos", "__proto__", "+99:99"]
LOAD = """([tag, src]) => new Promise(done => {
  const made = document.createElement(tag);
  made.onload = () => done('loaded');
  made.onerror = () => done('refused');
  made.src = src;
  document.head.append(made);
})"""
FETCH = "src => fetch(src).then(() => 'read', () => 'refused')"
PICK = "(list, name) => { list.value = name; list.dispatchEvent(new Event('change', {bubbles: true})); }"
SOCKET = """src => new Promise(done => {
  const made = new WebSocket(src);
  made.onmessage = () => done('read');
  made.onclose = () => done('refused');
})"""


class Empty(BaseHTTPRequestHandler):
    """A page of another origin."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>another origin</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def neighbour() -> Iterator[int]:
    """The port of another server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        yield other.server_address[1]
        other.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "evil.localhost"])
def test_a_page_of_another_origin_gets_nothing(
    server: Server, context: BrowserContext, neighbour: int, host: str
) -> None:
    page = context.new_page()
    page.set_default_timeout(PATIENCE * 1_000)
    page.goto(f"http://{host}:{neighbour}/")
    assert page.evaluate(SOCKET, server.url.replace("http", "ws") + "/points/ws") == "refused"
    assert page.evaluate(FETCH, server.url + "/points/layers/0/tilejson.json") == "refused"
    assert page.evaluate(LOAD, ["img", server.url + "/points/layers/0/tiles/0/0/0.png"]) == "refused"
    assert page.evaluate(LOAD, ["script", server.url + "/_/static/main.js"]) == "refused"


def test_a_foreign_name_for_this_machine_is_refused(server: Server, context: BrowserContext) -> None:
    """Chromium resolves every name below localhost to this machine, as a rebound name would."""
    answer = context.new_page().goto(server.url.replace("127.0.0.1", "evil.localhost") + "/points/")
    assert answer and answer.status == 403


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A document whose file, columns, labels, zones and titles are hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    rng = np.random.default_rng(3)
    columns = {name: pa.array(rng.normal(size=500)) for name in NAMES}
    columns["label"] = pa.DictionaryArray.from_arrays(rng.integers(0, len(NAMES), 500), NAMES)
    times = {f"time {zone}": pa.array(np.arange(500) * 10**9, pa.timestamp("ns", zone)) for zone in ZONES}
    pq.write_table(pa.table({**columns, **times}), folder / "<img src=x onerror=window.hit=1>.parquet")
    (folder / "app.py").write_text(
        f"""import bigviz as bv
data = bv.open({str(folder)!r} + "/<img src=x onerror=window.hit=1>.parquet")
names, zones = {NAMES!r}, {ZONES!r}
figures = [bv.figure(title=names[0]).points(data, names[0], names[1], agg="by(label)"),
           bv.figure(title=names[1]).points(data, "label", names[2])]
figures += [bv.figure(title=zone).line(data, "time " + zone, names[0]) for zone in zones]
bv.serve(bv.document(bv.column(*figures), title=names[1]))
"""
    )
    running = start_server("app.py", cwd=Path(folder))
    yield running
    running.stop()


def test_hostile_names_and_zones_are_text(hostile: Server, page: Page) -> None:
    """Every figure becomes exact, every column can be picked, hovering says what is there; nothing of it is markup."""
    open_page(page, hostile.url + "/app/")
    for name in NAMES:
        page.eval_on_selector(f"{figure()} [name=x]", PICK, name)
        settle(page)
    page.wait_for_function("name => new URLSearchParams(location.hash.slice(1)).get('x') === name", arg=NAMES[-1])
    for number in range(2 + len(ZONES)):
        page.locator(figure(number)).scroll_into_view_if_needed()
        page.mouse.move(*plot(page, number).middle)
        settle(page, number)
    assert page.evaluate("window.hit") is None
    assert page.evaluate("document.querySelectorAll('[onerror], script:not([src]):not([type=importmap])').length") == 0
    assert page.title().startswith(NAMES[1])


@pytest.mark.parametrize(
    "state",
    [
        "x=__proto__&agg=by(__proto__)",
        "agg=<img src=x onerror=window.hit=1>",
        "x0=NaN&x1=Infinity&y0=1&y1=0",
        "x0=-1e308&x1=1e308&y0=5e-324&y1=1e-323",
        "cmap=__proto__&how=constructor",
        "low=pNaN&high=p1e999",
        "%ff=%00&x=%00",
    ],
)
def test_hostile_addresses_still_open(server: Server, page: Page, state: str) -> None:
    page.goto(f"{server.url}/points/#{state}")
    page.wait_for_selector('html[data-ready="1"], .toast', state="attached")
    assert page.evaluate("window.hit") is None
