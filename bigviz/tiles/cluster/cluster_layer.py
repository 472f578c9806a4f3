"""What layers of tables that workers hold have in common: which parts are indexed by whom, and how all are asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Self, TypeVar

from bigviz.aggregate.axis import Axis
from bigviz.aggregate.layer import Layer
from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput, Busy
from bigviz.common.progress import Progress, no_progress
from bigviz.data.dataset import Dataset
from bigviz.tiles.answers.answer import Drawn, Estimate
from bigviz.tiles.answers.bars import Bars
from bigviz.tiles.answers.columns import Columns
from bigviz.tiles.answers.layer_answers import Held
from bigviz.tiles.answers.layer_info import LayerInfo
from bigviz.tiles.answers.shared_answers import SingleVersion, TileByTile, TileColours
from bigviz.tiles.cluster.messages import Answer, layer_facts
from bigviz.tiles.cluster.parts.division import Part
from bigviz.tiles.cluster.workers import Moved, Workers
from bigviz.tiles.grid.survey import Survey
from bigviz.tiles.grid.tile_key import TileKey
from bigviz.tiles.grid.window import Number
from bigviz.tiles.holders import Holders

__all__ = ["ClusterLayer", "refused"]

T = TypeVar("T")

_LOOK: Final = 0.5  # seconds between two reports of what another thread does
_STAGE: Final = "indexing on workers"
_ALONE: Final = "waiting for workers of the cluster"


@dataclass(frozen=True, eq=False)
class ClusterLayer(TileByTile, TileColours, SingleVersion):
    """A part of `LayerAnswers`.

    `survey` and `axes` are those of all rows; `named` are the categories whose labels workers need. `indexed` says of
    each part that was indexed which holding it was by (`Workers.holder`), and `found` what was told of it then; `noted`
    is told of it.
    """

    workers: Workers
    parts: tuple[Part, ...]
    layer: Layer
    survey: Survey
    axes: tuple[Axis, Axis]
    named: tuple[str, ...]
    indexed: dict[Part, int] = field(default_factory=dict, kw_only=True)
    found: dict[Part, Mapping[str, Any]] = field(default_factory=dict, kw_only=True)
    noted: threading.Condition = field(default_factory=threading.Condition, repr=False, kw_only=True)
    restoring: threading.Lock = field(default_factory=threading.Lock, repr=False, kw_only=True)

    @property
    def is_scanned(self) -> bool:
        """False: workers have indexes."""
        return False

    @property
    def dense(self) -> None:
        """None: no worker knows of the others' rows."""

    def facts(self, dataset: Dataset, layer: Layer) -> LayerInfo:
        """What is known of the layer."""
        raise NotImplementedError

    def held(self) -> Iterator[Held]:
        """Nothing: workers hold it."""
        return iter(())

    @property
    def rows_kept(self) -> int | None:
        """How many rows the filter keeps, as far as parts have told; None without one."""
        with self.noted:
            return sum(each["kept"] for each in self.found.values()) if self.layer.filter else None

    @property
    def rows_in_all(self) -> int:
        """The rows of all parts."""
        return sum(part.rows for part in self.parts)

    def held_parts(self) -> list[Part]:
        """The parts whose index is there."""
        holders = ((part, self.workers.holder(part)) for part in self.parts)
        return [part for part, held in holders if held is not None and held[1] == self.indexed.get(part)]

    def holders(self) -> Holders:
        """Who holds the rows."""
        held = self.held_parts()
        who = {holder[0] for holder in map(self.workers.holder, held) if holder is not None}
        return Holders(self.workers.known, len(who), sum(part.rows for part in held))

    def restore(self, published: bool, progress: Progress = no_progress, cancel: Cancel = NEVER) -> None:
        """Have the parts indexed whose index is not there; waits while there are no workers. Raises what indexing
        does."""
        rows = self.rows_in_all

        def note(part: Part, epoch: int, answer: Answer) -> None:
            with self.noted:
                self.indexed[part], self.found[part] = epoch, answer.head
                self.noted.notify_all()
            done = sum(each.rows for each in self.held_parts())
            progress(_STAGE, done / rows, done)

        def tell() -> None:
            done = sum(part.rows for part in self.held_parts())
            progress(_STAGE if self.workers.known else _ALONE, done / rows, done)

        while not self.restoring.acquire(timeout=_LOOK):  # somebody else does so, and nobody is told of it here
            cancel.check()
            tell()
        with ExitStack() as turn:
            turn.callback(self.restoring.release)
            while missing := [part for part in self.parts if part not in set(self.held_parts())]:
                tell()
                self.workers.ask(missing, {**self._told, "ask": "ensure", "published": published}, cancel, note)

    def over(self, parts: tuple[Part, ...]) -> Self:
        """The same layer over other parts of the table, which are indexed already as far as it has them."""
        with self.noted:
            indexed = {part: self.indexed[part] for part in parts if part in self.indexed}
            found = {part: self.found[part] for part in indexed}
        noted, restoring = threading.Condition(), threading.Lock()
        return replace(self, parts=parts, indexed=indexed, found=found, noted=noted, restoring=restoring)

    @property
    def generation(self) -> int:
        """A number that grows whenever other rows are held."""
        with self.noted:
            return 1 + len(self.indexed) + sum(self.indexed.values()) + self.workers.losses

    def draw_held(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate]:
        """A tile of the rows that are held now, and their share. Sums are those of these rows: where the others lie is
        not known. Raises Busy where none are."""
        return self._of_held(lambda parts: self._drawn(key, parts, cancel))

    def columns_held(self, low: Number, high: Number, width: int, cancel: Cancel = NEVER) -> tuple[Columns, Estimate]:
        """A line's columns of the rows that are held now, and their share. Raises BadInput for other layers."""
        glyph = self.layer.glyph
        raise BadInput(f"only a line has columns, got glyph {glyph!r}", "glyph", glyph)

    def bars_held(self, low: Number, high: Number, cancel: Cancel = NEVER) -> tuple[Bars, Estimate]:
        """A histogram's bars of the rows that are held now, and their share. Raises BadInput for other layers."""
        glyph = self.layer.glyph
        raise BadInput(f"only a histogram has bars, got glyph {glyph!r}", "glyph", glyph)

    def draw(self, key: TileKey, cancel: Cancel = NEVER) -> Drawn:
        """One tile: what each part has of it."""
        return self._drawn(key, self.parts, cancel)

    def estimate(self, key: TileKey, cancel: Cancel = NEVER) -> tuple[Drawn, Estimate] | None:
        """None: a tile waits for all parts."""
        return None

    def _of_held(self, answer: Callable[[list[Part]], T]) -> tuple[T, Estimate]:
        """An answer of the rows that are held now, and their share. Raises Busy where none are."""
        while True:
            parts = self.held_parts()
            if not parts:
                raise Busy("No worker of the cluster has indexed its rows of this table yet: try again.")
            try:
                found = answer(parts)
            except Moved:
                continue
            return found, Estimate(sum(part.rows for part in parts) / self.rows_in_all, None, False)

    def _drawn(self, key: TileKey, parts: Sequence[Part], cancel: Cancel) -> Drawn:
        """A tile of some parts."""
        raise NotImplementedError

    @cached_property
    def _told(self) -> Mapping[str, Any]:
        """What a worker is told of the layer."""
        return {"layer": layer_facts(self.layer, (self.survey.x, self.survey.y)), "labels": self.named}

    def ask(self, asked: Mapping[str, Any], cancel: Cancel, parts: Sequence[Part] | None = None) -> list[Answer]:
        """The answers of parts (None: of all), from the indexes that were made."""
        those = self.parts if parts is None else parts
        return self.workers.ask(those, {**self._told, **asked}, cancel, expected=dict(self.indexed))


def refused(what: str) -> BadInput:
    """The error for what a cluster does not offer: nothing of it is computed on some of the rows."""
    return BadInput(
        f"A table on a cluster has no {what} yet: it shows points, lines, histograms and bars, filters, selections, "
        "brushes and rows. Serve it without --scheduler and --workers for all else.",
        "scheduler",
    )
