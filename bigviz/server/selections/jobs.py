"""Selections as jobs: a shape to an answer and an id, and an id to the pieces of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bigviz.common.cancel import Cancel
from bigviz.common.errors import TooMany
from bigviz.data.dataset import Dataset
from bigviz.server.jobs.layer_ref import Asked, LayerRef
from bigviz.server.jobs.usage import Usage
from bigviz.server.selections.kept import Kept, Selections
from bigviz.server.selections.requests import read_selection, selection_answer
from bigviz.server.selections.row_files import KINDS, RowFile, row_file
from bigviz.tiles.interface import Engine, RowSet, Selection, read_batches, readable_names

if TYPE_CHECKING:
    from bigviz.aggregate.layer import Layer
    from bigviz.document.spec import Document
    from bigviz.server.access.principal import Principal

__all__ = ["Download", "SelectionJobs"]

T = TypeVar("T")


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

    def begin(self, rows: RowSet) -> None:
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

    async def select(
        self, principal: Principal, document: str, name: str, asked: Asked, body: Mapping[str, Any], usage: Usage
    ) -> dict[str, Any]:
        """Select rows of a layer, of the dataset that the document gives this name, and keep the selection: the JSON
        answer. Raises BadInput, Forbidden for columns that the caller may not use, and what jobs do."""
        wanted = read_selection(body, asked.times, name, usage)
        backend, dataset, layer = self._backend, asked.dataset, asked.layer

        def call(cancel: Cancel) -> Selection:
            with usage.discretion(name):
                return backend.engine.select(dataset, layer, wanted.shape, wanted.stats, wanted.by, cancel)

        found = await backend.run(principal, dataset, layer, ("select", wanted), call, heavy=True)
        ref = LayerRef(name, layer)
        id = self.kept.put(principal.share, document, ref, dataset, wanted.shape, found)
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
        kept = self.kept.find(id, principal.share, name)
        usage.check_rows(kept.ref.dataset)
        dataset, _ = kept.ref.resolve(document, usage)
        kept.check(dataset)
        allowed = usage.within(kept.ref.dataset, readable_names(dataset))
        wanted = allowed if columns is None else list(dict.fromkeys(columns))
        usage.check(kept.ref.dataset, [("columns", each) for each in wanted])
        with usage.discretion(kept.ref.dataset):
            schema = Selection(dataset, (), 0).schema(wanted)
        return Download(dataset, kept, wanted, limit, row_file(extension, schema), KINDS[extension])

    async def find(self, principal: Principal, download: Download) -> None:
        """Find the rows of a download again."""
        call = partial(_found, self._backend, download.dataset, download.kept)
        layer = download.kept.ref.layer
        what = ("selected", download.kept.shape, download.kept.stop, download.kept.count)
        download.begin(await self._backend.run(principal, download.dataset, layer, what, call, heavy=True))

    async def piece(self, principal: Principal, download: Download) -> bytes | None:
        """The next piece of a download; None after the last."""
        return await self._backend.job(principal, download, download.next, heavy=True)

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


def _found(backend: Jobs, dataset: Dataset, kept: Kept, cancel: Cancel) -> RowSet:
    """The rows that were selected, found again."""
    found = backend.engine.select(dataset, kept.ref.layer, kept.shape, cancel=cancel)
    rows = found.row_set.before(kept.stop) if dataset.version != kept.of.version else found.row_set
    kept.check_found(rows.count)
    return rows
