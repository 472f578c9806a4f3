"""Layers, made of what there is: a store that is found or may be written, else the dataset's columns in memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final
from weakref import WeakValueDictionary

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.inputs import load
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import Cancel
from bigviz.common.errors import TooLarge, Unreadable
from bigviz.common.memory import available_memory
from bigviz.common.priority import Turns
from bigviz.common.single_flight import Flights
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.layer_answers import LayerAnswers
from bigviz.tiles.answers.line_layer import LineLayer
from bigviz.tiles.answers.masked_points import MaskedPoints
from bigviz.tiles.answers.points_layer import PointsLayer
from bigviz.tiles.bars.bars_by_label import build_bars
from bigviz.tiles.bars.histogram import HistogramLayer, gathered, line_below
from bigviz.tiles.disk_indexes import DiskIndexes, IndexMode
from bigviz.tiles.estimates.filtered_sample import FilteredSample
from bigviz.tiles.estimates.preview_cache import Previews, SampledLayer
from bigviz.tiles.filtered_rows import FilteredRows, filtered_line
from bigviz.tiles.grid.order_spec import OrderSpec, far_of
from bigviz.tiles.grid.row_filter import RowFilter, row_filter
from bigviz.tiles.grid.survey import Survey, survey
from bigviz.tiles.layer_inputs import gathered_bytes, kept_columns, read_bytes, read_columns, stored_inputs
from bigviz.tiles.morton.masked_rows import MaskedRows
from bigviz.tiles.morton.order import Order, build_order
from bigviz.tiles.pyramid.build import complete
from bigviz.tiles.pyramid.layer_columns import gather_inputs
from bigviz.tiles.pyramid.plane_store import MemoryShelf, Shelf
from bigviz.tiles.pyramid.pyramid import Pyramid
from bigviz.tiles.scans.scan_factory import Scanner, check_categories, head_of
from bigviz.tiles.segments.growing_mask import GrowingMasks
from bigviz.tiles.segments.lines.line_streams import LineStreams
from bigviz.tiles.segments.streams import Streams
from bigviz.tiles.series.line import OneSeries
from bigviz.tiles.series.series import Series, build_series
from bigviz.tiles.shared_orders import Orders
from bigviz.tiles.store.catalog.directory import StoreDirectory
from bigviz.tiles.store.catalog.expected_size import tile_bytes
from bigviz.tiles.store.files.manifest import read_manifest
from bigviz.tiles.store.order.background_verify import verify_ahead
from bigviz.tiles.store.order.stored_order import open_stored_order
from bigviz.tiles.store.pyramid_file import PlaneFile
from bigviz.tiles.store.series.stored_series import open_series

__all__ = ["Maker", "Opened", "Sampled"]

Opened = Callable[[LayerAnswers], None]
Sampled = SampledLayer | FilteredSample

_ROW: Final = 24  # bytes of memory that ordering takes, without columns
_GROWING_ROW: Final = 48  # the same with the axes' numbers, in order and as they come
_GROWING_KEPT: Final = 28  # more, of rows that a filter keeps
_PYRAMIDS: Final = 4  # a pyramid in memory takes at most a part of so many of the budget


class Maker:
    """Makes layers. Safe to use from any number of threads."""

    def __init__(
        self,
        threads: int,
        memory: int,
        orders: Orders,
        stores: StoreDirectory | None,
        index: IndexMode,
        sampled_rows: int,
        pyramids: bool = True,
    ) -> None:
        """Tables of `sampled_rows` or more are worth estimates. Without `pyramids` tiles are made on request."""
        self._threads, self._memory, self.orders = threads, memory, orders
        self._pyramids = pyramids
        self.disk = DiskIndexes(stores, index)
        self._flights: Flights[Order] = Flights()
        self._series: WeakValueDictionary[Hashable, Series] = WeakValueDictionary()  # of all rows of lines in memory
        self.turns = Turns()
        self._filtered = FilteredRows(orders, memory, self.turns)
        self.previews = Previews(threads, self.turns)
        self._masks = GrowingMasks()
        self._streams = Streams(threads, self.turns, masks=self._masks)
        self._lines = LineStreams(self.turns, masks=self._masks)
        self._scanner = Scanner(threads, memory, self.turns, self.previews, sampled_rows)

    def preview(self, dataset: Dataset, layer: Layer, key: Hashable, cancel: Cancel) -> Sampled | None:
        """Estimates until the layer answers, of some of the ordered rows where a filter goes over all of them, else of
        a sample of the source; None where it answers in no time."""
        order = self.orders.find(key)
        if layer.filter and order is not None and layer.glyph == "points" and not self._filtered.are_there(layer, key):
            crew = Crew(1, cancel=cancel)
            with self.disk.but_for_damage():  # which the build meets
                held = {} if order.has_columns else self.disk.columns(dataset, layer, order, crew)
                sample = None if held is None else self._filtered.sample(dataset, layer, order, held, crew)
                if sample is not None:
                    return sample
        return None if self.soon(dataset, layer, key) else self.previews.begin(dataset, layer, cancel)

    def forget(self, dataset: Dataset) -> None:
        """Let go of what is kept of a version of a dataset beside its layers."""
        self._filtered.columns.drop_dataset(dataset)

    @property
    def filter_bytes(self) -> int:
        """Bytes of columns that filters keep."""
        return self._filtered.columns.nbytes

    def soon(self, dataset: Dataset, layer: Layer, key: Hashable) -> bool:
        """Whether rows in order are at hand, so that the layer answers in no time."""
        if self.grows(dataset, layer):
            return True
        if layer.filter and not self._filtered.are_there(layer, key):
            return False
        order = self.orders.find(key)
        names = layer.reduction.columns
        if order is not None:
            return all(order.column(name) is not None for name in names)
        return self.disk.find(dataset, layer) is not None

    def grows(self, dataset: Dataset, layer: Layer) -> bool:
        """Whether the layer is made of that of an earlier version: what is new is added to it."""
        if layer.glyph == "bar" or (layer.glyph == "histogram" and layer.reduction.columns):
            return False
        streams = self._streams if layer.glyph == "points" else self._lines
        return streams.find(dataset, layer) is not None and self._masks.knows(dataset, layer)

    def scans(self, dataset: Dataset, layer: Layer, key: Hashable) -> bool:
        """Whether a layer of points would be scanned if it were made now."""
        if self.disk.find(dataset, layer) is None and not self.disk.may_build(dataset, layer):
            return not self._holds(dataset, layer, key)
        order = self.orders.find(key)
        lacking = order is not None and any(order.column(name) is None for name in layer.reduction.columns)
        return lacking and not self._holds(dataset, layer, key)

    def make(
        self, dataset: Dataset, layer: Layer, key: Hashable, crew: Crew, opened: Opened, again: bool = False
    ) -> LayerAnswers:
        """The layer: indexed, or, where memory does not hold its index and none may be written, scanned. `opened` is
        called as soon as it answers, which may be before its index is complete; `key` names its order. Raises what
        reading the dataset does, TooLarge for a line that memory does not hold, Cancelled."""
        if layer.glyph == "bar":
            return build_bars(dataset, layer, crew)
        if layer.glyph == "histogram":
            return self._histogram(dataset, layer, key, crew)
        keep = None if dataset.lineage is not None else row_filter(dataset, layer)
        store = self.disk.found_or_built(dataset, layer, crew)
        if store is not None:
            try:
                return self._stored(dataset, layer, key, store, crew, opened)
            except Unreadable as error:
                if not self.disk.is_damage(error):
                    raise
                self.drop_damaged(error, key)
                if again:
                    raise  # the disk cannot be trusted
            return self.make(dataset, layer, key, crew, opened, True)  # it is built again, or not used
        if layer.glyph == "line":
            if not self.grows(dataset, layer):
                self._check_line(dataset, layer)
            if dataset.lineage is not None:
                return self._lines.line(dataset, layer, crew)
            return self._line(dataset, layer, keep, crew)
        if not self._holds(dataset, layer, key):
            return self._scanner.layer(dataset, layer, crew)
        if dataset.lineage is not None:
            return self._streams.points(dataset, layer, crew, opened)
        columns = read_columns(dataset, layer.reduction, crew)
        x, y = self._axes(dataset, layer, crew)
        order = self._order(dataset, layer, x, y, key, crew)
        if keep is not None:
            tell = partial(self._tell_masked, layer, (x, y), None, opened)
            found = self._filtered.of(layer, keep, order, None, key, crew, tell)
            if found is None:
                return self._scanner.layer(dataset, layer, crew, order.survey)
            order = found
        inputs = gather_inputs(order, layer.reduction, columns, crew)
        made = PointsLayer(x, y, order, Pyramid(order.guard, inputs), columns)
        opened(made)
        self._complete(made, crew)
        return made

    def _histogram(self, dataset: Dataset, layer: Layer, key: Hashable, crew: Crew) -> LayerAnswers:
        """A histogram: over the index of a line, which may be on the disk; a reduction of columns of a dataset that
        grows over one of its own, made anew for each version."""
        below, reduction = line_below(layer), layer.reduction
        if not reduction.columns:
            line = self.make(dataset, below, key, crew, _ignore)
            assert isinstance(line, LineLayer)
            return HistogramLayer(layer, line, None, None)
        if not self._holds_rows(dataset, read_bytes(dataset, below) + gathered_bytes(dataset, layer)):
            raise TooLarge(
                f"a histogram of {reduction} keeps its columns in memory, which does not hold those of "
                f"{dataset.num_rows:,} rows: ask for count",
                "agg",
                str(reduction),
            )
        labels = None
        if reduction.category is not None:
            labels = dataset.labels(reduction.category, crew.cancel)
            check_categories(reduction.category, labels)
        if dataset.lineage is None:
            made = self.make(dataset, below, key, crew, _ignore)
        else:
            made = self._line(dataset, below, row_filter(dataset, below), crew)
        assert isinstance(made, LineLayer) and isinstance(made.line, OneSeries)
        inputs = gathered(made.line.series, load(dataset, reduction, crew.progress, crew.cancel), reduction, crew)
        return HistogramLayer(layer, made, inputs, labels)

    def drop_damaged(self, error: Unreadable, key: Hashable) -> None:
        """Remove the store, or the part of one, that an error names, and forget the order that was in it."""
        if self.disk.is_damage(error):
            self.orders.drop(key)
            self.disk.drop_damaged(error)

    def _stored(
        self, dataset: Dataset, layer: Layer, key: Hashable, store: Path, crew: Crew, opened: Opened
    ) -> LayerAnswers:
        x = Axis(head_of(dataset, layer.x, crew.cancel), space(layer.xaxis, "x"))
        y = Axis(head_of(dataset, layer.y, crew.cancel), space(layer.yaxis, "y"))
        if layer.glyph == "line":
            manifest = read_manifest(store, files=False)
            if manifest is None:
                raise Unreadable(f"{store} is not a whole store.", got=str(store))
            series, found = open_series(store, manifest.facts)
            keep = row_filter(dataset, layer)
            if keep is not None:
                self._check_line(dataset, layer)
                return self._line(dataset, layer, keep, crew, found, series)
            return LineLayer(x, y, found, OneSeries(series))
        order = self.orders.find(key)
        if order is None:
            order = open_stored_order(store)
            self.orders.put(key, order)
            verify_ahead(order, self.turns)
        held = {name: self.disk.column(dataset, layer, store, order, name, crew) for name in kept_columns(layer)}
        needed = {name: held[name] for name in layer.reduction.columns}
        rows: Order | None = order
        keep = row_filter(dataset, layer)
        if keep is not None:
            tell = partial(self._tell_masked, layer, (x, y), dataset, opened)
            rows = some = self._filtered.of(layer, keep, order, held, key, crew, tell)
            if some is not None:
                needed = {name: each and some.kept_of(each) for name, each in needed.items()}
        lacking = None in needed.values() and not self._holds_rows(dataset, gathered_bytes(dataset, layer))
        if rows is None or lacking:
            return self._scanner.layer(dataset, layer, crew, order.survey)
        inputs, columns = stored_inputs(dataset, rows, layer.reduction, needed, crew)
        made = PointsLayer(x, y, rows, Pyramid(rows.guard, inputs, self._memory_shelf()), columns, dataset)
        if keep is not None:
            opened(made)
            self._complete(made, crew)
            return made
        return self._with_pyramid(dataset, layer, store, made, crew, opened)

    def _tell_masked(
        self, layer: Layer, axes: tuple[Axis, Axis], dataset: Dataset | None, opened: Opened, rows: MaskedRows
    ) -> None:
        """A filtered layer answers as soon as its rows are known, where they are only counted."""
        if layer.reduction.traits.counts and not layer.reduction.columns:
            opened(MaskedPoints(*axes, rows, layer.reduction, dataset, self._threads))

    def _with_pyramid(
        self, dataset: Dataset, layer: Layer, store: Path, made: PointsLayer, crew: Crew, opened: Opened
    ) -> PointsLayer:
        """The layer with the pyramid of its store, built there where that is allowed."""
        inputs = made.pyramid.inputs
        planes, others = inputs.kept_planes

        def over(shelf: Shelf) -> PointsLayer:
            return replace(made, pyramid=Pyramid(made.order.guard, inputs, shelf))

        kept = self.disk.pyramid(store, layer)
        if kept is None and self.disk.may_add(dataset, layer):
            opened(made)

            def write(folder: Path, crew: Crew) -> dict[str, Any]:
                shelf = PlaneFile(folder, planes, others, True)
                building = over(shelf)
                opened(building)
                complete(building.pyramid, crew, self.turns)
                shelf.finish()
                return {"tiles": len(shelf)}

            tiles = tile_bytes(layer.reduction, made.order.survey.inside)
            kept = self.disk.add_pyramid(store, layer, write, crew, tiles)
        if kept is not None:
            return over(PlaneFile(kept, planes, others, False))
        opened(made)
        self._complete(made, crew)
        return made

    def _complete(self, made: PointsLayer, crew: Crew) -> None:
        if self._pyramids:
            complete(made.pyramid, crew, self.turns)

    def _memory_shelf(self) -> MemoryShelf:
        return MemoryShelf(self._memory // _PYRAMIDS)

    def _holds(self, dataset: Dataset, layer: Layer, key: Hashable) -> bool:
        """Whether memory holds the layer's order, unless it is there, and the columns in it."""
        if self.grows(dataset, layer):
            return True
        ordered = self.orders.find(key) is not None
        more = gathered_bytes(dataset, layer)
        if ordered:
            return not more or self._holds_rows(dataset, more)
        row = _ROW if dataset.lineage is None else _GROWING_ROW + (_GROWING_KEPT if layer.filter else 0)
        return self._holds_rows(dataset, row, read_bytes(dataset, layer) + more)

    def _check_line(self, dataset: Dataset, layer: Layer) -> None:
        """Raise TooLarge for a line whose columns memory does not hold: lines are not scanned."""
        row = read_bytes(dataset, layer)
        if not self._holds_rows(dataset, row):
            need, room = dataset.num_rows * row / 1e9, min(self._memory, available_memory()) / 1e9
            raise TooLarge(
                f"a line of {dataset.num_rows:,} rows takes {need:.2g} GB of memory, and {room:.2g} GB are free: "
                "`bigviz index` makes its index on the disk, and as points it is shown without one",
                None,
                dataset.num_rows,
            )

    def _holds_rows(self, dataset: Dataset, row: int, besides: int = 0) -> bool:
        """Whether `row` bytes a row are within the memory for layers, and free together with those of columns."""
        rows = dataset.num_rows
        return rows * row <= self._memory and rows * (row + besides) <= available_memory()

    def _axes(self, dataset: Dataset, layer: Layer, crew: Crew) -> tuple[Axis, Axis]:
        x, y = (dataset.column(name, crew.progress, crew.cancel) for name in (layer.x, layer.y))
        return Axis(x, space(layer.xaxis, "x")), Axis(y, space(layer.yaxis, "y"))

    def _line(
        self,
        dataset: Dataset,
        layer: Layer,
        keep: RowFilter | None,
        crew: Crew,
        known: Survey | None = None,
        series: Series | None = None,
    ) -> LineLayer:
        """A line in memory; `known` is what its survey would find, `series` all of its rows in order."""
        x, y = self._axes(dataset, layer, crew)
        found = survey(x, y, far_of(layer.root), crew) if known is None else known
        name = dataset.fingerprint, dataset.version, OrderSpec.of(layer)
        if keep is not None:
            return filtered_line(x, y, found, keep, self._series.get(name) if series is None else series, crew)
        made = self._series[name] = build_series(x, y, crew)
        return LineLayer(x, y, found, OneSeries(made))

    def _order(self, dataset: Dataset, layer: Layer, x: Axis, y: Axis, key: Hashable, crew: Crew) -> Order:
        order = self.orders.find(key)
        if order is not None:
            return order

        def build(tell: Any, stop: Any) -> Order:
            made = build_order(x, y, far_of(layer.root), Crew(self._threads, tell, stop, self.turns))
            self.orders.put(key, made)
            return made

        return self._flights.get(key, build, crew.progress, crew.cancel)


def _ignore(made: LayerAnswers) -> None:
    """Nothing waits for a line that is below a histogram."""
