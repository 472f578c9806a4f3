"""A layer of points over the parts of a table that workers hold: their accumulators, added up in the order of rows."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.aggregate.glyphs.bins import Bins
from bigviz.aggregate.layer import Layer
from bigviz.aggregate.reductions.base import Planes, Reduction, Rows
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Cost, Drawn, microseconds
from bigviz.tiles.answers.layer_info import LayerInfo, facts_of
from bigviz.tiles.answers.marks import MOST_MARKS, MOST_SORTED, Marks, find_marks
from bigviz.tiles.answers.points_layer import finished_image
from bigviz.tiles.answers.row_lookup import rows_table
from bigviz.tiles.answers.shared_answers import NoColumnsOrBars
from bigviz.tiles.answers.window_image import WindowImage, encoded_window, fits
from bigviz.tiles.cluster.cluster_layer import ClusterLayer, refused
from bigviz.tiles.cluster.messages import Answer, arrays_of, kept_of
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.cluster.planes.added_counts import added_counts
from bigviz.tiles.cluster.tile_batches import TileBatches, tiles_of
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number
from bigviz.tiles.pyramid.accumulators import add_kept, finished, revive, wire
from bigviz.tiles.segments.pooled_rows import Pool, TakenRows, mixed_order
from bigviz.tiles.selection.chosen import Chosen
from bigviz.tiles.selection.region import Region
from bigviz.wire.codec import SIDE

__all__ = ["ClusterPoints", "widened"]

Array = npt.NDArray[Any]
Window = tuple[Number, Number]

_MOST_SENT: Final = MOST_SORTED  # rows that a view has the time to bring together


@dataclass(frozen=True, eq=False)
class ClusterPoints(NoColumnsOrBars, ClusterLayer):
    """Everything that answers for a layer of points of a dataset that workers hold. `dtype`, `own` and `labels` are
    those of all rows."""

    dtype: np.dtype[Any]
    own: np.dtype[Any]
    labels: tuple[str, ...] | None
    batches: TileBatches = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "batches", TileBatches(self.workers, self.parts))

    def state(self, key: TileKey) -> Hashable:
        """The parts, where sums depend on their order in the last bits; None where a tile does not."""
        return self.parts if self.layer.reduction.traits.float_order else None

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of the layer."""
        return facts_of(dataset, layer, self.survey, self.axes, self.labels, False, self.rows_kept)

    def _drawn(self, key: TileKey, parts: Sequence[Part], cancel: Cancel) -> Drawn:
        begun = time.perf_counter()
        answers = self._answers(key, parts, cancel)
        planes = self._added(answers, cancel)
        summed = time.perf_counter()
        encoded = wire(self.layer.reduction, planes, cancel)
        encode_us = microseconds(time.perf_counter() - summed)
        rows = sum(answer.head["rows"] for answer in answers)
        row_bytes = max((answer.head["row_bytes"] for answer in answers), default=0)
        size = rows * row_bytes + sum(len(plane.payload) for plane in encoded)
        return Drawn(tuple(encoded), Cost(0, microseconds(summed - begun), encode_us, rows, size))

    def arrays(self, key: TileKey, cancel: Cancel = NEVER) -> list[Array]:
        """The tile's finished planes."""
        planes = self._added(self._answers(key, self.parts, cancel), cancel, own=True)
        return finished(self.layer.reduction, planes, self.own, cancel)

    def image(self, dataset: Dataset, x_bins: Bins, y_bins: Bins, cancel: Cancel = NEVER) -> list[Array]:
        """The finished image of a window, row 0 the highest y."""
        ends = {axis: [bins.low, bins.high, bins.size] for axis, bins in (("x", x_bins), ("y", y_bins))}
        planes, _ = self._combined({"ask": "image", **ends}, (y_bins.size, x_bins.size), cancel)
        return finished_image(self.layer.reduction, planes, self.own, cancel)

    def knows(self, x: Window, y: Window) -> bool:
        """True: rows are found by their keys."""
        return True

    def marks(self, x: Window, y: Window, most: int = MOST_MARKS, cancel: Cancel = NEVER) -> Marks | None:
        """The coordinates with rows of a half-open window; None if they are more than `most`, or their rows more than
        can be brought together."""
        reduction = self.layer.reduction
        limit = min(4 * most, _MOST_SENT)
        answers = self.ask({"ask": "rows", "x": x, "y": y, "limit": limit, "values": True}, cancel)
        if sum(answer.head["matched"] for answer in answers) > limit:
            return None
        taken = [_taken(answer) for answer in answers]
        roots = self.survey.x, self.survey.y
        pool = Pool((), (), roots, self.axes, self.dtype, self.own, self.labels)
        order, inputs = mixed_order(pool, reduction, [each for each in taken if len(each.row)], cancel)
        return find_marks(order, inputs, x, y, most, cancel)

    def window_image(self, x: Window, y: Window, size: tuple[int, int], cancel: Cancel = NEVER) -> WindowImage | None:
        """An exact image of a half-open window; None where it is too large."""
        if not fits(size, self.labels):
            return None
        asked = {"ask": "window", "x": x, "y": y, "size": size}
        planes, _ = self._combined(asked, (size[1], size[0]), cancel)
        return encoded_window(planes, self.layer.reduction, self.dtype, self.labels, size, cancel)

    def rows(
        self, dataset: Dataset, layer: Layer, x: Window, y: Window, limit: int, cancel: Cancel = NEVER
    ) -> tuple[pa.Table, int]:
        """True rows of a half-open window in Morton order, ties by row number, far ones last, at most `limit`, and how
        many there are."""
        answers = self.ask({"ask": "rows", "x": x, "y": y, "limit": limit, "values": False}, cancel)
        found = [arrays_of(answer.head["arrays"], answer.bodies) for answer in answers]
        near, far, keys = (np.concatenate([_there(each[at]) for each in found]) for at in range(3))
        chosen = near[np.lexsort((near, keys))][:limit]
        numbers = np.append(chosen, np.sort(far)[: limit - len(chosen)])
        return rows_table(dataset, layer, numbers), sum(answer.head["matched"] for answer in answers)

    def select(self, dataset: Dataset, layer: Layer, region: Region, crew: Crew) -> tuple[Chosen, ...]:
        """Raises BadInput: this process has no rows. See `selections.part_rows`."""
        raise refused("rows in this process")

    def _answers(self, key: TileKey, parts: Sequence[Part], cancel: Cancel) -> list[Answer]:
        """What parts have of a tile, in their order."""
        if parts is self.parts:
            return self.batches.ask(key, self._told, dict(self.indexed), cancel)
        asked = {"ask": "tiles", "keys": [[key.zx, key.zy, key.i, key.j]]}
        return [tiles_of(answer)[0] for answer in self.ask(asked, cancel, parts)]

    def _added(self, answers: Sequence[Answer], cancel: Cancel, own: bool = False) -> Planes:
        """The accumulators of a tile from those of parts. Without `own`, counts may be in memory that the thread's next
        call writes to."""
        reduction = self.layer.reduction
        if reduction.traits.counts:
            return (added_counts(answers, None if self.labels is None else len(self.labels), own, cancel),)
        planes = self._created((SIDE, SIDE), cancel)
        for answer in answers:
            cancel.check()
            kept, dtype = kept_of(answer.bodies[0], *answer.head["planes"]), np.dtype(answer.head["dtype"])
            if dtype == self.dtype:
                add_kept(reduction, dtype, kept, planes, (0, 0), (0, 0))
            else:  # fewer rows may add up in a narrower type
                reduction.combine(planes, widened(reduction, revive(reduction, kept, dtype, cancel), self.dtype))
        return planes

    def _combined(self, asked: Mapping[str, Any], shape: tuple[int, int], cancel: Cancel) -> tuple[Planes, int]:
        """Accumulators of all parts, and the rows read for them."""
        planes, rows = self._created(shape, cancel), 0
        for answer in self.ask(asked, cancel):
            cancel.check()
            found = tuple(_there(each) for each in arrays_of(answer.head["arrays"], answer.bodies))
            self.layer.reduction.combine(planes, widened(self.layer.reduction, found, self.dtype))
            rows += answer.head["rows"]
        return planes, rows

    def _created(self, shape: tuple[int, int], cancel: Cancel) -> Planes:
        return self.layer.reduction.create(shape, self.dtype, len(self.labels or ()), cancel.check)


def widened(reduction: Reduction, planes: Planes, dtype: np.dtype[Any]) -> Planes:
    """A part's accumulators in the type of all: fewer rows may add up in a narrower one."""
    if reduction.plane.column is None or planes[0].dtype == dtype:
        return planes
    if reduction.plane.traits.parts[0] != "value":
        return planes
    return planes[0].astype(dtype), *planes[1:]


def _there(array: Array | None) -> Array:
    assert array is not None
    return array


def _taken(answer: Answer) -> TakenRows:
    """Rows of a part, as marks are made of them."""
    near, _, _, x, y, values, valid, codes = arrays_of(answer.head["arrays"], answer.bodies)
    return TakenRows(_there(near), _there(x), _there(y), Rows(values, valid, near, codes))
