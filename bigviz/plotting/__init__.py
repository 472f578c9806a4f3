"""Plots from a script, with the calls of the Bokeh server of 2014: `figure`, `output_server`, `show`, `cursession`; and
`output_file` and `save` for pages in files.

from bigviz.plotting import cursession, figure, output_server, show

output_server("line")
p = figure(plot_width=400, plot_height=400)
p.line([1, 2, 3, 4, 5], [6, 7, 2, 4, 5], line_width=2)
show(p)
"""

from bigviz.plotting.figure import Figure, figure
from bigviz.plotting.file import output_file
from bigviz.plotting.session import Session, cursession, output_server, save, show
from bigviz.plotting.source import ColumnDataSource

__all__ = [
    "ColumnDataSource",
    "Figure",
    "Session",
    "cursession",
    "figure",
    "output_file",
    "output_server",
    "save",
    "show",
]
