"""Selections as jobs: a shape to an answer and an id, and an id to the pieces of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import TooLarge, TooMany
from bigviz.data.columns.column import readable_names
from bigviz.data.dataset import Dataset
from bigviz.server.http.row_json import MOST_COLUMNS, texts
from bigviz.server.jobs.layer_ref import Asked, LayerRef
from bigviz.server.jobs.usage import Usage
from bigviz.server.selections.brush_filters import Resolve, under_brushes
from bigviz.server.selections.kept import Kept, Selections, gone
from bigviz.server.selections.page import Page
from bigviz.server.selections.requests import read_selection, selection_answer
from bigviz.server.selections.row_files import KINDS, RowFile, row_file, sortable
from bigviz.server.selections.row_rules import rules_of
from bigviz.tiles.interface import Engine, ReadElsewhere, RowNumbers, Selection, read_batches, row_schema

if TYPE_CHECKING:
    from bigviz.aggregate.layer import Layer
    from bigviz.document.spec import Document
    from bigviz.server.access.principal import Principal

__all__ = ["Download", "SelectionJobs"]

T = TypeVar("T")
_MOST_SORTED: Final = 1 << 20
_BATCH: Final = 1 << 16


class Download:
    """A selection's rows as a file: its content type `kind`, the dataset's `version`, and its pieces, one at a time."""

    def __init__(
        self, dataset: Dataset, kept: Kept, columns: Sequence[str], limit: int | None, file: RowFile, kind: str
    ) -> None:
        self.kind, self.version, self.kept, self.dataset = kind, kept.of.version, kept, dataset
        self._columns, self._limit = columns, limit
        self._file: RowFile | None = file
        self._batches: Iterator[Any] | None = None
        self._cancel = Cancel()

    def begin(self, rows: RowNumbers) -> None:
        """The rows are known."""
        self._batches = read_batches(self.dataset, rows, self._columns, self._limit, self._cancel)

    def next(self, cancel: Cancel) -> bytes | None:
        """The next piece; None after the last. Blocks."""
        cancel.check()
        if self._file is None:
            return None
        for batch in self._batches or ():
            piece = self._file.add(batch)
            if piece:
                return piece
        file, self._file = self._file, None
        return file.end()


class Jobs(Protocol):
    """What runs the work: see `Backend`."""

    @property
    def engine(self) -> Engine: ...

    async def run(
        self,
        principal: Principal,
        dataset: Dataset,
        layer: Layer,
        what: Hashable,
        call: Callable[[Cancel], T],
        heavy: bool = False,
    ) -> T: ...

    async def job(self, principal: Principal, key: Hashable, call: Callable[[Cancel], T], heavy: bool = False) -> T: ...


class SelectionJobs:
    """Makes selections over the layers of a backend, and keeps them. Lives on the event loop."""

    def __init__(self, backend: Jobs) -> None:
        self._backend = backend
        self.kept = Selections()
        self._downloads: Counter[Hashable] = Counter()

    async def under_brushes(self, principal: Principal, asked: Asked, brushes: Any, resolve: Resolve) -> Asked:
        """The layer of the rows that lie in brushes, too: see `under_brushes`, whose errors it raises."""
        call = partial(under_brushes, asked.dataset, asked.layer, brushes, resolve, self._backend.engine)
        return replace(asked, layer=await self._backend.job(principal, object(), call))

    async def select(
        self,
        principal: Principal,
        document: str,
        name: str,
        asked: Asked,
        body: Mapping[str, Any],
        usage: Usage,
        made: Callable[[Selection], None] | None = None,
        rules: Hashable = None,
    ) -> dict[str, Any]:
        """Select rows of a layer, of the dataset that the document gives this name, and keep the selection: the JSON
        answer. `made` is called with the selection; `rules` are those of `rules_of`. Raises BadInput, Forbidden for
        columns that the caller may not use, and what jobs do.
        """
        wanted = read_selection(body, asked.times, name, usage)
        backend, dataset, layer = self._backend, asked.dataset, asked.layer

        def call(cancel: Cancel) -> Selection:
            with usage.discretion(name):
                return backend.engine.select(dataset, layer, wanted.shape, wanted.stats, wanted.by, cancel)

        found = await backend.run(principal, dataset, layer, ("select", wanted), call, heavy=True)
        if made is not None:
            made(found)
        ref = LayerRef(name, layer)
        id = self.kept.put(principal.share, document, ref, dataset, wanted.shape, found, rules, wanted.page)
        return {"id": id, **selection_answer(dataset, found, wanted.by)}

    def download(
        self,
        principal: Principal,
        name: str,
        document: Document,
        id: str,
        extension: str,
        columns: Sequence[str] | None,
        limit: int | None,
        usage: Usage,
    ) -> Download:
        """A file of a selection's rows that the caller made, with these columns (default: all that may be read).

        Raises NotFound for other selections, Forbidden where the caller may not read rows, or these columns, Gone where
        the data is another, and Unplottable for columns that the format cannot hold.
        """
        kept, dataset, wanted = self._opened(principal, name, document, id, columns, usage)
        with usage.discretion(kept.ref.dataset):
            schema = row_schema(dataset, wanted)
        return Download(dataset, kept, wanted, limit, row_file(extension, schema), KINDS[extension])

    async def numbers(
        self, principal: Principal, name: str, document: Document, id: str, limit: int, usage: Usage
    ) -> npt.NDArray[np.int64]:
        """The numbers of a selection's first rows, in file order. Raises what `download` does."""
        kept, dataset, _ = self._opened(principal, name, document, id, [], usage)

        def call(cancel: Cancel) -> npt.NDArray[np.int64]:
            return _numbers(dataset, _found(self._backend, dataset, kept, cancel), Page(None, 0, limit, None, False))

        return await self._backend.run(principal, dataset, kept.ref.layer, ("numbers", id, limit), call, heavy=True)

    async def find(self, principal: Principal, download: Download) -> None:
        """Find the rows of a download again."""
        call = partial(_found, self._backend, download.dataset, download.kept)
        layer = download.kept.ref.layer
        what = ("selected", download.kept.shape, download.kept.stop, download.kept.count)
        download.begin(await self._backend.run(principal, download.dataset, layer, what, call, heavy=True))

    async def piece(self, principal: Principal, download: Download) -> bytes | None:
        """The next piece of a download; None after the last."""
        return await self._backend.job(principal, download, download.next, heavy=True)

    async def page(
        self, principal: Principal, name: str, document: Document, id: str, wanted: Page, usage: Usage
    ) -> dict[str, Any]:
        """`{columns: [{name, type}], rows: [[text or null]], row: [number], total, offset}` of a selection's rows.

        Raises what `download` does, and TooLarge for more rows than are sorted.
        """
        kept, dataset, columns = self._opened(principal, name, document, id, wanted.columns, usage)
        columns = columns[:MOST_COLUMNS]
        if wanted.sort is not None:
            usage.check(kept.ref.dataset, [("sort", wanted.sort)])
        if wanted.sort is not None and kept.count > _MOST_SORTED:
            raise TooLarge(
                f"At most {_MOST_SORTED:,} rows are sorted, and {kept.count:,} are selected.", "sort", wanted.sort
            )

        def call(cancel: Cancel) -> dict[str, Any]:
            rows = _found(self._backend, dataset, kept, cancel)
            with usage.discretion(kept.ref.dataset):
                numbers = _numbers(dataset, rows, wanted)
                table = dataset.take(numbers, columns)
            return {
                "columns": [{"name": field.name, "type": str(field.type)} for field in table.schema],
                "rows": [list(row) for row in zip(*(texts(column) for column in table.columns), strict=True)],
                "row": numbers.tolist(),
                "total": rows.count,
                "offset": wanted.offset,
            }

        what = ("page", id, wanted.offset, wanted.limit, wanted.sort, wanted.desc, tuple(columns))
        return await self._backend.run(principal, dataset, kept.ref.layer, what, call, heavy=True)

    def _opened(
        self,
        principal: Principal,
        name: str,
        document: Document,
        id: str,
        columns: Sequence[str] | None,
        usage: Usage,
    ) -> tuple[Kept, Dataset, list[str]]:
        """A selection that the caller made and may still read, the dataset as it is now, and its columns."""
        kept = self.kept.find(id, principal.share, name)
        usage.check_rows(kept.ref.dataset)
        if kept.ref.dataset in usage.columns and kept.rules != rules_of(document, kept.ref.dataset, usage):
            raise gone("What this document shows has changed")
        dataset, _ = kept.ref.resolve(document, usage)
        kept.check(dataset)
        wanted = usage.within(kept.ref.dataset, readable_names(dataset.columns())) if columns is None else columns
        usage.check(kept.ref.dataset, [("columns", each) for each in wanted])
        return kept, dataset, list(dict.fromkeys(wanted))

    @contextmanager
    def downloading(self, principal: Principal, most: int) -> Iterator[None]:
        """One more download of this client; TooMany where it is one too many."""
        who = principal.share
        if self._downloads[who] >= most:
            raise TooMany(f"{most} downloads are running already: wait until one has ended.", retry_after=5.0)
        self._downloads[who] += 1
        try:
            yield
        finally:
            self._downloads[who] -= 1
            if not self._downloads[who]:
                del self._downloads[who]


