"""`bigviz.plotting.figure`: axes whose glyphs take lists, as Bokeh's do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from bigviz.common.bounded_repr import echoed
from bigviz.common.errors import BadInput
from bigviz.data.dataset import Dataset
from bigviz.document import figure as plots
from bigviz.document.spec import MARKERS
from bigviz.plotting.options import FIGURE, LINE, MARKER, named
from bigviz.plotting.source import ColumnDataSource

__all__ = ["Figure", "Renderer", "collect", "figure"]

_SIZE: Final = 4.0  # CSS pixels of a mark, as in Bokeh
_made: dict[str, list[Figure]] = {}  # since `collect`, by the output that they are for


@dataclass(eq=False)
class Renderer:
    """One glyph of a figure: `name` is what `select` finds it by, `data_source` its columns."""

    name: str | None
    data_source: ColumnDataSource
    glyph: str
    x: str
    y: str
    style: dict[str, Any]

    def add_to(self, figure: plots.Figure, table: Dataset) -> None:
        """Draw a table's rows as this glyph. Raises BadInput for a line whose x goes back: a line is drawn in the order
        of x, and would look otherwise than in Bokeh."""
        if self.glyph == "line":
            _check_order(table, self.x)
            figure.line(table, x=self.x, y=self.y, **self.style)
        else:
            figure.points(table, x=self.x, y=self.y, **self.style)


class Figure:
    """Axes with glyphs, made by `figure`. Each glyph call returns its Renderer.

    Glyphs take `x` and `y` as lists or arrays, or the names of columns of `source`, a ColumnDataSource. `name` is for
    `select`. Options have Bokeh's names; an unknown one raises BadInput, which lists the known ones.
    """

    def __init__(self, **options: Any) -> None:
        self._options = named("figure", options, FIGURE)
        plots.figure(**self._options)  # so that a wrong option is reported here
        self.renderers: list[Renderer] = []

    def line(
        self, x: Any, y: Any, *, source: ColumnDataSource | None = None, name: str | None = None, **options: Any
    ) -> Renderer:
        """A line in the order of x, which does not go back. Options: `line_width`, `color` or `line_color`, `alpha` or
        `line_alpha`, `line_dash` ("dashed", "4 4", or lengths on and off), `legend` or `legend_label`."""
        style = named("line", options, LINE, ("name", "source"))
        if isinstance(style.get("line_dash"), str) and style["line_dash"][:1].isdigit():
            style["line_dash"] = _lengths(style["line_dash"])
        return self._add("line", x, y, source, name, style)

    def scatter(
        self,
        x: Any,
        y: Any,
        *,
        marker: str = "circle",
        source: ColumnDataSource | None = None,
        name: str | None = None,
        **options: Any,
    ) -> Renderer:
        """Marks: "circle", "square", "diamond", "triangle", "cross" or "x", also as methods of these names. Options:
        `size` (CSS pixels), `color` (`fill_color` and `line_color` are the same one), `alpha`, `legend` or
        `legend_label`."""
        if marker not in MARKERS:
            raise BadInput(f"marker is one of {', '.join(MARKERS)}, got {echoed(marker, 60)}.", "marker", marker)
        style = {"size": _SIZE, "marker": marker, **named(marker, options, MARKER, ("name", "source"))}
        return self._add("points", x, y, source, name, style)

    def circle(self, x: Any, y: Any, **options: Any) -> Renderer:
        """Discs: see `scatter`."""
        return self.scatter(x, y, marker="circle", **options)

    def square(self, x: Any, y: Any, **options: Any) -> Renderer:
        """Squares: see `scatter`."""
        return self.scatter(x, y, marker="square", **options)

    def diamond(self, x: Any, y: Any, **options: Any) -> Renderer:
        """Diamonds: see `scatter`."""
        return self.scatter(x, y, marker="diamond", **options)

    def triangle(self, x: Any, y: Any, **options: Any) -> Renderer:
        """Triangles: see `scatter`."""
        return self.scatter(x, y, marker="triangle", **options)

    def cross(self, x: Any, y: Any, **options: Any) -> Renderer:
        """Upright crosses: see `scatter`."""
        return self.scatter(x, y, marker="cross", **options)

    def x(self, x: Any, y: Any, **options: Any) -> Renderer:
        """Diagonal crosses: see `scatter`."""
        return self.scatter(x, y, marker="x", **options)

    def select(self, selector: Mapping[str, str] | str) -> list[Renderer]:
        """The glyphs of a name, given as `dict(name="ex_line")` or as that text. Raises BadInput for another key."""
        wanted = {"name": selector} if isinstance(selector, str) else dict(selector)
        if list(wanted) != ["name"]:
            raise BadInput(f"select finds glyphs by name, as dict(name=...), got {echoed(wanted, 60)}.", "selector")
        return [each for each in self.renderers if each.name == wanted["name"]]

    def sources(self) -> list[tuple[ColumnDataSource, str | None]]:
        """The sources of the glyphs, each once, with the name of its first glyph."""
        found = {id(each.data_source): (each.data_source, each.name) for each in reversed(self.renderers)}
        return list(reversed(found.values()))

    def build(self, tables: Mapping[ColumnDataSource, Dataset]) -> plots.Figure:
        """The figure that a document is made of, over what its sources hold."""
        made = plots.figure(**self._options)
        for each in self.renderers:
            each.add_to(made, tables[each.data_source])
        return made

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Any:
        """As the value of a notebook's cell: what the sources hold now. Empty figures are shown by their text."""
        if not self.renderers:
            return {}
        return self.build({source: source.table(name) for source, name in self.sources()})._repr_mimebundle_()

    def check(self, source: ColumnDataSource, table: Dataset) -> None:
        """Raise what a glyph of a source raises that cannot draw a table."""
        for each in self.renderers:
            if each.data_source is source:
                each.add_to(plots.figure(**self._options), table)

    def _add(
        self, glyph: str, x: Any, y: Any, source: ColumnDataSource | None, name: str | None, style: dict[str, Any]
    ) -> Renderer:
        if source is None:
            source, x, y = ColumnDataSource({"x": x, "y": y}), "x", "y"
        elif not isinstance(x, str) or not isinstance(y, str):
            raise BadInput("With a source, x and y are the names of its columns.", "source")
        made = Renderer(name, source, glyph, x, y, style)
        made.add_to(plots.figure(**self._options), source.table())  # so that a mistake is reported here
        self.renderers.append(made)
        return made


