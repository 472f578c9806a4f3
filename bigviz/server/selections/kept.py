"""Selections that their makers may come back to: what was selected, not the rows, which are found again."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from bigviz.common.errors import Gone, NotFound
from bigviz.data.appending.growth import Mark
from bigviz.data.dataset import Dataset
from bigviz.server.jobs.layer_ref import LayerRef
from bigviz.tiles.interface import Lasso, Region, Selection

__all__ = ["Kept", "Selections", "gone"]

now = monotonic  # a test sets it forward
SECONDS: Final = 3_600.0
_MOST: Final = 4_096
_MOST_OF_ONE: Final = 64
_MOST_BYTES: Final = 64 << 20
_MOST_BYTES_OF_ONE: Final = 4 << 20
_BYTES: Final = 2_000  # of one, and of what holds it
_VERTEX_BYTES: Final = 120


@dataclass(frozen=True)
class Kept:
    """A selection of `count` rows of one version of a dataset, which `of`, `fingerprint` and `stop` (the number after
    the last row) tell from others, and which `expression` keeps too, if there is one. `maker` alone may use it, through
    the `document`; one without a role on the dataset, for as long as its `rules` are those of the document."""

    maker: Hashable
    document: str
    ref: LayerRef
    shape: Region
    count: int
    of: Mark
    fingerprint: str
    stop: int
    until: float
    expression: str | None = None
    rules: Hashable = None

    @property
    def nbytes(self) -> int:
        """Bytes held, roughly."""
        return _BYTES + (_VERTEX_BYTES * len(self.shape.polygon.vertices) if isinstance(self.shape, Lasso) else 0)

    def check(self, dataset: Dataset) -> None:
        """Raise Gone where the rows of the version may not be found in what the dataset is now."""
        if dataset.fingerprint == self.fingerprint and dataset.version == self.of.version:
            return
        if self.of.lineage is None or dataset.lineage != self.of.lineage:
            raise gone("The data has changed")
        if any(each.version > self.of.version for each in dataset.corrections):
            raise gone("Rows have been given other values")

    def check_found(self, found: int) -> None:
        """Raise Gone where other rows were found in a later version: some were rolled over."""
        if found != self.count:
            raise gone("Rows that were selected are no longer kept")


def gone(what: str) -> Gone:
    """The error for a selection whose version of the dataset is gone."""
    return Gone(f"{what} since this selection was made. Select again.", "selection")


class Selections:
    """At most 64 selections and 4 MiB of one maker, 4,096 and 64 MiB of all, for an hour; of more the oldest go. Lives
    on the event loop."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._bytes: dict[Hashable, int] = {}
        self._count: dict[Hashable, int] = {}

    def put(
        self,
        maker: Hashable,
        document: str,
        ref: LayerRef,
        dataset: Dataset,
        shape: Region,
        selection: Selection,
        rules: Hashable = None,
    ) -> str:
        """Keep a selection; its id, of 22 characters that nobody can guess."""
        stop = dataset.first_row + dataset.num_rows
        until = now() + SECONDS
        kept = Kept(
            maker, document, ref, shape, selection.count, Mark.of(dataset), dataset.fingerprint, stop, until,
            selection.expression, rules,
        )  # fmt: skip
        id = secrets.token_urlsafe(16)
        self._kept[id] = kept
        self._bytes[maker] = self._bytes.get(maker, 0) + kept.nbytes
        self._count[maker] = self._count.get(maker, 0) + 1
        self._make_room(maker)
        return id

    def find(self, id: str, maker: Hashable, document: str) -> Kept:
        """A selection of this maker in this document; NotFound for others, and for one that is over."""
        self._expire()
        kept = self._kept.get(id)
        if kept is None or kept.maker != maker or kept.document != document:
            raise NotFound("There is no such selection, or its hour is over: select again.", "selection", id[:30])
        return kept

    def _make_room(self, maker: Hashable) -> None:
        self._expire()
        while self._bytes[maker] > _MOST_BYTES_OF_ONE or self._count[maker] > _MOST_OF_ONE:
            self._drop(next(id for id, each in self._kept.items() if each.maker == maker))
        while len(self._kept) > _MOST or sum(self._bytes.values()) > _MOST_BYTES:
            self._drop(next(iter(self._kept)))

    def _expire(self) -> None:
        while self._kept and next(iter(self._kept.values())).until <= now():
            self._drop(next(iter(self._kept)))

    def _drop(self, id: str) -> None:
        kept = self._kept.pop(id)
        self._bytes[kept.maker] -= kept.nbytes
        self._count[kept.maker] -= 1
        if not self._count[kept.maker]:
            del self._bytes[kept.maker], self._count[kept.maker]
