"""A layer of points: tiles; where a view holds few rows, the rows in their place; where tiles are not deep enough for
many, an image. As in static/layers/raster-layer.js."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.common.progress import Progress
from bigviz.export.axes.span import Span
from bigviz.export.png.data.bands import banded, bands_along
from bigviz.export.png.data.cells import map_axis
from bigviz.export.png.data.compose import draw_over
from bigviz.export.png.data.grid import Window, cell_size, nominal_cells, nominal_level, window_of
from bigviz.export.png.data.planes import Block, Resampled, resampled
from bigviz.export.png.data.rows import Rows
from bigviz.export.png.data.spread import spread
from bigviz.export.png.shown_layer import ShownLayer
from bigviz.export.png.view import View, window_ends
from bigviz.render.norm import Norm
from bigviz.server.jobs.window_jobs import marks_of
from bigviz.tiles.grid.tile_key import DEEPEST
from bigviz.tiles.interface import Engine, Number, TileKey, WindowImage
from bigviz.wire.codec import SIDE

__all__ = ["Points"]

Array = npt.NDArray[Any]
Interval = tuple[Number, Number]
_FAINTEST = 40  # of 255: the opacity of the lowest sum of categories


class Points:
    """What draws a layer of points in views that follow each other. Answers are exact; blocks, and raises what the
    engine does."""

    def __init__(self, engine: Engine, layer: ShownLayer, cancel: Cancel, progress: Progress) -> None:
        self._engine, self._layer, self._cancel, self._progress = engine, layer, cancel, progress
        self._rows: Rows | None = None
        self._asked: tuple[Interval, Interval] | None = None
        self._norm: Norm | None = None

    @property
    def norm(self) -> Norm | None:
        """Of the colours drawn last; None while nothing is visible."""
        return self._norm

    def load(self, view: View) -> None:
        """Find out whether a view's rows are few, and keep them if so."""
        if self._rows is not None and self._rows.covers(view):
            return
        choice, info = self._layer.choice, self._layer.info
        x, y = self._ends(view)
        if (x, y) == self._asked:
            return
        self._asked = x, y
        window = window_of(info.root_x, info.root_y, view)
        self._rows = None
        if window is None:
            return
        if self._engine.readiness(choice.dataset, choice.layer) == "scanned":
            keys = _keys(window)
            self._engine.scan(choice.dataset, choice.layer, keys, (x, y), self._progress, self._cancel)
        found = marks_of(self._engine, choice.dataset, choice.layer, x, y, self._cancel)
        self._rows = None if found is None else Rows(self._layer, *found)

    def is_sparse(self, view: View) -> bool:
        """Few rows make up the picture of a view: they are drawn on the page's ground."""
        return self._rows is not None and self._rows.is_sparse(view)

    def is_plain(self, view: View) -> bool:
        """The colours of the picture of a view mean nothing: all its marks have the same."""
        return self._rows is not None and self._rows.is_plain(view)

    def is_always_plain(self, most_rows: int) -> bool:
        """No view has colours that mean something; `most_rows` are sent as rows."""
        spec = self._layer.choice.spec
        styled = (spec.color is not None or spec.size is not None) and self._layer.tells_places
        kept = self._rows is not None and self._rows.is_always_plain
        return kept or (styled and self._layer.info.rows_kept <= most_rows)

    def draw(self, canvas: Array, view: View, dpr: float) -> None:
        """Draw a view that was loaded over an opaque canvas (y, x, 3) of its size."""
        if self._rows is not None:
            self._rows.draw(canvas, view, dpr)
            self._norm = self._rows.norm
            return
        info = self._layer.info
        window = window_of(info.root_x, info.root_y, view)
        if window is None:
            self._norm = None
            return
        image = self._image(view)
        if image is not None:
            draw_over(canvas, self._coloured(self._of_image(image, view)))
            return
        nominal = nominal_cells(info.root_x, info.root_y, view) if self._layer.additive else (1, 1)
        found = resampled(self._layer, self._blocks(window), window.shape, window.x, window.y, nominal)
        pixels = self._coloured(found)
        if self._norm is not None:
            pixels = spread(pixels, found.values, found.filled, dpr)
        draw_over(canvas, self._banded(pixels, view, window))

    def _coloured(self, found: Resampled) -> Array:
        """The pixels (y, x, 4), as the visible values make them."""
        layer, choice = self._layer, self._layer.choice
        values = found.values[found.filled]
        pixels = np.zeros((*found.values.shape, 4), np.uint8)
        if not np.isfinite(values).any():
            self._norm = None
            return pixels
        self._norm = Norm(values, choice.how, choice.low, choice.high, layer.counts, found.origin)
        fraction = self._norm.fraction(values)
        if found.colours is None:
            pixels[found.filled, :3] = layer.table[(fraction * 255 + 0.5).astype(np.int64)]
            pixels[found.filled, 3] = 255
        else:
            pixels[..., :3] = found.colours
            pixels[found.filled, 3] = np.floor(_FAINTEST + fraction * (255 - _FAINTEST))
            pixels[~found.filled] = 0
        return pixels

    def _blocks(self, window: Window) -> Iterator[Block]:
        choice = self._layer.choice
        for done, key in enumerate(_keys(window)):
            self._cancel.check()
            self._progress("drawing", done / ((window.i1 - window.i0 + 1) * (window.j1 - window.j0 + 1)), 0)
            tile = self._engine.tile(choice.dataset, choice.layer, key, self._cancel)
            yield key.j - window.j0, key.i - window.i0, tile.planes

    def _image(self, view: View) -> WindowImage | None:
        """An image where the view is deeper than tiles are."""
        info, choice = self._layer.info, self._layer.choice
        levels = nominal_level(info.root_x, view.x, view.width), nominal_level(info.root_y, view.y, view.height)
        if max(levels) <= DEEPEST:
            return None
        size = view.width, view.height
        return self._engine.window_image(choice.dataset, choice.layer, *self._ends(view), size, self._cancel)

    def _of_image(self, image: WindowImage, view: View) -> Resampled:
        columns, lines = -(-image.width // SIDE), -(-image.height // SIDE)
        (x0, x1), (y0, y1) = self._ends(view)
        left, right = (view.x.fraction(*_place(end, view.x)) * view.width for end in (x0, x1))
        top, bottom = ((1 - view.y.fraction(*_place(end, view.y))) * view.height for end in (y1, y0))
        x = map_axis(left, (right - left) / image.width * SIDE, columns, view.width)
        y = map_axis(top, (bottom - top) / image.height * SIDE, lines, view.height)
        each = image.planes_per_block
        groups = [image.planes[at : at + each] for at in range(0, len(image.planes), each)]
        blocks = ((number // columns, number % columns, planes) for number, planes in enumerate(groups))
        return resampled(self._layer, blocks, (lines * SIDE, columns * SIDE), x, y, (1, 1))

    def _ends(self, view: View) -> tuple[Interval, Interval]:
        x, y = (
            window_ends(s, exact, times)
            for s, exact, times in zip((view.x, view.y), self._layer.exact, self._layer.times, strict=True)
        )
        return x, y

    def _banded(self, pixels: Array, view: View, window: Window) -> Array:
        """As bands, where an axis has few whole numbers."""
        info, whole = self._layer.info, self._layer.whole
        x = bands_along(view.x, view.width, cell_size(info.root_x, window.zx)) if whole[0] else None
        y = bands_along(view.y, view.height, cell_size(info.root_y, window.zy)) if whole[1] else None
        return banded(pixels, x, y)


def _keys(window: Window) -> list[TileKey]:
    return [
        TileKey(window.zx, window.zy, i, j)
        for j in range(window.j0, window.j1 + 1)
        for i in range(window.i0, window.i1 + 1)
    ]


def _place(end: Number, s: Span) -> tuple[int, float]:
    return (end, 0.0) if isinstance(end, int) and s.exact else (0, float(end))
