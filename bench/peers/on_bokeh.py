# /// script
# dependencies = ["bokeh==3.9.2", "pyarrow==26.0.1", "numpy==2.4.6", "tornado==6.6.1"]
# ///
"""The Bokeh server: one page with a line, to whose data source rows are streamed; the page tells what it has painted.

Rows come from another thread than the server's, so each document takes them in its next tick.
"""

import threading
import time
from functools import partial
from typing import Any

import numpy as np
from bokeh.application import Application
from bokeh.application.handlers.function import FunctionHandler
from bokeh.document import Document
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure
from bokeh.server.server import Server
from loop import Answer, read, serve, timed
from tornado.ioloop import IOLoop

data: dict[str, np.ndarray] = {}
shown: dict[Document, ColumnDataSource] = {}


def load(path: str, columns: list[str]) -> Answer:
    """Columns as numpy arrays in memory."""
    seconds, table = timed(lambda: read(path, columns).combine_chunks())
    data.update({name: table[name].to_numpy() for name in columns})
    return Answer(seconds)


def start(port: int, **look: Any) -> Answer:
    """Serve the page on a port of this machine; it is ready when this answers."""

    def page(document: Document) -> None:
        source = ColumnDataSource(data)
        plot = figure(**look)
        plot.line("c0", "c1", source=source)
        document.add_root(plot)
        shown[document] = source
        document.on_session_destroyed(lambda _: shown.pop(document, None))

    ready = threading.Event()

    def run() -> None:
        loop = IOLoop()
        origin = f"127.0.0.1:{port}"
        app = {"/plot": Application(FunctionHandler(page))}
        Server(app, io_loop=loop, port=port, address="127.0.0.1", allow_websocket_origin=[origin]).start()
        loop.add_callback(ready.set)
        loop.start()

    threading.Thread(target=run, daemon=True).start()
    seconds, _ = timed(ready.wait)
    return Answer(seconds, None, {"url": f"http://127.0.0.1:{port}/plot"})


def append(rows: dict[str, list[float]]) -> Answer:
    """Stream rows to every page; `called` is the time at which that began, in seconds since the epoch."""
    new = {name: np.array(values) for name, values in rows.items()}
    called = time.time()
    for document, source in list(shown.items()):
        document.add_next_tick_callback(partial(source.stream, new))
    return Answer(time.time() - called, None, {"called": called})


serve(load, start, append)
