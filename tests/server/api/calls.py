"""Requests to the API, with tables and documents small enough to be read in a test."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from ..running import Answer, Running

ORIGIN = "https://www.example.org"
"""The pages of this origin may show the documents of `filled`."""
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
TABLE = pa.table({"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 2.0, 4.0], "secret": [7, 8, 9, 10], "kind": list("abab")})


def call(served: Running, method: str, path: str, value: Any = None, **headers: str) -> tuple[int, Any]:
    """Status and JSON of a request below /_/api/; None for no body."""
    answer = ask(served, method, path, value, **headers)
    return answer.status, json.loads(answer.body) if answer.body else None


def ask(served: Running, method: str, path: str, value: Any = None, **headers: str) -> Answer:
    """The answer to a request below /_/api/, or at an address that begins with a slash; bytes are sent as they are,
    other values as JSON."""
    body = value if isinstance(value, bytes) or value is None else json.dumps(value).encode()
    if body is None and method in ("PUT", "POST"):
        body = b""
    address = path if path.startswith("/") else f"/_/api/{path}"
    return served.get(f"{served.server.options.prefix}{address}", method, body, **headers)


def stream_of(table: pa.Table) -> bytes:
    """A table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def upload(served: Running, name: str, table: pa.Table = TABLE, **headers: str) -> tuple[int, Any]:
    """Put a table under a name."""
    return call(served, "PUT", f"datasets/{name}", stream_of(table), Content_Type=ARROW, **headers)


def document(*datasets: str, title: str = "A plot", agg: str = "count", **more: Any) -> dict[str, Any]:
    """A document of one figure with a layer of points of x and y for each dataset."""
    layers = [
        {"id": f"f0-{at}", "dataset": name, "glyph": "points", "x": "x", "y": "y", "agg": agg}
        for at, name in enumerate(datasets)
    ]
    figure = {"id": "f0", "type": "figure", "title": title, "x_range": "x0", "y_range": "y0", "layers": layers}
    ranges = {"x0": {"start": None, "end": None}, "y0": {"start": None, "end": None}}
    head = {"format": 2, "id": "any", "title": title, "datasets": list(datasets), "ranges": ranges}
    return {**head, "layout": figure, **more}
