"""Small pictures of documents, from tiles that are there or take little: none is worth an index or a pass."""

from __future__ import annotations

import asyncio
import hashlib
import math
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.layer_options import BARS
from bigviz.common.byte_cache import ByteCache
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, BigvizError
from bigviz.document.placement import Place, placed
from bigviz.document.spec import Document, FigureSpec, RangeSpec
from bigviz.render.colormaps import CATEGORIES, lut
from bigviz.render.contrast import PLOT_DARK, PLOT_LIGHT, wants_dark
from bigviz.render.css_colors import Rgba, rgba
from bigviz.render.png import png
from bigviz.render.shade import Cells, Shading, coloured, norm_of, values_of
from bigviz.render.thumbnail import ACCENTS, bar_pixels, grown, line_pixels, over
from bigviz.server.request_values import Number
from bigviz.tiles.grid.pixel_cells import pixel_cells
from bigviz.tiles.interface import Bars, Columns, DensePart, LayerInfo, TileKey
from bigviz.tiles.readiness import EXACT
from bigviz.wire.codec import SIDE, EncodedPlane, decode
from bigviz.wire.offsets import offsets

if TYPE_CHECKING:
    from bigviz.server.access.principal import Principal
    from bigviz.server.http.response_budget import Budget
    from bigviz.server.jobs.layer_ref import Asked
    from bigviz.server.jobs.service import Backend
    from bigviz.tiles.interface import Engine, SampledLayer

__all__ = ["HEIGHT", "WIDTH", "Thumbnails"]

Pixels = npt.NDArray[np.uint8]
Window = tuple[Number, Number]

WIDTH: Final = 480
HEIGHT: Final = 300
_BYTES: Final = 80 << 20  # that drawing one takes: at most 64 planes of 480 x 300 float64
_GAP: Final = 6
_EXACT: Final = 1 << 53
_LARGEST: Final = sys.float_info.max
_KEPT: Final = 16 << 20
_MOST_LAYERS: Final = 64  # each takes tens of milliseconds, and nobody tells more of them apart
_AT_A_TIME: Final = 2
_PAD: Final = 0.04  # of the range, on each side: more than the page's, so that no mark at the edge is cut
_MOST_MARKS: Final = 5_000  # rows that are drawn as plain marks
_MOST_STYLED: Final = 50_000  # the same, where the document gives them a colour or a size
_RADII: Final = ((150, 4), (400, 3), (1_200, 2))  # of marks, by how many there are at most
_FREE: Final = 0.1  # of the room of a label, on each side of its bar
_SPARSE: Final = 0.02  # of the pixels: where fewer are filled, each grows


@dataclass(frozen=True)
class _Source:
    """What a layer is drawn from, exact or of a sample."""

    asked: Asked
    info: LayerInfo
    dense: DensePart | None
    planes: Callable[[TileKey], Sequence[EncodedPlane]]
    columns: Callable[[Window, int], Columns]
    bars: Callable[[Window], Bars] | None = None

    @property
    def box(self) -> tuple[Number, Number, Number, Number] | None:
        """What a page shows first of the layer, x0, y0, x1, y1; None without rows."""
        return self.info.range if self.dense is None else self.dense.box


class Thumbnails:
    """Drawn on request, two at a time, and kept as long as nothing that they show changes."""

    def __init__(self) -> None:
        self._kept: ByteCache[memoryview] = ByteCache(_KEPT)
        self._turns = asyncio.Semaphore(_AT_A_TIME)

    def etag(self, backend: Backend, document: Document) -> str:
        """A name of all that the picture depends on, whether its layers can be drawn exactly included."""
        layers = _layers(backend, document).values()
        states = [(each.etag, backend.engine.readiness(each.dataset, each.layer) in EXACT) for each in layers]
        return hashlib.blake2b(repr((document.to_json(), states)).encode(), digest_size=16).hexdigest()

    @staticmethod
    def blank() -> bytes:
        """The picture of a document of which nothing can be drawn."""
        return png(np.zeros((HEIGHT, WIDTH, 4), np.uint8))

    async def png(self, backend: Backend, budget: Budget, principal: Principal, document: Document) -> bytes:
        """The picture as a PNG of 480 x 300, transparent where the page's own ground is to show.

        Layers whose index is not there are drawn from a sample, unless they are small; layers that cannot be drawn are
        left out. Raises Busy, and Cancelled.
        """
        name = self.etag(backend, document)
        kept = self._kept.get(name)
        if kept is not None:
            return bytes(kept)
        layers = _layers(backend, document)
        samples = {number: backend.builds.sampled(each.dataset, each.layer) for number, each in layers.items()}

        def call(cancel: Cancel) -> bytes:
            return _drawn(backend.engine, document, layers, samples, cancel)

        async with self._turns:
            with budget.hold(_BYTES):
                made = await backend.job(principal, ("thumbnail", name), call, heavy=True)
        self._kept.put(name, memoryview(made))
        return made