def _numbers(dataset: Dataset, rows: RowNumbers, wanted: Page) -> npt.NDArray[np.int64]:
    """The numbers of a page's rows; by a column, rows without a value come last, and ties are in file order."""
    start, stop = wanted.offset, wanted.offset + wanted.limit
    if wanted.sort is None:
        return rows.between(start, stop)
    numbers = np.concatenate([np.empty(0, np.int64), *rows.batches(_BATCH)])
    column = sortable(_column(dataset, rows, numbers, wanted.sort))
    direction = "descending" if wanted.desc else "ascending"
    table = pa.table({"value": column, "row": numbers})
    order = pc.sort_indices(table, [("value", direction), ("row", "ascending")])
    return np.asarray(numbers[order.to_numpy()[start:stop]], np.int64)


def _column(dataset: Dataset, rows: RowNumbers, numbers: npt.NDArray[np.int64], name: str) -> pa.ChunkedArray:
    """The values of a column at the numbers of rows, read by whoever holds them."""
    if not isinstance(rows, ReadElsewhere):
        return dataset.take(numbers, [name]).column(0)
    batches = list(rows.read([name], None, NEVER))
    return pa.Table.from_batches(batches, row_schema(dataset, [name])).unify_dictionaries().column(0)


def _found(backend: Jobs, dataset: Dataset, kept: Kept, cancel: Cancel) -> RowNumbers:
    """The rows that were selected, found again."""
    found = backend.engine.select(dataset, kept.ref.layer, kept.shape, cancel=cancel)
    rows = found.row_set.before(kept.stop) if dataset.version != kept.of.version else found.row_set
    kept.check_found(rows.count)
    return rows
