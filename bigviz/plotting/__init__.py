"""Plots from a script, with the calls of the Bokeh server of 2014: `figure`, `output_server`, `show`, `cursession`.

from bigviz.plotting import cursession, figure, output_server, show

output_server("line")
p = figure(plot_width=400, plot_height=400)
p.line([1, 2, 3, 4, 5], [6, 7, 2, 4, 5], line_width=2)
show(p)
"""

from __future__ import annotations

from typing import Any

from bigviz.plotting.figure import Figure, figure
from bigviz.plotting.session import Session, cursession, output_server, show
from bigviz.plotting.source import ColumnDataSource

__all__ = ["ColumnDataSource", "Figure", "Session", "cursession", "figure", "output_server", "show"]

_ELSEWHERE = {
    "output_file": "bigviz writes no HTML files: output_server(name) and show(plot) put the plot on a plot server",
    "save": "bigviz writes no HTML files: show(plot) publishes it, and `bigviz json` writes its document to a file",
}


def __getattr__(name: str) -> Any:
    if name in _ELSEWHERE:
        raise ImportError(f"bigviz.plotting has no {name}: {_ELSEWHERE[name]}.", name=name)
    raise AttributeError(f"module 'bigviz.plotting' has no attribute {name!r}")