def _layers(backend: Backend, document: Document) -> dict[int, Asked]:
    """The document's first layers by their number, without those that cannot be drawn."""
    found = {}
    for number in range(min(len(document.layers()), _MOST_LAYERS)):
        with suppress(BigvizError):
            found[number] = backend.asked(document, number, lambda name: None)
    return found


def _drawn(
    engine: Engine,
    document: Document,
    layers: dict[int, Asked],
    samples: dict[int, SampledLayer | None],
    cancel: Cancel,
) -> bytes:
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    number = 0
    places = {figure.id: place for figure, place in placed(document.layout, Place(0, 0, WIDTH, HEIGHT), _GAP)}
    for figure in document.figures():
        numbers = range(number, number + len(figure.layers))
        number += len(figure.layers)
        place = places.get(figure.id)
        if place is None:
            continue
        sources = []
        for each in numbers:
            if each in layers:
                with suppress(BigvizError):
                    cancel.check()
                    sources.append(_source(engine, layers[each], samples[each], cancel))
        cancel.check()
        inside = np.s_[place.top : place.top + place.height, place.left : place.left + place.width]
        pixels[inside] = _figure(figure, document, sources, (place.width, place.height), cancel)
    return png(pixels)


def _source(engine: Engine, asked: Asked, sample: SampledLayer | None, cancel: Cancel) -> _Source:
    """What to draw a layer from: the layer itself where it answers, or will at once, else a sample."""
    dataset, layer = asked.dataset, asked.layer
    if engine.readiness(dataset, layer) not in EXACT:
        sampled = sample or engine.preview(dataset, layer, cancel)
        if sampled is not None:
            return _Source(
                asked,
                sampled.facts,
                sampled.dense,
                lambda key: sampled.tile(key, cancel)[0].planes,
                lambda x, width: sampled.columns(*x, width, cancel)[0],
                (lambda x: sampled.bars(*x, cancel)[0]) if layer.glyph in BARS else None,
            )
        engine.ensure(dataset, layer, cancel=cancel)

    scanned = engine.readiness(dataset, layer) == "scanned"

    def planes(key: TileKey) -> Sequence[EncodedPlane]:
        rough = engine.estimate(dataset, layer, key, cancel) if scanned else None
        return engine.tile(dataset, layer, key, cancel).planes if rough is None else rough[0].planes

    return _Source(
        asked,
        engine.info(dataset, layer),
        engine.dense(dataset, layer),
        planes,
        lambda x, width: engine.columns(dataset, layer, *x, width, cancel),
        (lambda x: engine.bars(dataset, layer, *x, cancel)) if layer.glyph in BARS else None,
    )


def _figure(
    figure: FigureSpec, document: Document, sources: Sequence[_Source], size: tuple[int, int], cancel: Cancel
) -> Pixels:
    """A figure's layers over each other, on the ground that their colour maps need."""
    width, height = size
    pixels = np.zeros((height, width, 4), np.uint8)
    ranges = [source.box for source in sources if source.box is not None]
    if not ranges:
        return pixels
    x = _window(document.ranges[figure.x_range], min(each[0] for each in ranges), max(each[2] for each in ranges))
    y = _window(document.ranges[figure.y_range], min(each[1] for each in ranges), max(each[3] for each in ranges))
    if figure.aspect == "locked":
        x, y = _locked(x, y, size)
    for number, source in enumerate(sources):
        cancel.check()
        with suppress(BadInput):  # a window that is too wide or too narrow to be divided
            if source.bars is not None:
                pixels = over(pixels, _bars(source, source.bars(x), number, x, y, size))
            elif source.asked.layer.glyph == "line":
                pixels = over(pixels, _line(source, number, x, y, size))
            else:
                pixels = _points(source, number, x, y, pixels)
    return pixels


def _line(source: _Source, number: int, x: Window, y: Window, size: tuple[int, int]) -> Pixels:
    width, height = size
    found = source.columns(x, width)
    across, up = _along(found.x, x, width), _along(found.y, y, height)
    return line_pixels(across, height - up, found.run, size, _colour(source, number))


def _bars(source: _Source, found: Bars, number: int, x: Window, y: Window, size: tuple[int, int]) -> Pixels:
    """Bars, stacked, each as wide as its bin or as a part of the room of its label."""
    width, height = size
    edges, (heights, filled) = _along(found.edges, x, width), found.heights
    tops = np.where(filled, heights, 0).astype(np.float64).cumsum(axis=0)
    feet = np.vstack([np.zeros((1, found.bins)), tops[:-1]])
    free = np.diff(edges) * (_FREE if found.names is not None else 0)
    colours = lut(CATEGORIES)
    out = np.zeros((height, width, 4), np.uint8)
    for code in range(len(tops)):
        red, green, blue = colours[code % len(colours)].tolist()
        colour = _colour(source, number) if found.categories is None else (red, green, blue, 255)
        low, high = (height - _along(each[code], y, height) for each in (feet, tops))
        out = over(out, bar_pixels(edges[:-1] + free, edges[1:] - free, low, high, size, colour))
    return out


