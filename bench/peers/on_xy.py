# /// script
# dependencies = ["xy==0.0.8", "pyarrow==26.0.1", "numpy==2.4.6"]
# ///
"""xy: the messages that its browser sends, answered by its own dispatcher and framed for its own wire.

A view of a large scatter comes as a grid of counts, 8 bits each on a log scale, from a pyramid or from a scan; or as
the points themselves where a window around the view holds at most 200,000. Columns are float64 in memory; with `mapped`
they are files on the disk, as its own examples do for tables of more than 2 * 10^8 rows.
"""

import math
import os
import tempfile

import numpy as np
import xy
from loop import Answer, read, serve, timed
from xy._ooc import MemmapF64Builder
from xy.channel import encode_frame, handle_message

figure = None
folder = tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_SCRATCH"))


def load(path: str, columns: list[str], mapped: bool = False, log: bool = False, line: bool = False) -> Answer:
    """A scatter (or a line) of x and y, coloured by a third column if there is one, its index built."""
    global figure

    def work():
        table = read(path, columns)
        x, y = (_mapped(table.column(name), name) if mapped else _numbers(table.column(name)) for name in ("x", "y"))
        options = {"color": np.asarray(table.column(columns[2]))} if len(columns) > 2 else {}
        mark = xy.line(x, y) if line else xy.scatter(x, y, density=True, **options)
        chart = xy.line_chart if line else xy.scatter_chart
        axes = (xy.x_axis(type_="log"), xy.y_axis(type_="log")) if log else ()
        made = chart(mark, *axes).figure()
        trace = made.traces[0]
        _ask(made, trace.x.min, trace.x.max, trace.y.min, trace.y.max, 512, 384, line)
        return made

    seconds, figure = timed(work)
    return Answer(seconds)


def _numbers(column) -> np.ndarray:
    return column.to_numpy().astype(np.float64)


def _mapped(column, name: str) -> np.ndarray:
    builder = MemmapF64Builder(os.path.join(folder.name, name), len(column))
    for chunk in column.chunks:
        builder.extend(chunk.to_numpy())
    return builder.finalize()


def _ask(chart, x0, x1, y0, y1, width: int, height: int, line: bool = False):
    request = {"type": "view", "seq": 1, "x0": x0, "x1": x1, "px": width}
    if not line:
        request |= {"type": "density_view", "trace": 0, "y0": y0, "y1": y1, "w": width, "h": height}
    message, buffers = handle_message(chart, request)
    encode_frame(message, buffers)
    return message["traces"][0], buffers


def hide(category: int) -> Answer:
    """Hide one category, as a click on the legend does."""
    seconds, _ = timed(lambda: figure.legend_toggle(0, True, category))
    return Answer(seconds)


def view(window: list[float], width: int, height: int, log: bool = False) -> Answer:
    """The counts that arrive for a window, decoded: row 0 the lowest y, as many cells as it chose to send. Whether the
    axes are `log` was said when it was loaded; the window is of the values themselves."""
    x0, x1, y0, y1 = window
    seconds, (entry, buffers) = timed(lambda: _ask(figure, x0, x1, y0, y1, width, height))
    if entry["mode"] == "points":
        return Answer(seconds, None, {"points": entry["visible"], "inside": _inside(entry, buffers, window)})
    grid = entry["density"]
    levels = np.frombuffer(buffers[grid["buf"]], np.uint8).reshape(grid["h"], grid["w"])
    counts = np.expm1(levels / 255.0 * math.log1p(grid["max"]))
    return Answer(seconds, counts, {"cells": [grid["w"], grid["h"]], "how": entry["binning"]})


def _inside(entry, buffers, window: list[float]) -> int:
    """How many of the points that were sent lie in the window: more are, so that it can move without asking."""
    inside = True
    for name, low, high in (("x", *window[:2]), ("y", *window[2:])):
        column = entry[name]
        offsets = np.frombuffer(buffers[column["buf"]], np.float32).astype(np.float64)
        at = offsets * column["scale"] + column["offset"]
        inside = inside & (at >= low) & (at <= high)
    return int(np.count_nonzero(inside))


def line(x0: float, x1: float, width: int) -> Answer:
    """The rows of a line over a window at a width in pixels."""
    seconds, (entry, _) = timed(lambda: _ask(figure, x0, x1, 0, 0, width, 0, line=True))
    return Answer(seconds, None, {"rows": entry["x"]["len"]})


serve(load, hide, view, line)
