"""Makes scanned layers: one pass finds the roots (kept for all layers over the same axes), and nothing is stored."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any, Final

import numpy as np
from cachetools import LRUCache

from bigviz.aggregate.layer import MOST_CATEGORIES, Layer
from bigviz.aggregate.reductions.base import Reduction
from bigviz.aggregate.spaces import space
from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput
from bigviz.common.priority import Turns
from bigviz.common.single_flight import Flights
from bigviz.common.workers import Crew
from bigviz.data.columns.column import Column, own_name
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.dataset import Dataset
from bigviz.tiles.estimates.preview_cache import Previews
from bigviz.tiles.grid.batches import Streamed
from bigviz.tiles.grid.order_spec import OrderSpec, far_of
from bigviz.tiles.grid.row_filter import row_filter
from bigviz.tiles.grid.survey import Survey, survey_pairs
from bigviz.tiles.scans.parallel_pass import Gate
from bigviz.tiles.scans.piece_boxes import piece_boxes
from bigviz.tiles.scans.scanned_layer import ScannedLayer, Scanning
from bigviz.tiles.scans.window_rows import Recipe

__all__ = ["Scanner", "accumulator_dtype", "check_categories", "extremes_of", "head_of"]

_PASSES: Final = 2  # at a time: a pass takes all threads, and memory for planes
_SURVEYS: Final = 256


class Scanner:
    """Safe to use from any number of threads."""

    def __init__(self, threads: int, memory: int, turns: Turns, previews: Previews, sampled_rows: int) -> None:
        """Tables of `sampled_rows` or more are worth estimates, which are `previews`."""
        self._previews, self._sampled_rows = previews, sampled_rows
        self._shared = Scanning(threads, memory, Gate(_PASSES), turns)
        self._surveys: LRUCache[Any, Survey] = LRUCache(_SURVEYS)
        self._lock = threading.Lock()
        self._flights: Flights[Survey] = Flights()

    def layer(self, dataset: Dataset, layer: Layer, crew: Crew, known: Survey | None = None) -> ScannedLayer:
        """The layer, once its roots are known; `known` says what a pass would find.

        Raises what reading the dataset does, BadInput for too many categories, and Cancelled.
        """
        reduction = layer.reduction
        names = tuple(dict.fromkeys((layer.x, layer.y, *reduction.columns)))
        heads = {name: head_of(dataset, name, crew.cancel) for name in names}
        if reduction.category is not None:
            check_categories(reduction.category, heads[reduction.category].categories or ())
        spaces = space(layer.xaxis, "x"), space(layer.yaxis, "y")
        keep = row_filter(dataset, layer)
        kept = None if keep is None else keep.count(crew)
        source = Streamed(dataset, (layer.x, layer.y), spaces, reduction.columns, keep)
        recipe = self._recipe(dataset, reduction, heads, crew)
        survey = self._survey(dataset, layer, source, crew) if known is None else known
        columns = [heads[name] for name in (*source.names, *source.others)]
        large = dataset.num_rows >= self._sampled_rows
        sample = partial(self._previews.of_known, dataset, layer) if large else None
        boxes = piece_boxes(source, survey, crew.cancel)
        return ScannedLayer(source, columns, survey, recipe, self._shared, sample, kept, boxes)

    def _survey(self, dataset: Dataset, layer: Layer, source: Streamed, crew: Crew) -> Survey:
        key = dataset.fingerprint, dataset.version, OrderSpec.of(layer)
        with self._lock:
            found = self._surveys.get(key)
        if found is not None:
            return found

        def look(tell: Any, stop: Cancel) -> Survey:
            made = survey_pairs(source.along(()), far_of(layer.root), Crew(crew.threads, tell, stop, crew.turns))
            with self._lock:
                self._surveys[key] = made
            return made

        return self._flights.get(key, look, crew.progress, crew.cancel)

    def _recipe(self, dataset: Dataset, reduction: Reduction, heads: dict[str, Column], crew: Crew) -> Recipe:
        labels = None if reduction.category is None else heads[reduction.category].categories or ()
        name = reduction.column
        if name is None:
            return Recipe(reduction, np.dtype(np.uint32), np.dtype(np.uint32), labels)
        own = heads[name].values.dtype
        return Recipe(reduction, accumulator_dtype(dataset, reduction, own, crew), own, labels)


def head_of(dataset: Dataset, name: str, cancel: Cancel) -> Column:
    """A column that is known, but not read."""
    info = dataset.info(name)
    labels = dataset.labels(name, cancel) if info.kind == "category" else None
    return Column(info, np.empty(0, axis_dtype(info.type)), None, labels)


def accumulator_dtype(dataset: Dataset, reduction: Reduction, own: np.dtype[Any], crew: Crew) -> np.dtype[Any]:
    """What values of a dtype are added up in, where their column is not in memory: for some a pass finds it out."""
    name = reduction.column
    assert name is not None
    return reduction.accumulator_of(own, dataset.num_rows, lambda: extremes_of(dataset, name, crew))


def check_categories(name: str, labels: tuple[str, ...]) -> None:
    """Raise BadInput for more categories than `by` shows."""
    if len(labels) > MOST_CATEGORIES:
        raise BadInput(
            f"by shows at most {MOST_CATEGORIES} categories, and {own_name(name)!r} has {len(labels):,}: take a column "
            "with fewer, or another reduction, such as count",
            "agg",
            len(labels),
        )


def extremes_of(dataset: Dataset, name: str, crew: Crew) -> tuple[int, int]:
    """The smallest and the largest integer of a column, by a pass over it; 0 stands for those that are not valid."""
    found: list[tuple[int, int]] = [(0, 0)]
    chunks = dataset.chunks()

    def look(piece: int) -> int:
        for _, (column,) in dataset.read(piece, (name,), crew.cancel):
            if len(column):
                found.append((int(column.values.min()), int(column.values.max())))
        return chunks[piece][1]

    crew.run(f"reading {name}", look, range(len(chunks)), dataset.num_rows)
    return min(low for low, _ in found), max(high for _, high in found)
