"""Drives the real page in Debian's Chromium: the real server, over small tables whose every cell numpy can count."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from ..patience import PATIENCE
from .served import LABELS, Server, Tables, make_tables, start_server

HERE = Path(__file__).parent

expect.set_options(timeout=PATIENCE * 1_000)  # Playwright's own: 5 s

ARGS = [
    "--disable-gpu", "--enable-unsafe-swiftshader", "--force-color-profile=srgb", "--hide-scrollbars",
    "--font-render-hinting=none", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


class Chromium:
    """One browser for all tests that follow each other here."""

    def __init__(self) -> None:
        self._closing = ExitStack()
        self._browser: Browser | None = None

    @property
    def browser(self) -> Browser:
        """Started when it is first asked for."""
        if self._browser is None:
            # The shell is Chromium without a window round each page, which takes 1 s of CPU time a test.
            path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
            assert path, "the browser tests need Debian's chromium (apt-get install chromium)"
            playwright = self._closing.enter_context(sync_playwright())
            self._browser = playwright.chromium.launch(executable_path=path, args=ARGS)
            self._closing.callback(self._browser.close)
        return self._browser

    def close(self) -> None:
        self._browser = None
        self._closing.close()


CHROMIUM = Chromium()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    """Playwright's event loop runs as long as the browser, and no test elsewhere could start one beside it."""
    try:
        yield
    finally:
        if nextitem is None or nextitem.path.parent != HERE:
            CHROMIUM.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a browser."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def tables() -> Tables:
    return make_tables()


@pytest.fixture(scope="session")
def files(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """points, walk and far (one fill value in 100,000 rows) as Parquet, and an app of three figures."""
    folder = tmp_path_factory.mktemp("served")
    kind = pa.DictionaryArray.from_arrays(tables.kind.astype(np.int32), pa.array(LABELS))
    points = pa.table({"x": tables.x, "y": tables.y, "value": tables.value, "kind": kind})
    pq.write_table(points, folder / "points.parquet")
    walk = pa.array(tables.walk, from_pandas=True)
    pq.write_table(pa.table({"time": tables.time.view("datetime64[ns]"), "value": walk}), folder / "walk.parquet")
    far = tables.x[:100_000].astype(np.float64)
    far[77] = 9.97e36
    pq.write_table(pa.table({"x": far, "y": tables.y[:100_000]}), folder / "far.parquet")
    shutil.copy(HERE / "app.py", folder / "app.py")
    return folder


@pytest.fixture(scope="session")
def server(files: Path) -> Iterator[Server]:
    """points, walk and far."""
    running = start_server("points.parquet", "walk.parquet", "far.parquet", cwd=files)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def app(files: Path) -> Iterator[Server]:
    """The document of app.py: three figures."""
    running = start_server("app.py", cwd=files)
    yield running
    running.stop()


@pytest.fixture
def browser() -> Browser:
    """Runs until the last test of this folder, or of those that follow each other."""
    return CHROMIUM.browser


@pytest.fixture
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A fresh profile; parametrize indirectly with options of `new_context`."""
    options: dict[str, Any] = {"viewport": {"width": 1000, "height": 700}, **getattr(request, "param", {})}
    fresh = browser.new_context(**options)
    yield fresh
    fresh.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """`serve("points.parquet", cwd=folder)`: a server for one test, as `start_server` starts it."""
    with ExitStack() as stopping:

        def started(*arguments: str, **options: Any) -> Server:
            running = start_server(*arguments, **options)
            stopping.callback(running.stop)
            return running

        yield started


@pytest.fixture
def page(context: BrowserContext, serve: object) -> Iterator[Page]:
    """A page that fails its test on any console error, uncaught error or request beyond its server; the servers of its
    test end after it, since a lost connection is an error too."""
    opened = context.new_page()
    opened.add_init_script(path=HERE / "probes.js")
    opened.set_default_timeout(PATIENCE * 1_000)
    wrong: list[str] = []
    requests: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(f"uncaught: {error}"))
    opened.on("console", lambda message: wrong.append(f"console: {message.text}") if message.type == "error" else None)
    opened.on("request", lambda request: requests.append(request.url))
    yield opened
    own = opened.evaluate("() => location.origin")
    wrong += [f"outside: {url}" for url in requests if not url.startswith((own, "data:", "blob:"))]
    assert wrong == []
