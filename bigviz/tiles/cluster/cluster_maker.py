"""Layers of tables that workers hold: roots, labels and types of all rows, which each part is then indexed by."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, cast
from weakref import WeakSet, WeakValueDictionary

import numpy as np

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.dyadic_cells import Root, root_of
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BigvizError
from bigviz.common.progress import Progress
from bigviz.common.single_flight import Flights
from bigviz.common.workers import Crew
from bigviz.data.columns.categories import LabelSet
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.dataset import Dataset
from bigviz.data.stretch import know_labels
from bigviz.tiles.answers.layer_answers import LayerAnswers
from bigviz.tiles.bars.histogram import line_below
from bigviz.tiles.cluster.bars.cluster_bars import ClusterBars, added_bars
from bigviz.tiles.cluster.bars.cluster_histogram import ClusterHistogram
from bigviz.tiles.cluster.cluster_layer import ClusterLayer
from bigviz.tiles.cluster.cluster_points import ClusterPoints
from bigviz.tiles.cluster.lines.cluster_line import ClusterLine
from bigviz.tiles.cluster.messages import Answer, arrays_of, extent_of, layer_facts
from bigviz.tiles.cluster.part_host import labels_bytes, labels_from
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.cluster.workers import Workers
from bigviz.tiles.grid.order_spec import OrderSpec, far_of
from bigviz.tiles.grid.survey import Extent, Survey, survey_measured
from bigviz.tiles.layer_factory import Maker, Opened, Sampled
from bigviz.tiles.scans.scan_factory import check_categories, head_of

__all__ = ["ClusterMaker"]


class ClusterMaker(Maker):
    """Makes layers of tables of files on the workers, and of other tables here. Safe to use from any threads."""

    def __init__(self, workers: Workers, divides: Callable[[Dataset], bool], *of_this_machine: Any) -> None:
        super().__init__(*of_this_machine)
        self._workers, self._divides = workers, divides
        self._surveys: dict[Hashable, Survey] = {}
        self._survey_flights: Flights[Survey] = Flights()
        self._prepared: WeakValueDictionary[Hashable, ClusterLayer] = WeakValueDictionary()
        self._made: WeakSet[ClusterLayer] = WeakSet()
        self._making = Lock()
        self._flights_of_layers: Flights[ClusterLayer] = Flights()

    def preview(self, dataset: Dataset, layer: Layer, key: Hashable, cancel: Cancel) -> Sampled | None:
        """None of a table on workers: there is nothing to show before it is indexed."""
        return None if self._divides(dataset) else super().preview(dataset, layer, key, cancel)

    def scans(self, dataset: Dataset, layer: Layer, key: Hashable) -> bool:
        """Whether a layer of points would be scanned if it were made now."""
        return not self._divides(dataset) and super().scans(dataset, layer, key)

    def make(
        self, dataset: Dataset, layer: Layer, key: Hashable, crew: Crew, opened: Opened, again: bool = False
    ) -> LayerAnswers:
        """The layer. Raises what `Maker.make` does, BadInput for what a cluster does not offer, and Busy."""
        if not self._divides(dataset):
            return super().make(dataset, layer, key, crew, opened, again)
        found = self.prepared(dataset, layer, crew)
        found.restore(self.disk.is_published(dataset.fingerprint, layer), crew.progress, crew.cancel)
        return cast(LayerAnswers, found)

    def restore_all(self) -> None:
        """Have the rows of lost workers indexed again for all layers that somebody uses, if there are others."""
        for layer in self.layers if self._workers.known else ():
            with suppress(BigvizError):  # who asks for the layer is told
                self.restore(layer)

    @property
    def layers(self) -> list[ClusterLayer]:
        """The layers that somebody uses."""
        with self._making:
            return list(self._made)

    def restore(self, layer: ClusterLayer) -> None:
        """Have the rows of a layer indexed that are not. Raises what `ClusterLayer.restore` does."""
        layer.restore(self.disk.is_published(layer.parts[0].dataset, layer.layer))

    def replace(self, layer: ClusterLayer, other: ClusterLayer) -> None:
        """Have another layer in place of one, over other parts."""
        key = layer.parts[0].dataset, layer.layer.key()
        self._note(other)
        if self._prepared.get(key) is layer:
            self._prepared[key] = other

    def prepared(self, dataset: Dataset, layer: Layer, crew: Crew) -> ClusterLayer:
        """A layer whose parts need not be indexed yet: what follows from all rows is known."""
        key = dataset.fingerprint, layer.key()
        found = self._prepared.get(key)
        if found is None:
            work = partial(self._prepare, dataset, layer, crew.threads)
            found = self._flights_of_layers.get(key, work, crew.progress, crew.cancel)
            self._prepared[key] = found
            self._note(found)
        return found

    def _note(self, layer: ClusterLayer) -> None:
        with self._making:
            self._made.add(layer)

    def _prepare(self, dataset: Dataset, layer: Layer, threads: int, tell: Progress, stop: Cancel) -> ClusterLayer:
        crew, glyph, reduction = Crew(threads, tell, stop), layer.glyph, layer.reduction
        parts = self._workers.parts_of(dataset)
        names = (dataset.info(layer.x).label_column, *layer.columns) if glyph == "bar" else layer.columns
        named = self.find_labels(dataset, dict.fromkeys(names), crew)
        labels = None if reduction.category is None else dataset.labels(reduction.category, crew.cancel)
        if reduction.category is not None:
            check_categories(reduction.category, labels or ())
        dtype = own = np.dtype(np.uint32)
        if reduction.column is not None:
            own = axis_dtype(dataset.info(reduction.column).type)
            extremes = partial(self.bounds, dataset, reduction.column, crew)
            dtype = reduction.accumulator_of(own, dataset.num_rows, extremes)
        if glyph == "bar":
            return self._bars(dataset, layer, parts, named, dtype, crew)
        plane = line_below(layer) if glyph == "histogram" else layer
        survey = self._survey(dataset, plane, parts, named, crew)
        heads = [head_of(dataset, name, crew.cancel) for name in (plane.x, plane.y)]
        axes = Axis(heads[0], space(plane.xaxis, "x")), Axis(heads[1], space(plane.yaxis, "y"))
        if glyph == "line":
            return ClusterLine(self._workers, parts, layer, survey, axes, named)
        if glyph == "histogram":
            adds = dtype if reduction.columns else None
            return ClusterHistogram(self._workers, parts, layer, survey, axes, named, adds, labels)
        return ClusterPoints(self._workers, parts, layer, survey, axes, named, dtype, own, labels)

    def _bars(
        self,
        dataset: Dataset,
        layer: Layer,
        parts: tuple[Part, ...],
        named: tuple[str, ...],
        dtype: np.dtype[Any],
        crew: Crew,
    ) -> ClusterBars:
        known = added_bars(self._workers, parts, dataset, layer, named, dtype, crew)
        root, rows = root_of(None, None), dataset.num_rows  # bars have places of their own
        survey = Survey(root, root, rows, 0, 0, 0, None, None)
        axis = Axis(head_of(dataset, layer.x, crew.cancel), space("linear", "x"))
        return ClusterBars(self._workers, parts, layer, survey, (axis, axis), named, known)

    def find_labels(self, dataset: Dataset, names: Iterable[str], crew: Crew) -> tuple[str, ...]:
        """Those of some columns that are categories, whose labels are known here and for the workers from now on."""
        found = tuple(name for name in names if dataset.info(name).kind == "category")
        for name in found:
            self._find_labels(dataset, self._workers.parts_of(dataset), name, crew)
        return found

    def _find_labels(self, dataset: Dataset, parts: tuple[Part, ...], name: str, crew: Crew) -> None:
        """Find the labels of a category, of all rows, and know them here and for the workers."""
        if self._workers.has_labels(dataset, name):
            return
        found = LabelSet(dataset.info(name))
        for answer in self._workers.ask(parts, {"ask": "own_labels", "column": name}, crew.cancel):
            own = labels_from(answer.bodies[0]).labels
            if len(own):
                found.merge(own)
        labels = found.finish()
        know_labels(dataset, name, labels)
        self._workers.know_labels(dataset, name, labels_bytes(labels.labels))

    def _survey(
        self, dataset: Dataset, layer: Layer, parts: tuple[Part, ...], named: tuple[str, ...], crew: Crew
    ) -> Survey:
        key = dataset.fingerprint, OrderSpec.of(layer)
        found = self._surveys.get(key)
        if found is not None:
            return found

        def look(tell: object, stop: Cancel) -> Survey:
            measures = _PartMeasures(self._workers, parts, layer, named, stop, dataset.num_rows)
            made = self._surveys[key] = survey_measured(measures, far_of(layer.root))
            return made

        return self._survey_flights.get(key, look, crew.progress, crew.cancel)

    def bounds(self, dataset: Dataset, column: str, crew: Crew) -> tuple[int, int]:
        """The smallest and the largest integer of a column."""
        asked = {"ask": "bounds", "column": column}
        found = [
            answer.head["found"] for answer in self._workers.ask(self._workers.parts_of(dataset), asked, crew.cancel)
        ]
        return min(low for low, _ in found), max(high for _, high in found)

    def roots(self, dataset: Dataset, layer: Layer, crew: Crew) -> tuple[Root, Root]:
        """The roots of a layer of points, which its filter does not change."""
        named = self.find_labels(dataset, dict.fromkeys(layer.columns), crew)
        survey = self._survey(dataset, layer, self._workers.parts_of(dataset), named, crew)
        return survey.x, survey.y


@dataclass(frozen=True)
class _PartMeasures:
    """Measures of the rows of all parts, put together."""

    workers: Workers
    parts: tuple[Part, ...]
    layer: Layer
    named: tuple[str, ...]
    cancel: Cancel
    rows: int

    @property
    def fixed_roots(self) -> tuple[Root | None, Root | None]:
        return space(self.layer.xaxis, "x").root, space(self.layer.yaxis, "y").root

    def extent(self, roots: tuple[Root, Root] | None) -> Extent:
        given = None if roots is None else [[each.multiple, each.exponent] for each in roots]
        total = Extent()
        for answer in self._ask({"ask": "extent", "roots": given}):
            total.merge(extent_of(answer.head))
        return total

    def bins(self, which: int, root: Root, spare: int) -> np.ndarray | None:
        asked = {"ask": "bins", "which": which, "root": [root.multiple, root.exponent], "spare": spare}
        found = [arrays_of(answer.head["arrays"], answer.bodies)[0] for answer in self._ask(asked)]
        there = [each for each in found if each is not None]
        return sum(there[1:], there[0]) if len(there) == len(found) else None

    def extremes(self, which: int, part: Root) -> tuple[Any, Any] | None:
        asked = {"ask": "extremes", "which": which, "root": [part.multiple, part.exponent]}
        found = [each for each in (answer.head["found"] for answer in self._ask(asked)) if each is not None]
        return (min(low for low, _ in found), max(high for _, high in found)) if found else None

    def _ask(self, asked: Mapping[str, Any]) -> list[Answer]:
        told = {**asked, "layer": layer_facts(self.layer), "labels": self.named}
        return self.workers.ask(self.parts, told, self.cancel)
