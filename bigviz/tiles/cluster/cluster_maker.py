"""Layers of tables that workers hold: roots, labels and types of all rows, which each part is then indexed by."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, Final, NamedTuple, cast
from weakref import WeakSet, WeakValueDictionary

import numpy as np
from cachetools import LRUCache

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
from bigviz.data.dataset_slice import know_labels
from bigviz.tiles.answers.layer_answers import LayerAnswers
from bigviz.tiles.bars.histogram import line_below
from bigviz.tiles.cluster.bars.bar_passes import BarPasses
from bigviz.tiles.cluster.bars.cluster_bars import ClusterBars
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

_MOST_PASSES: Final = 64


class _Reduced(NamedTuple):
    """The categories whose labels workers need; the labels under `by`; what all rows add up in; and the type of what is
    added up."""

    named: tuple[str, ...]
    labels: tuple[str, ...] | None
    dtype: np.dtype[Any]
    own: np.dtype[Any]


class ClusterMaker(Maker):
    """Makes layers of tables of files on the workers, and of other tables here. Safe to use from any threads."""

    def __init__(self, workers: Workers, divides: Callable[[Dataset], bool], *of_this_machine: Any) -> None:
        super().__init__(*of_this_machine)
        self._workers, self._divides = workers, divides
        self._surveys: dict[tuple[str, OrderSpec], Survey] = {}
        self._survey_flights: Flights[Survey] = Flights()
        self._prepared: WeakValueDictionary[tuple[str, Hashable], ClusterLayer] = WeakValueDictionary()
        self._made: WeakSet[ClusterLayer] = WeakSet()
        self._passes: LRUCache[Hashable, BarPasses] = LRUCache(_MOST_PASSES)  # of those that nobody ended
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

    def forget(self, dataset: Dataset) -> None:
        """Let go of what is kept of a version of a dataset beside its layers."""
        super().forget(dataset)
        kept: tuple[MutableMapping[Any, Any], ...] = self._surveys, self._prepared
        for known in kept:
            for key in [key for key in list(known) if key[0] == dataset.fingerprint]:
                known.pop(key, None)

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
        crew, glyph = Crew(threads, tell, stop), layer.glyph
        parts = self._workers.parts_of(dataset)
        if glyph == "bar":
            return self._bars(dataset, layer, parts, crew)
        named, labels, dtype, own = self._reduced(dataset, layer, crew)
        plane = line_below(layer) if glyph == "histogram" else layer
        survey = self._survey(dataset, plane, parts, named, crew)
        heads = [head_of(dataset, name, crew.cancel) for name in (plane.x, plane.y)]
        axes = Axis(heads[0], space(plane.xaxis, "x")), Axis(heads[1], space(plane.yaxis, "y"))
        if glyph == "line":
            return ClusterLine(self._workers, parts, layer, survey, axes, named)
        if glyph == "histogram":
            adds = dtype if layer.reduction.columns else None
            return ClusterHistogram(self._workers, parts, layer, survey, axes, named, adds, labels)
        return ClusterPoints(self._workers, parts, layer, survey, axes, named, dtype, own, labels)

    def _reduced(self, dataset: Dataset, layer: Layer, crew: Crew) -> _Reduced:
        """What a layer's reduction adds up in."""
        reduction = layer.reduction
        names = (dataset.info(layer.x).label_column, *layer.columns) if layer.glyph == "bar" else layer.columns
        named = self.find_labels(dataset, dict.fromkeys(names), crew)
        labels = None if reduction.category is None else dataset.labels(reduction.category, crew.cancel)
        if reduction.category is not None:
            check_categories(reduction.category, labels or ())
        dtype = own = np.dtype(np.uint32)
        if reduction.column is not None:
            own = axis_dtype(dataset.info(reduction.column).type)
            extremes = partial(self.bounds, dataset, reduction.column, crew)
            dtype = reduction.accumulator_of(own, dataset.num_rows, extremes)
        return _Reduced(named, labels, dtype, own)

    def _bars(self, dataset: Dataset, layer: Layer, parts: tuple[Part, ...], crew: Crew) -> ClusterBars:
        passes = self._passes_of(dataset, layer, parts, crew)
        known = passes.run(crew.cancel)
        root, rows = root_of(None, None), dataset.num_rows  # bars have places of their own
        survey = Survey(root, root, rows, 0, 0, 0, None, None)
        axis = Axis(head_of(dataset, layer.x, crew.cancel), space("linear", "x"))
        made = ClusterBars(self._workers, parts, layer, survey, (axis, axis), passes.named, known)
        with self._making:
            self._passes.pop((dataset.fingerprint, layer.key()), None)
        return made

    def bar_passes(self, dataset: Dataset, layer: Layer, crew: Crew) -> BarPasses | None:
        """Bars of the parts that have been passed over so far, one at least; None once those of all are known."""
        if (dataset.fingerprint, layer.key()) in self._prepared:
            return None
        found = self._passes_of(dataset, layer, self._workers.parts_of(dataset), crew)
        found.some(crew.cancel)
        return None if found.whole else found

    def _passes_of(self, dataset: Dataset, layer: Layer, parts: tuple[Part, ...], crew: Crew) -> BarPasses:
        key = dataset.fingerprint, layer.key()
        with self._making:
            found = self._passes.get(key)
        if found is not None and found.parts == parts:
            return found
        reduced = self._reduced(dataset, layer, crew)
        made = BarPasses(dataset, layer, parts, reduced.named, reduced.dtype, crew.threads, self._workers)
        with self._making:
            found = self._passes.get(key)
            if found is None or found.parts != parts:
                found = self._passes[key] = made
            return found

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
