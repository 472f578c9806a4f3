"""One figure as a picture: title, axes, data and key. As in static/ui/save-png.js and static/figure/painter.js."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.common.progress import Progress
from bigviz.data.columns.column import own_name
from bigviz.document.spec import AxisSpec, FigureSpec
from bigviz.export.axes.axis import Axis, Tick
from bigviz.export.axes.span import Span, home_span
from bigviz.export.axes.values import ValueWords
from bigviz.export.png.chrome.axes import draw_axes, draw_grid
from bigviz.export.png.chrome.canvas import Canvas
from bigviz.export.png.chrome.category_legend import draw_legend, legend_width
from bigviz.export.png.chrome.colour_bar import Bar, bar_label_width, draw_bar
from bigviz.export.png.chrome.frame import Frame, Margins, Room, Side, bar_room, frame_of, margins_of, ticks_of
from bigviz.export.png.chrome.label_legend import draw_label_legend
from bigviz.export.png.data.bars import Bars
from bigviz.export.png.data.lines import Line
from bigviz.export.png.data.points import Points
from bigviz.export.png.shown_layer import ShownLayer
from bigviz.export.png.theme import Palette, Rgb
from bigviz.export.png.view import View
from bigviz.server.limits import Limits
from bigviz.tiles.interface import Engine

__all__ = ["Figure", "Ranges", "axes_of"]

Array = npt.NDArray[Any]
_TITLE: Final = 40  # CSS pixels of a title's line
_MOST_LAYOUTS: Final = 6  # of labels that need room, and a plot that is smaller for it
_MOST_ROWS: Final = Limits().rows


@dataclass(frozen=True)
class Ranges:
    """What a figure shows first; `follows`: y is what its lines have within x, as long as nobody says otherwise.
    `known`: whether x and y are those of data, or are said by somebody."""

    x: Span
    y: Span
    follows: bool
    known: tuple[bool, bool]


class Figure:
    """Draws a figure at a size in CSS pixels, of `dpr` device pixels each. Blocks, and raises what the engine does."""

    def __init__(
        self, engine: Engine, spec: FigureSpec, layers: Sequence[ShownLayer], axes: tuple[Axis, Axis],
        palette: Palette, cancel: Cancel, progress: Progress,
    ) -> None:  # fmt: skip
        self.spec, self.layers, self.axes, self._palette = spec, layers, axes, palette
        self._points: dict[int, Points] = {}
        self._lines: dict[int, Line | Bars] = {}
        for number, layer in enumerate(layers):
            if layer.is_line:
                self._lines[number] = Line(engine, layer, cancel)
            elif layer.is_bars:
                self._lines[number] = Bars(engine, layer, cancel)
            else:
                self._points[number] = Points(engine, layer, cancel, progress)
        self._room = Room()
        self._known = (True, True)  # see Ranges

    @property
    def side(self) -> Side:
        """Which key stands next to the plot, as far as is known."""
        if not self.layers or self.layers[0].is_line:
            return "none"
        if self.layers[0].is_bars:
            return "none" if self.layers[0].planes is None else "legend"
        if self._points[0].is_always_plain(_MOST_ROWS):
            return "none"
        return "bar" if self.layers[0].planes is None else "legend"

    def margins(self, width: float) -> Margins:
        """Room that the plot needs above and below."""
        return margins_of(width, self.side, self.axes[0].kind == "datetime")

    def settle(self, ranges: Ranges, size: tuple[float, float], dpr: float) -> None:
        """Find out what decides the margins of plots beside this one."""
        self._laid_out(ranges, size[0], size[1] - (_TITLE if self.spec.title else 0), dpr, ())

    def picture(self, ranges: Ranges, size: tuple[float, float], dpr: float, beside: Sequence[Margins] = ()) -> Array:
        """Opaque pixels (y, x, 3) of a figure of `size` (width, height), its title's line included; `beside` are the
        margins of plots in the same row."""
        title = _TITLE if self.spec.title else 0
        width, height = size[0], size[1] - title
        frame, view = self._laid_out(ranges, width, height, dpr, beside)
        for _ in range(_MOST_LAYOUTS):
            plot, plain = self._data(view, frame, dpr)
            if self._is_roomy(view, frame, plain):
                break
            frame = self._frame(width, height, dpr, beside)
            view = view.resized(*_device(frame, dpr))
        page = np.empty((_whole(size[1] * dpr), _whole(width * dpr), 3), np.uint8)
        page[...] = self._palette.page
        canvas = Canvas(page, dpr)
        if title:
            canvas.text(self.spec.title, 16, title / 2 + 2, (15, True), self._palette.ink, "left", "middle")
        below = _whole(title * dpr)
        surface = Canvas(page[below:], dpr)
        xs, ys = self._ticks(view, frame)
        draw_axes(surface, frame, self.axes, xs, ys, width, self._palette)
        self._draw_key(surface, frame, plain)
        left, top = _whole(frame.plot.x * dpr), _whole(frame.plot.y * dpr)
        inside = surface.pixels[top : top + view.height, left : left + view.width]
        inside[...] = plot[: inside.shape[0], : inside.shape[1]]
        return page

    def _laid_out(
        self, ranges: Ranges, width: float, height: float, dpr: float, beside: Sequence[Margins]
    ) -> tuple[Frame, View]:
        """The frame with room for the labels of y, and the view that it shows."""
        self._known = ranges.known
        frame = self._frame(width, height, dpr, beside)
        view = View(ranges.x, ranges.y, *_device(frame, dpr), self._is_locked).lock()
        if ranges.follows:
            view = self._following(view)
        for points in self._points.values():
            points.load(view)
        for _ in range(_MOST_LAYOUTS):
            side = self.side
            settled = self._room.fits(self._ticks(view, frame)[1], None)
            frame = self._frame(width, height, dpr, beside)
            view = view.resized(*_device(frame, dpr))
            for points in self._points.values():
                points.load(view)
            if settled and side == self.side:
                break
        return frame, view

    @property
    def _is_locked(self) -> bool:
        if self.layers and self.layers[0].choice.layer.xaxis == "mercator":
            return True
        if self.spec.aspect != "locked":
            return False
        published = self.layers[0].choice.spec if self.layers else None
        drawn = self.layers[0].choice.layer if self.layers else None
        return (
            drawn is None
            or published is None
            or (
                (drawn.x, drawn.y, drawn.xaxis, drawn.yaxis)
                == (published.x, published.y, self.spec.x_axis.kind, self.spec.y_axis.kind)
            )
        )

    def _following(self, view: View) -> View:
        extents = [line.extent(view) for line in self._lines.values()]
        found = [extent for extent in extents if extent is not None]
        return View(view.x, home_span(found, view.y.exact), view.width, view.height) if found else view

    def _frame(self, width: float, height: float, dpr: float, beside: Sequence[Margins]) -> Frame:
        legend = legend_width(self.layers[0].planes or ()) if self.side == "legend" else 0.0
        return frame_of(width, height, self._room, self.side, legend, [self.margins(width), *beside], dpr)

    def _ticks(self, view: View, frame: Frame) -> tuple[list[Tick], list[Tick]]:
        """Those of x and y. An axis of times without rows has none: they would be of 1970."""
        x, y = (
            [] if axis.flavour == "stamp" and not known else ticks_of(axis, ends, pixels)
            for axis, known, ends, pixels in zip(
                self.axes, self._known, (view.x, view.y), (frame.plot.width, frame.plot.height), strict=True
            )
        )
        return x, y

    def _is_roomy(self, view: View, frame: Frame, plain: bool) -> bool:
        """The labels of the picture drawn have room; else they are given some."""
        bar = None
        norm = self._points[0].norm if 0 in self._points else None
        if self.side == "bar" and not frame.narrow and not plain and norm is not None:
            bar = bar_room(bar_label_width(norm, ValueWords(self.layers[0].info.value), frame.bar))
        return self._room.fits(self._ticks(view, frame)[1], bar)

    def _ground(self, view: View) -> tuple[Rgb, bool]:
        """The colour behind all of a view, and whether it is the page's: all are lines, or rows that are each seen."""
        palette = self._palette
        if self.spec.basemap is not None and all(axis.kind == "mercator" for axis in self.axes):
            return palette.plot_dark if palette.dark else palette.plot_light, False  # what a map that is away leaves
        if all(points.is_sparse(view) for points in self._points.values()):
            return palette.page, True
        main = self.layers[0]
        dark = palette.dark if main.is_line or main.is_bars or main.planes is not None else main.ground_dark
        return palette.plot_dark if dark else palette.plot_light, False

    def _data(self, view: View, frame: Frame, dpr: float) -> tuple[Array, bool]:
        """The plot's pixels, and whether the colours of the first layer mean nothing."""
        for points in self._points.values():
            points.load(view)
        ground, paper = self._ground(view)
        pixels = np.empty((view.height, view.width, 3), np.uint8)
        pixels[...] = ground
        canvas = Canvas(pixels, dpr)
        if paper:
            draw_grid(canvas, frame.plot, *self._ticks(view, frame), self._palette)
        for number in range(len(self.layers)):
            if number in self._points:
                self._points[number].draw(pixels, view, dpr)
            else:
                self._lines[number].draw(pixels, view, dpr)
        plain = [number in self._points and self._points[number].is_plain(view) for number in range(len(self.layers))]
        draw_label_legend(canvas, self.layers, plain, ground, self._palette)
        return pixels, bool(plain and plain[0])

    def _draw_key(self, canvas: Canvas, frame: Frame, plain: bool) -> None:
        side = self.side
        if side == "none" or (side == "bar" and plain):
            return
        main = self.layers[0]
        reduction = main.info.reduction
        plane = str(reduction.plane)
        by = None if reduction.category is None else own_name(reduction.category)
        title = plane if by is None else by if plane == "count" else f"{by}, {plane}"
        if side == "legend":
            draw_legend(canvas, frame.bar, frame.narrow, main.planes or (), title, self._palette)
            return
        words = ValueWords(main.info.value)
        bar = Bar(frame.bar, frame.narrow, self._points[0].norm, main.table, title, words, self._room.bar)
        draw_bar(canvas, bar, self._palette)


