"""Publishing as a script does it: over HTTP, to a server that is a process of its own, with a page that looks on."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

import bigviz as bv
from bench.report import Figure
from bigviz.client.connect import Connection, connect
from bigviz.commands.bench.browser import chromium, open_page
from bigviz.commands.bench.run import serving
from bigviz.document.spec import Document
from bigviz.library.library import Library
from bigviz.plotting import cursession, figure, output_server

__all__ = ["figures"]

_BYTES: Final = 100_000  # of a document, at least
_REDRAWS: Final = 100
_ROWS: Final = 1_000  # of the line that is redrawn
_FIRST: Final = 5  # that are not counted
_DOCUMENTS: Final = 1_000
_SEEN: Final = 10
_LISTS: Final = 200

# Resolves with the time of the first frame in which the plot is another picture than before.
_CHANGED: Final = """() => {
  const picture = () => document.querySelector('section[data-figure="0"] canvas').toDataURL();
  const before = picture();
  window.changed = new Promise(resolve => {
    const look = () => picture() === before ? requestAnimationFrame(look) : resolve(Date.now());
    requestAnimationFrame(look);
  });
}"""


def figures(folder: Path, publishes: int) -> Iterator[Figure]:
    """The figures, with a library below a folder."""
    what = f"`GET /` with {_DOCUMENTS:,} documents of which the caller sees {_SEEN}"
    yield Figure(what, "ms", _list_times(folder / "listed"), "p95", 50.0)
    with serving(["--library", str(folder / "library")]) as url:
        server = connect(url)
        samples = _publish_times(server, publishes)
        yield Figure("publish of a 100 KB document over HTTP, acknowledged", "ms", samples, "p95", 30.0)
        what = f"store_objects of {_ROWS:,} rows, until an open page has drawn them"
        yield Figure(what, "ms", _redraw_times(url), "p95", 200.0)


def _list_times(directory: Path) -> list[float]:
    """Milliseconds of the list's page for a user who owns a few of all documents."""
    with Library.open(directory) as library:
        for name in ("ann", "bob"):
            library.users.add(name)
        _, token = library.tokens.create("bob", "read", 1)
        for number in range(_DOCUMENTS):
            name, owner = f"d{number}", "bob" if number % (_DOCUMENTS // _SEEN) == 0 else "ann"
            value = bv.document(bv.figure(title=f"Plot {number}"), id=name).to_json()
            library.documents.put(name, value, title=f"Plot {number}", datasets=(), author=owner)
    samples = []
    with serving(["--library", str(directory)]) as url:
        for _ in range(_FIRST + _LISTS):
            asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
            start = time.perf_counter()
            with urllib.request.urlopen(asked) as answer:
                page = answer.read().decode()
            samples.append((time.perf_counter() - start) * 1e3)
            if (seen := len(set(re.findall(r"Plot \d+", page)))) != _SEEN:
                raise ValueError(f"the page shows {seen} documents, not {_SEEN}")
    return samples[_FIRST:]


def _publish_times(server: Connection, publishes: int) -> list[float]:
    server.upload("rows", {"x": [1.0, 2.0, 3.0], "y": [1.0, 3.0, 2.0]})
    made, samples = _large_document(), []
    for number in range(_FIRST + publishes):
        changed = replace(made, title=f"Number {number}")
        start = time.perf_counter()
        answer = server.publish("large", changed)
        samples.append((time.perf_counter() - start) * 1e3)
        if answer["version"] != number + 1:
            raise ValueError(f"version {answer['version']} was acknowledged for number {number}")
    return samples[_FIRST:]


def _large_document() -> Document:
    """A grid of figures whose JSON has 100 KB."""
    plots: list[Any] = []
    while True:
        plots.append(bv.figure(title=f"Figure {len(plots)}"))
        for color in ("steelblue", "firebrick", "seagreen"):
            plots[-1].line("rows", x="x", y="y", color=color, line_width=2, legend_label=f"The {color} line")
        made = bv.document(bv.grid(*plots, columns=4), id="large")
        if len(str(made.to_json())) >= _BYTES:
            return made


def _redraw_times(url: str) -> list[float]:
    """Milliseconds from a call of `store_objects` until the page shows another picture, by the machine's clock."""
    output_server("animated", url=url)
    plot = figure(plot_width=400, plot_height=400)
    random = Random(1)
    source = plot.line(list(range(_ROWS)), [random.random() for _ in range(_ROWS)]).data_source
    address = cursession().publish()
    samples: list[float] = []
    with chromium() as browser:
        page = open_page(browser, address)
        for _ in range(_FIRST + _REDRAWS):
            random.shuffle(source.data["y"])
            page.evaluate(_CHANGED)
            start = time.time()
            cursession().store_objects(source)
            samples.append(page.evaluate("() => window.changed") - start * 1e3)
    return samples[_FIRST:]
