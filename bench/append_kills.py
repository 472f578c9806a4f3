"""A server that is killed at random moments while others append and patch, and whether every acknowledged row is there
after it, with the values that it was given.

Each writer sends an append or a patch again, under its key, when no answer came: it has to be there once.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

import numpy as np
import pyarrow as pa

from bench.serving import serving
from bigviz.client.http import Http
from bigviz.client.refusals import Unreachable
from bigviz.common.errors import BigvizError

__all__ = ["LostRows", "append_kill_rounds"]

_ROWS: Final = (1, 3, 50)
_LATEST: Final = 0.5  # seconds from the first append after a start to the kill
_NAMES: Final = ("writer", "number", "place", "changed")
_SCHEMA: Final = pa.schema([(name, pa.int64()) for name in _NAMES])
_KIND: Final = {"Content-Type": "application/vnd.apache.arrow.stream"}


class LostRows(Exception):
    """Something that was acknowledged is not there, is there twice, or is there in half."""


@dataclass
class _Writer:
    """Appends one after the other, and patches the first row of each; `told` are the acknowledged ones, by their
    offset, `changed` the values that were acknowledged."""

    number: int
    sent: int = 0
    told: dict[int, tuple[int, int]] = field(default_factory=dict)
    changed: dict[int, int] = field(default_factory=dict)
    failure: Exception | None = None

    def write(self, http: Http) -> None:
        """Append until the server is gone. What was not acknowledged then is the first to be sent the next time."""
        try:
            while True:
                rows = _ROWS[self.sent % len(_ROWS)]
                headers = {**_KIND, "Idempotency-Key": f"{self.number}-{self.sent}"}
                answer = http.json("POST", "/_/api/datasets/rows/append", _body(self.number, self.sent, rows), headers)
                self.told[answer["offset"]] = (self.sent, answer["rows"])
                headers = {**_KIND, "Idempotency-Key": f"patch {self.number}-{self.sent}"}
                patch = pa.table({"_row": [answer["offset"]], "changed": [self.sent + 1]})
                http.json("POST", "/_/api/datasets/rows/patch", _stream(patch), headers)
                self.changed[answer["offset"]] = self.sent + 1
                self.sent += 1
        except Unreachable:
            return
        except BigvizError as error:
            self.failure = error


def append_kill_rounds(directory: Path, rounds: int, writers: int, seed: int) -> Iterator[float]:
    """Kill a server under writers, again and again; seconds from each start until it answers with all rows.

    Raises LostRows where an acknowledged append is missing, moved or there twice.
    """
    rng = random.Random(seed)
    all_writers = [_Writer(number) for number in range(writers)]
    for round in range(rounds + 1):
        with serving("--library", str(directory), event="loaded") as url:
            began = time.perf_counter()
            http = Http(url, None)
            if round == 0:
                http.json("PUT", "/_/api/datasets/rows", _body(0, 0, 0), _KIND)
                http.json("PUT", "/_/api/documents/plot", json.dumps(_DOCUMENT).encode())
            known = http.json("GET", "/_/api/datasets/rows")["rows"]
            yield time.perf_counter() - began
            _check(http, all_writers, known)
            threads = [threading.Thread(target=writer.write, args=(http,)) for writer in all_writers]
            for thread in threads if round < rounds else ():
                thread.start()
            time.sleep(rng.random() * _LATEST)
        for thread in threads if round < rounds else ():
            thread.join()
        if failures := [writer.failure for writer in all_writers if writer.failure]:
            raise LostRows(f"an append was refused: {failures[0]}")


def _check(http: Http, writers: list[_Writer], known: int) -> None:
    """Every acknowledged append is where it was said to be; the others are whole, and there once."""
    rows = _rows(http)
    if len(rows) != known:
        raise LostRows(f"{known} rows are counted, and {len(rows)} are there")
    starts = np.flatnonzero(rows["place"] == 0)
    appends: dict[tuple[int, int], int] = {}
    for start in starts.tolist():
        key = (int(rows["writer"][start]), int(rows["number"][start]))
        count = _ROWS[key[1] % len(_ROWS)]
        piece = rows[start : start + count]
        whole = (piece["place"] == np.arange(count)).all() if len(piece) == count else False
        if key in appends or not whole or (piece["number"] != key[1]).any() or (piece["writer"] != key[0]).any():
            raise LostRows(f"append {key} is there twice, or in half")
        appends[key] = start
    for writer in writers:
        for offset, (number, _) in writer.told.items():
            if appends.get((writer.number, number)) != offset:
                raise LostRows(f"append {number} of writer {writer.number} was acknowledged and is not at {offset}")
        for offset, (number, _) in writer.told.items():  # a patch whose answer was lost may be there
            values = (number + 1,) if offset in writer.changed else (0, number + 1)
            if int(rows["changed"][offset]) not in values:
                raise LostRows(f"the patch of append {number} of writer {writer.number} is not there")
        numbers = sorted(number for who, number in appends if who == writer.number)
        if numbers != list(range(len(numbers))) or not writer.sent <= len(numbers) <= writer.sent + 1:
            raise LostRows(f"writer {writer.number} sent {writer.sent} appends, and {len(numbers)} are there")


def _rows(http: Http) -> np.ndarray:
    """All rows in their order, by the route of rows, which gives the columns of a layer."""
    tables = []
    for layer in range(len(_LAYERS)):
        window = "x0=-1&x1=1000000000&y0=-1&y1=1000000000&limit=50000"
        with urlopen(f"{http.url}/plot/layers/{layer}/rows.arrow?{window}") as answer:
            tables.append(pa.ipc.open_file(answer.read()).read_all().sort_by("row"))
    out = np.empty(tables[0].num_rows, [(name, np.int64) for name in _NAMES])
    for name in _NAMES:
        out[name] = next(table[name] for table in tables if name in table.column_names).to_numpy()
    return out


def _body(writer: int, number: int, rows: int) -> bytes:
    columns = [np.full(rows, writer), np.full(rows, number), np.arange(rows), np.zeros(rows, np.int64)]
    return _stream(pa.table(columns, schema=_SCHEMA))


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table)
    return bytes(sink.getvalue())


_LAYERS: Final[list[dict[str, Any]]] = [
    {"id": f"l{at}", "dataset": "rows", "glyph": "points", "x": "number", "y": y, "agg": "max(place)"}
    for at, y in enumerate(("writer", "changed"))
]
_DOCUMENT: Final[dict[str, Any]] = {
    "format": 2,
    "id": "plot",
    "title": "Plot",
    "datasets": ["rows"],
    "ranges": {"x": {"start": None, "end": None}, "y": {"start": None, "end": None}},
    "layout": {"id": "f", "type": "figure", "title": "", "x_range": "x", "y_range": "y", "layers": _LAYERS},
}
