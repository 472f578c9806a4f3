"""A document as a picture: its figures where the page lays them out, each as `figure` draws it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput
from bigviz.common.progress import Progress, no_progress
from bigviz.document.bind import require_bound
from bigviz.document.follow import LONGEST
from bigviz.document.placement import figures_only
from bigviz.document.spec import Document, FigureSpec
from bigviz.export.axes.span import Span, as_kind, home_span, newest_span, span_of
from bigviz.export.png.chrome.canvas import Canvas
from bigviz.export.png.figure import Figure, Ranges, axes_of
from bigviz.export.png.page_layout import PlacedFigure, arranged
from bigviz.export.png.shown_layer import ShownLayer
from bigviz.export.png.theme import THEMES, Palette, Rgb, rgb
from bigviz.export.png.view_text import ViewText, chosen
from bigviz.tiles.interface import Engine

__all__ = ["MOST_PIXELS", "own_size", "picture"]

Array = npt.NDArray[Any]
MOST_PIXELS: Final = 1 << 26  # of a picture: 8192 x 8192
_TITLE: Final = 40
_LINES: Final[Mapping[str, Rgb]] = {"light": rgb("e1e5eb"), "dark": rgb("272d37")}
_LEAST: Final = 60  # CSS pixels of a figure's sides, below which there is no plot to see


def own_size(document: Document) -> tuple[int, int] | None:
    """The size of a document of one figure that has a width and a height, in CSS pixels; else None."""
    figures = document.figures()
    if len(figures) != 1 or figures[0].width is None or figures[0].height is None:
        return None
    return figures[0].width, figures[0].height


def picture(
    engine: Engine, document: Document, size: tuple[int, int], dpr: float = 1, theme: str = "light",
    view: ViewText | None = None, progress: Progress = no_progress, cancel: Cancel = NEVER,
) -> Array:  # fmt: skip
    """Opaque pixels (y, x, 3) uint8 of a bound document; `size` is (width, height) in CSS pixels, each of `dpr` device
    pixels.

    One figure fills it; several are laid out as on the page, below the document's title. Layers are built as far as
    exact answers need it. Raises BadInput where a figure gets too small, NotFound for a document whose tables are
    elsewhere, and what opening and building raise.
    """
    require_bound(document)
    view = view or ViewText({})
    palette = THEMES[theme]
    specs = document.figures()
    figures = [
        _figure(engine, document, spec, number, view, palette, progress, cancel) for number, spec in enumerate(specs)
    ]
    ranges = _ranges(document, figures, view)
    if len(figures) == 1:
        _check(size)
        return figures[0].picture(ranges[0], (float(size[0]), float(size[1])), dpr)
    title = _TITLE if document.title else 0
    page = np.empty((int(size[1] * dpr + 0.5), int(size[0] * dpr + 0.5), 3), np.uint8)
    page[...] = palette.page
    canvas = Canvas(page, dpr)
    if title:
        canvas.text(document.title, 16, title / 2 + 2, (15, True), palette.ink, "left", "middle")
    layout = figures_only(document.layout)
    assert layout is not None  # a document has a figure
    places = list(arranged(layout, 0, title, size[0], size[1] - title))
    for place in places:
        _check((place.width, place.height))
    for figure, shown, place in zip(figures, ranges, places, strict=True):
        figure.settle(shown, (place.width, place.height), dpr)
    for number, (figure, shown, place) in enumerate(zip(figures, ranges, places, strict=True)):
        cancel.check()
        beside = [
            other.margins(there.width)
            for at, (other, there) in enumerate(zip(figures, places, strict=True))
            if at != number and place.row is not None and there.row == place.row
        ]
        drawn = figure.picture(shown, (place.width, place.height), dpr, beside)
        _put(canvas, place, drawn, _LINES[theme])
    return page


def _check(size: tuple[float, float]) -> None:
    if min(size) < _LEAST:
        told = " x ".join(f"{side:.0f}" for side in size)
        raise BadInput(
            f"A figure needs {_LEAST} x {_LEAST} pixels at least, and has {told}: make --size larger.", "size"
        )


def _put(canvas: Canvas, place: PlacedFigure, drawn: Array, line: Rgb) -> None:
    """A figure's picture with the page's line around it."""
    canvas.fill(place.x - 1, place.y - 1, place.width + 2, place.height + 2, line)
    top, left = (int(start * canvas.dpr + 0.5) for start in (place.y, place.x))
    inside = canvas.pixels[top : top + drawn.shape[0], left : left + drawn.shape[1]]
    inside[...] = drawn[: inside.shape[0], : inside.shape[1]]


def _figure(
    engine: Engine, document: Document, spec: FigureSpec, number: int, view: ViewText, palette: Palette,
    progress: Progress, cancel: Cancel,
) -> Figure:  # fmt: skip
    layers = []
    for index, choice in enumerate(chosen(document, spec, number, view)):
        engine.ensure(choice.dataset, choice.layer, progress, cancel)
        info = engine.info(choice.dataset, choice.layer)
        layers.append(ShownLayer(choice, info, engine.dense(choice.dataset, choice.layer), index, palette))
    axes = axes_of(spec, layers[0] if layers else None)
    return Figure(engine, spec, layers, axes, palette, cancel, progress)


def _ranges(document: Document, figures: Sequence[Figure], view: ViewText) -> list[Ranges]:
    """What each figure shows: figures that name the same range show the same of it."""
    moved: dict[str, Span] = {}
    for number, figure in enumerate(figures):
        for side, name in enumerate((figure.spec.x_range, figure.spec.y_range)):
            start, end = (view.of(f"{'xy'[side]}{at}", number) for at in (0, 1))
            if start is not None and end is not None:
                moved[name] = _said(start, end, figure.axes[side].exact, "xy"[side])
    windows = {spec.x_range: spec.follow.window for spec in document.figures() if spec.follow}
    windows |= {
        figure.spec.x_range: _window(text)
        for number, figure in enumerate(figures)
        if (text := view.of("follow", number)) is not None
    }
    homes = {name: _home(figures, name, document, windows.get(name)) for name in document.ranges}
    known = {name for name in document.ranges if name in moved or _is_known(figures, name, document)}
    out = []
    for figure in figures:
        names = figure.spec.x_range, figure.spec.y_range
        x, y = (
            as_kind(moved.get(name, homes[name]), axis.exact) for name, axis in zip(names, figure.axes, strict=True)
        )
        is_part = names[0] in moved or names[0] in windows
        follows = is_part and names[1] not in moved and _may_follow(figures, figure, document)
        out.append(Ranges(x, y, follows, (names[0] in known, names[1] in known)))
    return out


def _said(start: str, end: str, exact: bool, side: str) -> Span:
    found = span_of(start, end, exact)
    if found is None:
        raise BadInput(
            f"{side}0 is a number below {side}1, got {start[:40]} and {end[:40]}: write the lower end first.",
            f"{side}0",
        )
    return found


def _window(text: str) -> float:
    try:
        window = float(text)
    except ValueError:
        window = math.nan
    if not 0 < window <= LONGEST:
        raise BadInput(f"follow is a number above 0, the length of the newest part of x; got {text[:40]}.", "follow")
    return window


def _home(figures: Sequence[Figure], name: str, document: Document, window: float | None) -> Span:
    """The declared range, else the newest part of the data that is a window long, else all that layers of figures with
    that range show first."""
    declared = document.ranges[name]
    layers = _layers_on(figures, name)
    exact = bool(layers) and all(whole for _, _, whole in layers)
    if declared.start is not None and declared.end is not None:
        said = span_of(declared.start, declared.end, exact)
        if said is not None:
            return said
    if window is not None:
        return newest_span([layer.data_range(side) for layer, side, _ in layers], exact, window)
    return home_span([layer.home_range(side) for layer, side, _ in layers], exact)


def _is_known(figures: Sequence[Figure], name: str, document: Document) -> bool:
    """Whether the document says where a range is, or a layer on it has data."""
    declared = document.ranges[name]
    said = declared.start is not None and declared.end is not None
    return said or any(layer.data_range(side) is not None for layer, side, _ in _layers_on(figures, name))


def _layers_on(figures: Sequence[Figure], name: str) -> list[tuple[ShownLayer, int, bool]]:
    """The layers on a range, on which side each, and whether that axis is exact."""
    return [
        (layer, side, figure.axes[side].exact)
        for figure in figures
        for side in (0, 1)
        if (figure.spec.x_range, figure.spec.y_range)[side] == name
        for layer in figure.layers
    ]


def _may_follow(figures: Sequence[Figure], figure: Figure, document: Document) -> bool:
    """Only lines and bars, on a y range that is this figure's alone and that the document leaves open."""
    declared, name = document.ranges[figure.spec.y_range], figure.spec.y_range
    alone = sum((each.spec.x_range, each.spec.y_range).count(name) for each in figures) == 1
    said = declared.start is not None and declared.end is not None
    return alone and not said and bool(figure.layers) and all(layer.is_line or layer.is_bars for layer in figure.layers)