def axes_of(spec: FigureSpec, main: ShownLayer | None) -> tuple[Axis, Axis]:
    """The axes of a figure: as the document describes them while its columns are drawn, else of those that a view
    picked."""
    return _axis(spec.x_axis, "x", main), _axis(spec.y_axis, "y", main)


def _axis(spec: AxisSpec, side: str, main: ShownLayer | None) -> Axis:
    if main is None:
        return Axis(spec.kind, side, "", None, spec.label, spec.unit, spec.zone, spec.categories)
    info, drawn, own = main.info, main.choice.layer, main.choice.spec
    column, labels = (info.x, info.x_categories) if side == "x" else (info.y, info.y_categories)
    kind = drawn.xaxis if side == "x" else drawn.yaxis
    published = (drawn.x == own.x) if side == "x" else (drawn.y == own.y)
    said = spec if published else AxisSpec()
    return Axis(
        kind, side, column.name, column.kind, said.label, said.unit, spec.zone or column.zone,
        labels if said.categories is None else said.categories,
    )  # fmt: skip


def _device(frame: Frame, dpr: float) -> tuple[int, int]:
    return max(1, _whole(frame.plot.width * dpr)), max(1, _whole(frame.plot.height * dpr))


def _whole(value: float) -> int:
    return int(value + 0.5)
