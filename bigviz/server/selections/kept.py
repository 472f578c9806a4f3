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
_MOST_OF_ONE: Final = 512  # behind one address there may be many
_MOST_OF_PAGE: Final = 64
_MOST_BYTES: Final = 64 << 20
_MOST_BYTES_OF_ONE: Final = 16 << 20
_MOST_BYTES_OF_PAGE: Final = 4 << 20
_BYTES: Final = 2_000  # of one, and of what holds it
_VERTEX_BYTES: Final = 120


@dataclass(frozen=True)
class Kept:
    """A selection of `count` rows of one version of a dataset, which `of`, `fingerprint` and `stop` (the number after
    the last row) tell from others, and which `expression` keeps too, if there is one. `maker` alone may use it, through
    the `document`; one without a role on the dataset, for as long as its `rules` are those of the document. `page` is
    the maker's page, as that calls itself."""

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
    page: str = ""

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
    """At most 64 selections and 4 MiB of one page, 512 and 16 MiB of one maker, 4,096 and 64 MiB of all, for an hour;
    of more the oldest go. Lives on the event loop."""

    def __init__(self) -> None:
        self.prefix = ""
        """What all ids begin with, so that other processes know whose they are: see `home_of`."""
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._of_makers: dict[Hashable, _Sum] = {}
        self._of_pages: dict[Hashable, _Sum] = {}
        self._bytes = 0

    def put(
        self,
        maker: Hashable,
        document: str,
        ref: LayerRef,
        dataset: Dataset,
        shape: Region,
        selection: Selection,
        rules: Hashable = None,
        page: str = "",
    ) -> str:
        """Keep a selection; its id, of 22 characters that nobody can guess, after the `prefix`."""
        stop = dataset.first_row + dataset.num_rows
        until = now() + SECONDS
        kept = Kept(
            maker, document, ref, shape, selection.count, Mark.of(dataset), dataset.fingerprint, stop, until,
            selection.expression, rules, page,
        )  # fmt: skip
        id = self.prefix + secrets.token_urlsafe(16)
        self._kept[id] = kept
        self._bytes += kept.nbytes
        for sums, key in self._sums(kept):
            sums.setdefault(key, _Sum()).add(1, kept.nbytes)
        self._make_room(kept)
        return id

    def is_of(self, id: str, maker: Hashable) -> bool:
        """Whether there is a selection of this maker."""
        return id in self._kept and self._kept[id].maker == maker

    def find(self, id: str, maker: Hashable, document: str) -> Kept:
        """A selection of this maker in this document; NotFound for others, and for one that is over."""
        self._expire()
        kept = self._kept.get(id)
        if kept is None or kept.maker != maker or kept.document != document:
            raise NotFound("There is no such selection, or its hour is over: select again.", "selection", id[:30])
        return kept

    def _make_room(self, of: Kept) -> None:
        self._expire()
        while self._of_pages[of.maker, of.page].is_beyond(_MOST_OF_PAGE, _MOST_BYTES_OF_PAGE):
            self._drop(next(id for id, each in self._kept.items() if (each.maker, each.page) == (of.maker, of.page)))
        while self._of_makers[of.maker].is_beyond(_MOST_OF_ONE, _MOST_BYTES_OF_ONE):
            self._drop(next(id for id, each in self._kept.items() if each.maker == of.maker))
        while len(self._kept) > _MOST or self._bytes > _MOST_BYTES:
            self._drop(next(iter(self._kept)))

    def _expire(self) -> None:
        while self._kept and next(iter(self._kept.values())).until <= now():
            self._drop(next(iter(self._kept)))

    def _drop(self, id: str) -> None:
        kept = self._kept.pop(id)
        self._bytes -= kept.nbytes
        for sums, key in self._sums(kept):
            sums[key].add(-1, -kept.nbytes)
            if not sums[key].count:
                del sums[key]

    def _sums(self, kept: Kept) -> tuple[tuple[dict[Hashable, _Sum], Hashable], ...]:
        """Where a selection counts, and under which key."""
        return (self._of_makers, kept.maker), (self._of_pages, (kept.maker, kept.page))


@dataclass
class _Sum:
    """How many selections there are of one, and their bytes."""

    count: int = 0
    bytes: int = 0

    def add(self, count: int, bytes: int) -> None:
        self.count += count
        self.bytes += bytes

    def is_beyond(self, count: int, bytes: int) -> bool:
        return self.count > count or self.bytes > bytes
