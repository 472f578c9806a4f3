# /// script
# dependencies = ["perspective-python==4.3.0", "pyarrow==26.0.1", "numpy==2.4.6", "tornado==6.6.1"]
#
# [tool.bench]
# modules = [
#   "@perspective-dev/client@4.3.0", "@perspective-dev/viewer@4.3.0", "@perspective-dev/viewer-d3fc@4.3.0",
#   "@perspective-dev/server@4.3.0",
# ]
# ///
"""Perspective on a Tornado server: one page with its viewer, as a line, over a table that is updated."""

import threading
import time
from typing import Any

import perspective
import pyarrow as pa
from loop import Answer, read, serve, timed
from perspective.handlers.tornado import PerspectiveTornadoHandler
from tornado.ioloop import IOLoop
from tornado.web import Application, RequestHandler, StaticFileHandler

PAGE = """<!doctype html><title>Perspective</title>
<link rel="stylesheet" href="/modules/@perspective-dev/viewer/dist/css/themes.css">
<body style="margin: 0"><perspective-viewer style="width: {width}px; height: {height}px"></perspective-viewer>
<script type="module">
  import perspective from "/modules/@perspective-dev/client/dist/cdn/perspective.js";
  import "/modules/@perspective-dev/viewer/dist/cdn/perspective-viewer.js";
  import "/modules/@perspective-dev/viewer-d3fc/dist/cdn/perspective-viewer-d3fc.js";
  const socket = await perspective.websocket(`ws://${{location.host}}/socket`);
  const viewer = document.querySelector("perspective-viewer");
  await customElements.whenDefined("perspective-viewer");
  await viewer.load(await socket.open_table("grown"));
  for (const plugin of await viewer.getAllPlugins()) plugin.max_cells = 1e9;
  await viewer.restore({{ plugin: "X/Y Line", columns: ["c0", "c1"], settings: false }});
  window.ready = true;
</script>"""
server = perspective.Server()
client = server.new_local_client()
table: perspective.Table


def load(path: str, columns: list[str]) -> Answer:
    """Columns as a table of the server's."""
    global table
    rows = read(path, columns)
    seconds, table = timed(lambda: client.table(packed(rows), name="grown"))
    return Answer(seconds)


def packed(rows: pa.Table) -> bytes:
    """An Arrow stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return sink.getvalue().to_pybytes()


def start(port: int, modules: str, width: int, height: int, **_: Any) -> Answer:
    """Serve the page on a port of this machine, with the modules below a folder; it is ready when this answers.

    The viewer takes no ranges of its axes: it fits them to the rows.
    """

    class Page(RequestHandler):
        def get(self) -> None:
            self.write(PAGE.format(width=width, height=height))

    ready = threading.Event()

    def run() -> None:
        loop = IOLoop()
        routes = [
            ("/plot", Page),
            ("/socket", PerspectiveTornadoHandler, {"perspective_server": server, "loop": loop}),
            ("/modules/(.*)", StaticFileHandler, {"path": modules}),
        ]
        loop.add_callback(lambda: Application(routes).listen(port, "127.0.0.1"))
        loop.add_callback(ready.set)
        loop.start()

    threading.Thread(target=run, daemon=True).start()
    seconds, _ = timed(ready.wait)
    return Answer(seconds, None, {"url": f"http://127.0.0.1:{port}/plot"})


def append(rows: dict[str, list[float]]) -> Answer:
    """Update the table; `called` is the time at which that began, in seconds since the epoch."""
    new = packed(pa.table(rows))
    called = time.time()
    table.update(new)
    return Answer(time.time() - called, None, {"called": called})


serve(load, start, append)