def _colour(source: _Source, number: int) -> Rgba:
    """The colour of a layer that has one, with its opacity; `number` is its place in the figure."""
    style = source.asked.style
    red, green, blue, opacity = ACCENTS[number % len(ACCENTS)] if style.color is None else rgba(style.color)
    return red, green, blue, round(opacity * style.alpha)


def _along(values: npt.NDArray[Any], window: Window, pixels: int) -> npt.NDArray[np.float64]:
    """How many pixels from the low end of a window numbers of an axis lie."""
    low, high = window
    if values.dtype.kind != "f" and isinstance(low, int):
        return offsets(values, low) / float(high - low) * pixels
    numbers = values.astype(np.float64)
    unit = 0.25 if math.isinf(float(high) - float(low)) else 1.0  # else differences may overflow
    return (numbers * unit - float(low) * unit) / (float(high) * unit - float(low) * unit) * pixels


def _points(source: _Source, number: int, x: Window, y: Window, below: Pixels) -> Pixels:
    """The pixels below with a layer of points over them: plain marks where the rows are few, else cells in colours on
    the ground that those need."""
    planes = _sampled(source, x, y, (below.shape[0], below.shape[1]))
    style, reduction = source.asked.style, source.asked.layer.reduction
    traits = reduction.traits
    cells = Cells("counts" if traits.counts else "null", reduction.category is not None)
    values = values_of(planes, cells)
    filled = int(values.filled.sum())
    radius = next((radius for most, radius in _RADII if filled <= most), 1)
    rows_alone = reduction.category is None and (traits.counts or traits.total == "any")
    styled = style.color is not None or style.size is not None
    if rows_alone and source.info.rows_kept <= (_MOST_STYLED if styled else _MOST_MARKS):
        marks = np.zeros_like(below)
        marks[values.filled] = _colour(source, number)
        if style.size is not None:
            radius = min(_RADII[0][1], max(1, round(style.size / 3)))  # a page's plot is larger
        return over(below, grown(marks, radius))
    dark = reduction.category is None and wants_dark(lut(style.cmap))
    shading = Shading(style.cmap, style.how, style.low, style.high, dark)
    pixels = coloured(planes, values, norm_of([values], shading), shading)
    if filled < _SPARSE * values.filled.size:
        pixels = grown(pixels, radius)
    ground = np.empty_like(below)
    ground[...] = (*(PLOT_DARK if dark else PLOT_LIGHT), 255)
    return over(over(ground, below), pixels)


def _sampled(source: _Source, x: Window, y: Window, shape: tuple[int, int]) -> list[npt.NDArray[np.float64]]:
    """The layer's planes at the pixels of a picture, (y, x), NaN where a cell holds nothing."""
    zx, columns = pixel_cells(source.info.root_x, *x, shape[1])
    zy, rows = pixel_cells(source.info.root_y, *y, shape[0])
    rows = np.where(rows >= 0, (SIDE << zy) - 1 - rows, -1)[::-1]  # from the top, as tiles are
    planes = [np.full(shape, np.nan) for _ in source.info.planes or (0,)]
    for j in np.unique(rows[rows >= 0] // SIDE).tolist():
        down = np.flatnonzero(rows // SIDE == j)
        for i in np.unique(columns[columns >= 0] // SIDE).tolist():
            across = np.flatnonzero(columns // SIDE == i)
            cells = np.ix_(rows[down] % SIDE, columns[across] % SIDE)
            for plane in source.planes(TileKey(zx, zy, i, j)):
                values, filled = decode(plane)
                planes[plane.plane][np.ix_(down, across)] = np.where(filled, values, np.nan)[cells]
    return planes


def _window(declared: RangeSpec, low: Number, high: Number) -> Window:
    """What an axis shows first: the declared range, else the data's with room at its ends."""
    whole = isinstance(low, int) and max(-low, high) > _EXACT  # times too, whose nanoseconds float64 does not hold
    pad = (high - low) * _PAD or max(abs(low) * _PAD, 1)
    ends = [low - pad, high + pad]
    for at, end in enumerate((declared.start, declared.end)):
        if end is not None:
            ends[at] = int(end) if isinstance(end, str) else end
    if not ends[0] < ends[1]:
        ends = [low - pad, high + pad]
    return (int(ends[0]), int(ends[1])) if whole else (_bounded(ends[0]), _bounded(ends[1]))


def _locked(x: Window, y: Window, size: tuple[int, int]) -> tuple[Window, Window]:
    """The windows made longer so that one unit is equally long on both axes."""
    exact = [(Fraction(low), Fraction(high)) for low, high in (x, y)]
    unit = max((high - low) / pixels for (low, high), pixels in zip(exact, size, strict=True))
    middles = [(low + high) / 2 for low, high in exact]
    halves = [unit * pixels / 2 for pixels in size]
    one, other = (
        (_bounded(middle - half), _bounded(middle + half)) for middle, half in zip(middles, halves, strict=True)
    )
    return one, other


def _bounded(end: Number | Fraction) -> float:
    """An end of a window as a finite float64."""
    return float(max(-_LARGEST, min(_LARGEST, end)))
