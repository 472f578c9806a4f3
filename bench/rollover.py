"""What a server holds of a stream that keeps its last rows: memory against the bytes of these rows."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from bench.growing import COLUMNS
from bench.memory import anonymous
from bench.report import Figure
from bigviz.client.connect import connect
from bigviz.client.streams import Stream
from bigviz.commands.bench.run import serving
from bigviz.document.figure import Figure as Plot
from bigviz.document.figure import figure

__all__ = ["rollover"]

_BATCH: Final = 50_000
_MORE: Final = 1.5  # times as many rows come as are kept
_WARM: Final = 1_000  # rows of the page that loads the engine
_PAUSE: Final = 0.2
_ROW: Final = 8 * len(COLUMNS)
_GLYPHS: Final = ("points", "line")


def rollover(folder: Path, rows: int) -> Iterator[Figure]:
    """Anonymous memory of the server process, less what it had with a stream of 1,000 rows, while rows come that roll
    as many over, and once the index is merged; against the bytes of the rows that are kept."""
    for glyph in _GLYPHS:
        started: list[int] = []
        note: Callable[[int], None] = started.append
        with serving(["--library", str(folder / glyph)], note) as url:
            rng = np.random.default_rng(1)
            warm = _page(url, glyph, "warm", _WARM)
            warm.append(_rows(rng, _WARM))
            _shown(url, "warm")
            base = _settled(started[0])
            stream = _page(url, glyph, "ticks", rows)
            samples = []
            for number in range(int(rows * _MORE) // _BATCH):
                stream.append(_rows(rng, _BATCH))
                if number % 4 == 0:
                    _shown(url, "ticks")
                if (number + 1) * _BATCH > rows:
                    samples.append((anonymous(started[0]) - base) / rows)
            _shown(url, "ticks")
            rest = (_settled(started[0]) - base) / rows
        what = f"memory with rollover at {rows:,} rows of {_ROW} bytes as {glyph}"
        yield Figure(f"{what}, a row, once merged", "B", [rest], "max", 1.3 * _ROW)
        yield Figure(f"{what}, a row, while rows come", "B", samples, "max")


def _page(url: str, glyph: str, name: str, rows: int) -> Stream:
    server = connect(url)
    stream = server.stream(name, COLUMNS, rollover_rows=rows)
    stream.append(_rows(np.random.default_rng(2), 10))
    made: Plot = figure()
    drawn = made.points(name, "c0", "c1") if glyph == "points" else made.line(name, "c0", "c1")
    server.publish(name, drawn)
    return stream


def _rows(rng: np.random.Generator, count: int) -> pa.Table:
    return pa.table({name: rng.random(count) for name in COLUMNS})


def _shown(url: str, name: str) -> None:
    """Ask for what is known of the page's layer, which makes its index."""
    with urllib.request.urlopen(f"{url.rstrip('/')}/{name}/layers/0/tilejson.json") as answer:
        json.load(answer)


def _settled(pid: int) -> int:
    """The memory of a process once it stays what it is for four seconds: some is given back every second."""
    before, same = anonymous(pid), 0
    while same < 20:
        time.sleep(_PAUSE)
        now = anonymous(pid)
        same = same + 1 if abs(now - before) < 1 << 20 else 0
        before = now
    return before
