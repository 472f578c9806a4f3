"""The rows that filters keep of the orders that layers share, and estimates of them until they are there."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Final

import numpy as np

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.spaces import space
from bigviz.common.memory import available_memory
from bigviz.common.priority import Turns
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.line_layer import LineLayer
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.estimates.filtered_sample import FilteredSample
from bigviz.tiles.filter_columns import FilterColumns
from bigviz.tiles.grid.order_spec import OrderSpec
from bigviz.tiles.grid.row_filter import RowFilter, hidden, row_filter
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.layer_inputs import read_columns, stored_inputs
from bigviz.tiles.morton.filtered_order import FilteredOrder
from bigviz.tiles.morton.kept_rows import Slices, keep_rows, ordered_columns, sample_rows
from bigviz.tiles.morton.masked_rows import MaskedRows
from bigviz.tiles.morton.order import Order, OrderedColumn
from bigviz.tiles.pyramid.layer_columns import gather_inputs
from bigviz.tiles.pyramid.pyramid import Pyramid
from bigviz.tiles.scans.scan_factory import head_of
from bigviz.tiles.series.kept_series import kept_series
from bigviz.tiles.series.line import OneSeries
from bigviz.tiles.series.series import Series, build_series
from bigviz.tiles.shared_orders import Orders

__all__ = ["FilteredRows", "filtered_line"]

Held = Mapping[str, OrderedColumn | None]
_STAGE: Final = "filtering rows"


class FilteredRows:
    """Safe to use from any number of threads."""

    def __init__(self, orders: Orders, memory: int, turns: Turns) -> None:
        self._orders, self._memory, self._turns = orders, memory, turns
        self.columns = FilterColumns(memory)

    def are_there(self, layer: Layer, key: Hashable) -> bool:
        """Whether some layer of this filter over the order `key` has been made."""
        return self._orders.find((key, layer.filter)) is not None

    def of(
        self,
        layer: Layer,
        keep: RowFilter,
        order: Order,
        held: Held | None,
        key: Hashable,
        crew: Crew,
        known: Callable[[MaskedRows], None],
    ) -> FilteredOrder | None:
        """The rows of an order that a filter keeps, shared by all layers of that filter; None where memory does not
        hold them. `held` are the columns in that order. `known` is called once it is known which rows they are, before
        they are copied."""
        name = key, layer.filter
        shared = self._orders.find(name)
        if isinstance(shared, FilteredOrder) and shared.below is order:
            return shared
        if held is not None and isinstance(key, tuple):
            held = self.columns.with_lacking(keep, order, held, _on_axes(layer, keep), key, crew)
        columns = _ordered(layer, keep, order, held)
        memory, rows = min(self._memory, available_memory()), len(order.guard)
        found = keep_rows(keep, order, OrderSpec.of(layer), columns, crew.within(_STAGE, 0.0, 0.5, rows), memory)
        if found is None:
            return None
        known(found)
        made = found.copied(crew.within(_STAGE, 0.5, 1.0, rows))
        self._orders.put(name, made)
        return made

    def sample(self, dataset: Dataset, layer: Layer, order: Order, held: Held, crew: Crew) -> FilteredSample | None:
        """The layer over some of the rows of an order; None where they cannot be told without reading the table."""
        keep, names = row_filter(dataset, layer), layer.reduction.columns
        if keep is None or not (order.has_columns or all(held[name] for name in names)):
            return None
        with self._turns.request():
            some = sample_rows(keep, order, _ordered(layer, keep, order, held))
            if some is None:
                return None
            rows, looked = some
            if order.has_columns:
                columns = read_columns(dataset, layer.reduction, crew)
                inputs = gather_inputs(rows, layer.reduction, columns, crew)
            else:
                needed = {name: each and rows.kept_of(each) for name, each in held.items() if name in names}
                inputs, columns = stored_inputs(dataset, rows, layer.reduction, needed, crew)
            x = Axis(head_of(dataset, layer.x, crew.cancel), space(layer.xaxis, "x"))
            y = Axis(head_of(dataset, layer.y, crew.cancel), space(layer.yaxis, "y"))
            made = PointsLayer(x, y, rows, Pyramid(rows.guard, inputs), columns)
        return FilteredSample(dataset, layer, made, looked, self._turns)


def filtered_line(x: Axis, y: Axis, found: Survey, keep: RowFilter, series: Series | None, crew: Crew) -> LineLayer:
    """A line of the rows that a filter keeps, in memory; `found` is the survey of all rows, and `series` has all of
    them in order, where they are at hand: else the kept ones are sorted."""
    mask = keep.of_file(crew)
    if series is None:
        made = build_series(Axis(hidden(x.column, mask), x.space), y, crew)
    else:
        made = kept_series(series, mask, crew)
    return LineLayer(x, y, found, OneSeries(made), kept=int(np.count_nonzero(mask)))


def _on_axes(layer: Layer, keep: RowFilter) -> set[str]:
    """The columns of a filter whose numbers an order has as its own."""
    axes = (layer.x, layer.xaxis), (layer.y, layer.yaxis)
    linear = {name for name, kind in axes if kind == "linear"}
    return {name for name in keep.names if name in linear and keep.dataset.info(name).kind != "category"}


def _ordered(layer: Layer, keep: RowFilter, order: Order, held: Held | None) -> dict[str, Slices] | None:
    return None if held is None or order.has_columns else ordered_columns(keep, order, OrderSpec.of(layer), held)