def figure(**options: Any) -> Figure:
    """Make a figure without glyphs.

    Options: `title`, `plot_width` or `width` and `plot_height` or `height` in CSS pixels, `x_axis_label`,
    `y_axis_label`, `x_axis_type` and `y_axis_type` ("linear", "log", "datetime"), `x_range` and `y_range` (pairs of
    start and end). Raises BadInput for another one, and lists these.
    """
    made = Figure(**options)
    for each in _made.values():
        each.append(made)
    return made


def collect(output: Literal["server", "file"]) -> list[Figure]:
    """A list to which `figure` adds from now on, until the next call for the same output."""
    _made[output] = []
    return _made[output]


def _lengths(text: str) -> list[float]:
    try:
        return [float(word) for word in text.split()]
    except ValueError as error:
        raise BadInput(
            f'line_dash is a pattern\'s name or lengths, as in "4 4", got {text!r}.', "line_dash", text
        ) from error


def _check_order(table: Dataset, x: str) -> None:
    column = table.column(x)
    values = column.values if column.valid is None else column.values[column.valid]
    numbers = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    back = np.flatnonzero(numbers[1:] < numbers[:-1])
    if len(back):
        at = int(back[0])
        raise BadInput(
            f"A line is drawn in the order of x, and x goes back from {numbers[at]} to {numbers[at + 1]}: sort the "
            "rows by x, or draw marks.",
            "x",
        )
