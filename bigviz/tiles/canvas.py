"""`Canvas` with indexes: images of large files cost the rows of their window, where `bigviz index` wrote one."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xarray as xr

from bigviz.aggregate.canvas import canvas
from bigviz.aggregate.canvas.axes import span_of
from bigviz.aggregate.canvas.rows import Wanted
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.reductions.by import By
from bigviz.common.errors import BadInput, BigvizError
from bigviz.data.dataset import Dataset
from bigviz.data.open import open as open_source
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.engine import MOST_CELLS
from bigviz.tiles.engine import Engine as OwnEngine
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.interface import Engine
from bigviz.tiles.live_engines import engine_with
from bigviz.tiles.store.catalog.directory import StoreDirectory

__all__ = ["Canvas", "forget"]

Array = npt.NDArray[Any]


class Canvas(canvas.Canvas):
    __doc__ = canvas.Canvas.__doc__

    def _drawn(self, glyph: canvas.Glyph, source: object, wanted: Wanted) -> xr.DataArray:
        """The image, from rows in order if there are some, in memory or in an index of the table's files."""
        dataset = _indexable(source)
        if dataset is None:
            return super()._drawn(glyph, source, wanted)
        layer = Layer(glyph, wanted.x, wanted.y, wanted.reduction, root="default", filter=wanted.filter)
        found = self._of_index(dataset, layer)
        return super()._drawn(glyph, dataset, wanted) if found is None else found

    def _of_index(self, dataset: Dataset, layer: Layer) -> xr.DataArray | None:
        """None where there is no index, or where it does not tell what `Canvas` makes of the table."""
        log = "log" in (self.x_axis_type, self.y_axis_type)
        found = None if log or _declares(dataset, layer.reduction) else _indexed(dataset, layer)
        if found is None or self.plot_width * self.plot_height > MOST_CELLS:
            return None
        engine, info = found
        known = info.range is not None and not info.rows_outside and not info.rows_far and not layer.filter
        if (self.x_range is None or self.y_range is None) and not known:
            return None

        def span(axis: int) -> tuple[int | float, int | float]:
            assert info is not None and info.range is not None
            return span_of((info.x, info.y)[axis], (info.range[axis], info.range[axis + 2]))

        x, y = bins = self._bins((info.x, info.y), span)
        if x.low > x.high or y.low > y.high:
            return None
        planes = engine.image(dataset, layer, x.low, x.high, y.low, y.high, x.size, y.size)
        values = _values(planes, layer.reduction)
        if layer.reduction.plane.name == "sum" and not all(
            np.isfinite(np.ma.compressed(each)).all() for each in planes
        ):
            return None  # sums of infinities depend on the order of rows
        return self._made(values, (info.x, info.y), bins, layer.reduction, list(info.planes or ()))


def _indexable(source: object) -> Dataset | None:
    """The dataset of a path, or the one that was opened; None for other objects in memory."""
    if isinstance(source, str | os.PathLike):
        source = open_source(source)
    return source if isinstance(source, Dataset) else None


def _declares(dataset: Dataset, reduction: Reduction) -> bool:
    """Whether the category is an ordered dictionary, whose labels `Canvas` keeps as they are; an index sorts them."""
    if not isinstance(reduction, By) or (at := dataset.schema.get_field_index(reduction.label)) < 0:
        return False
    type_ = dataset.schema.field(at).type
    return bool(pa.types.is_dictionary(type_) and type_.ordered)


def _indexed(dataset: Dataset, layer: Layer) -> tuple[Engine, LayerInfo] | None:
    """An engine that has the layer's rows in order, and what is known of the layer; None without one, and for lines
    that are not in the order of x, which `Canvas` draws in the order of rows."""
    try:
        engine = engine_with(dataset, layer)  # a layer that is there was checked
        if engine is None:
            layer.check(dataset)
            engine = _own_engine(dataset, layer)
        if engine is None:
            return None
        info = engine.info(dataset, layer)
    except BigvizError:  # `Canvas` takes more than layers do, and says itself what it cannot take
        return None
    return None if layer.glyph == "line" and not info.sorted else (engine, info)


def _own_engine(dataset: Dataset, layer: Layer) -> OwnEngine | None:
    """The engine of canvases, if there is something for it to use."""
    engine, stores = _engine(), _stores()
    on_disk = stores is not None and stores.find(dataset, OrderSpec.of(layer)) is not None
    return engine if on_disk or engine.has_order(dataset, layer) else None


def forget() -> None:
    """Look for indexes anew: the user's directory may be another one now."""
    _engine.cache_clear()
    _stores.cache_clear()


@cache
def _stores() -> StoreDirectory | None:
    """The user's indexes; None where there is no directory for them."""
    try:
        return StoreDirectory()
    except BadInput:
        return None


@cache
def _engine() -> OwnEngine:
    """The engine of this process's canvases: it writes no index."""
    return OwnEngine(cache_bytes=0, stores=_stores(), index="existing", images_only=True)


def _values(planes: list[Array], reduction: Reduction) -> Array:
    """An image's planes, which have the highest y in row 0, as `Canvas` has them: categories first."""
    stacked = [plane[::-1] for plane in planes]
    if reduction.traits.total == "any":
        made = [np.ma.filled(plane, 0) > 0 for plane in stacked]
    elif reduction.traits.counts:
        made = stacked
    else:
        made = [np.ma.filled(np.ma.asarray(plane, np.float64), np.nan) for plane in stacked]
    return made[0] if reduction.category is None else np.stack(made)
