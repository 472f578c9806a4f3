"""Rows of a selection that workers hold: each tells of its own, which follow each other in the order of the parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.workers import Crew
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.row_lookup import RowOrder
from bigviz.tiles.cluster.cluster_layer import ClusterLayer
from bigviz.tiles.cluster.messages import Answer, arrays_of
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.cluster.selections.part_passes import PartPasses
from bigviz.tiles.cluster.selections.regions import region_facts
from bigviz.tiles.cluster.workers import Moved
from bigviz.tiles.selection.region import Region
from bigviz.tiles.selection.row_set import RowSet
from bigviz.tiles.selection.selection import row_schema

__all__ = ["PartRows", "first_of_parts", "rows_in"]

Array = npt.NDArray[Any]

_BATCH: Final = 1 << 16  # rows of one message

Again = Callable[[Cancel], "PartRows"]


@dataclass(frozen=True)
class _Selected:
    """The rows of a layer in a region; `labels` are the categories that workers need for what is asked."""

    layer: ClusterLayer
    region: Region
    labels: tuple[str, ...]

    def ask(self, asked: Mapping[str, Any], cancel: Cancel, parts: Sequence[Part] | None = None) -> list[Answer]:
        """The answers of parts (None: of all), in their order."""
        labels = list(dict.fromkeys((*self.layer.named, *self.labels)))
        return self.layer.ask({**asked, "region": region_facts(self.region), "labels": labels}, cancel, parts)


@dataclass(frozen=True)
class PartRows:
    """See `bigviz.tiles.selection.selection.SelectedRows`. `counts` are those of the parts; `again` finds the same rows
    once those of a worker that was lost, or that have moved, are held again."""

    dataset: Dataset
    selected: _Selected = field(repr=False)
    counts: tuple[int, ...]
    again: Again = field(repr=False)

    @property
    def count(self) -> int:
        return sum(self.counts)

    def passes(self, name: str, by: str | None, labels: tuple[str, ...], crew: Crew) -> PartPasses:
        ident = self.selected.layer.workers.next_ident()
        return PartPasses(self.selected.ask, name, by, len(labels), ident)

    def label_counts(self, by: str, labels: tuple[str, ...], crew: Crew) -> list[int]:
        answers = self.selected.ask({"ask": "label_counts", "by": by}, crew.cancel)
        return [sum(each) for each in zip(*(answer.head["counts"] for answer in answers), strict=True)]

    @property
    def row_set(self) -> _Numbers:
        """Numbers and values come as they are asked for; nothing of them is kept here."""
        return _Numbers(self)


@dataclass(frozen=True)
class _Numbers:
    """See `bigviz.tiles.selection.row_set`: `RowNumbers` and `ReadElsewhere`."""

    rows: PartRows

    @property
    def count(self) -> int:
        return self.rows.count

    def batches(self, size: int, start: int | None = None) -> Iterator[npt.NDArray[np.int64]]:
        begun = 0 if start is None else start
        for part, count in self._parts():
            at, left = begun, count
            while left > 0:
                (answer,) = self._ask(part, {"ask": "numbers", "start": at, "limit": size})
                (found,) = _there(answer)
                if not len(found):
                    break
                yield found
                at, left = int(found[-1]) + 1, left - len(found)

    def between(self, first: int, stop: int) -> npt.NDArray[np.int64]:
        found, before = [np.empty(0, np.int64)], 0
        for part, count in self._parts():
            places = max(first - before, 0), min(stop - before, count)
            before += count
            if places[0] < places[1]:
                (answer,) = self._ask(part, {"ask": "numbers", "places": places})
                found += _there(answer)
        return np.concatenate(found)

    def before(self, stop: int) -> RowSet:
        """Those below a number; asked for tables that grow, which no cluster holds."""
        kept = RowSet(0, self.rows.dataset.num_rows)
        for numbers in self.batches(_BATCH):
            kept.add(numbers[numbers < stop])
        return kept

    def read(self, names: Sequence[str], limit: int | None, cancel: Cancel) -> Iterator[pa.RecordBatch]:
        """Each message brings at most 2^16 rows, or some 16 MiB; the next one is asked for when it is needed. Goes on
        where rows have moved, or were lost, once they are held again."""
        left, at = self.count if limit is None else min(limit, self.count), 0
        schema, rows = row_schema(self.rows.dataset, names), self.rows
        parts = rows.selected.layer.parts
        while left > 0 and parts and names:
            asked = {"ask": "values", "columns": list(names), "start": at, "limit": min(_BATCH, left)}
            try:
                (answer,) = rows.selected.ask(asked, cancel, parts[:1])
            except Moved:
                rows = rows.again(cancel)
                parts = rows.selected.layer.parts
                continue
            if not answer.head["rows"]:
                parts = parts[1:]
                continue
            left, at = left - answer.head["rows"], answer.head["next"]
            with pa.ipc.open_stream(answer.bodies[0]) as reader:
                for batch in reader:
                    yield batch if batch.schema.equals(schema) else batch.cast(schema)

    def _parts(self) -> Iterator[tuple[Part, int]]:
        return zip(self.rows.selected.layer.parts, self.rows.counts, strict=True)

    def _ask(self, part: Part, asked: Mapping[str, Any]) -> list[Answer]:
        return self.rows.selected.ask(asked, NEVER, (part,))


def rows_in(
    layer: ClusterLayer, dataset: Dataset, region: Region, labels: tuple[str, ...], again: Again, cancel: Cancel
) -> PartRows:
    """The rows of a layer in a region. Raises Moved where a worker was lost meanwhile."""
    selected = _Selected(layer, region, labels)
    answers = selected.ask({"ask": "select"}, cancel)
    return PartRows(dataset, selected, tuple(answer.head["count"] for answer in answers), again)


def first_of_parts(
    layer: ClusterLayer, region: Region, order: RowOrder, labels: tuple[str, ...], limit: int, cancel: Cancel
) -> tuple[npt.NDArray[np.int64], int]:
    """The numbers of the first rows by a column, and how many rows there are in all.

    Each part has its first ones; ties are in file order, and rows without a value come last.
    """
    asked = {"ask": "first", "column": order.column, "descending": order.descending, "limit": limit}
    answers = _Selected(layer, region, labels).ask(asked, cancel)
    keys, numbers, lacking = [np.empty(0, np.uint64)], [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for answer in answers:
        found, own = _there(answer)
        keys.append(own)
        numbers.append(found[: len(own)])
        lacking.append(found[len(own) :])
    known, of_known = np.concatenate(numbers), np.concatenate(keys)
    first = known[np.lexsort((known, of_known))][:limit]
    last = np.sort(np.concatenate(lacking))[: limit - len(first)]
    return np.append(first, last), sum(answer.head["count"] for answer in answers)


def _there(answer: Answer) -> list[Array]:
    return [each for each in arrays_of(answer.head["arrays"], answer.bodies) if each is not None]
