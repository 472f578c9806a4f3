"""A dataset: a named table whose columns are loaded when they are first used."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np
import pyarrow as pa

from bigviz.common.bounded_repr import echoed
from bigviz.common.cancel import NEVER, Cancel, locked
from bigviz.common.did_you_mean import MOST_LISTED
from bigviz.common.errors import BadInput, Unplottable
from bigviz.common.printable import encodable
from bigviz.common.progress import Progress, no_progress
from bigviz.data.appending.grown_labels import GrownLabels, grown_labels
from bigviz.data.appending.growth import Correction
from bigviz.data.columns.arrow_arrays import take_rows
from bigviz.data.columns.by_name import ColumnsByName
from bigviz.data.columns.categories import Categories, LabelSet, Sorted
from bigviz.data.columns.column import Column, ColumnInfo, own_name
from bigviz.data.columns.magnitudes import Magnitudes
from bigviz.data.columns.numbers import axis_dtype, without_copy
from bigviz.data.columns.of_arrays import builder_of, column_of, in_own_type
from bigviz.data.columns.true_values import Labels, Loaded, Numeric
from bigviz.data.columns.written_out import MOST_WRITTEN, Room
from bigviz.data.filters.selected import Selected, where
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import require_memory
from bigviz.data.origin import Origin
from bigviz.data.sources.first_array import first_array
from bigviz.data.sources.memory import MemorySource
from bigviz.data.sources.sinks import Collected, Rows
from bigviz.data.sources.source import Source
from bigviz.data.statistics.values import Statistics

__all__ = ["Dataset"]


class Dataset:
    """A named table, made by `bigviz.open`. Safe to use from any number of threads.

    `name` is the dataset's name; `version`, an integer, increases when its rows change; `origin` says how it was opened
    from paths, None for tables in memory. A column is read when it is first used and then stays in memory until it is
    released, whatever happens to the file; only columns that were not read yet can fail with `Unreadable` later.
    """

    def __init__(self, name: str, source: Source, origin: Origin | None = None) -> None:
        self.name = name
        self.version = 1
        self.origin = origin
        self._source = source
        self._named = ColumnsByName(name, source.schema, source.unusable)
        self._loaded: dict[int, Loaded] = {}
        self._labels: dict[int, Sorted] = {}
        self._grown_labels: dict[int, GrownLabels] = {}  # kept for versions to come
        self._locks = [threading.Lock() for _ in source.schema]

    def __repr__(self) -> str:
        return f"<Dataset {self.name!r}: {self.num_rows:,} rows, {len(self._named.infos)} columns>"

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of the whole table."""
        return self._source.schema

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return self._source.num_rows

    @property
    def fingerprint(self) -> str:
        """A hexadecimal text that changes whenever the content may have changed. It covers the path, size, times and
        footer of files, and is random for tables in memory."""
        return self._source.fingerprint

    @property
    def lineage(self) -> str | None:
        """A text that all versions of a dataset share that can be appended to, until it is replaced; None for others.

        From one version to the next rows are added at the end, and nothing else changes but what `first_row` and
        `corrections` say.
        """
        growth = self._source.growth
        return None if growth is None else growth.lineage

    @property
    def first_row(self) -> int:
        """The number of the first row: 0, or how many rows were rolled over. Numbers of rows never change."""
        growth = self._source.growth
        return 0 if growth is None else growth.first_row

    def gone(self, name: str, cancel: Cancel = NEVER) -> Magnitudes:
        """The axis numbers that a column had in the rows before `first_row`, by size; none of a category. Rows that are
        still on the disk are read. Raises what `column` does."""
        growth = self._source.growth
        if growth is None or not growth.first_row or self.info(name).kind == "category":
            return Magnitudes()
        return growth.gone(name, cancel)

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """The rows that were given other values since they were appended, in order of the versions that did."""
        growth = self._source.growth
        return () if growth is None else growth.corrections

    @property
    def files(self) -> tuple[StableFile, ...]:
        """The files that hold the rows, in row order, as they were when they were opened; none for objects in
        memory."""
        return self._source.files

    @property
    def pieces(self) -> tuple[int, int] | None:
        """Which pieces of the files this is, first and stop (exclusive); None where it is all of them."""
        return None

    @property
    def in_memory(self) -> MemorySource | None:
        """The table that was given as an object in memory; None for others."""
        return self._source if isinstance(self._source, MemorySource) else None

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user who opened it, about 20 at most: what cannot be read of it and why, or that a file's
        name promises another format."""
        unusable = [
            f"Column {self._named.infos[at].name!r} {each.reason}." for at, each in self._named.unusable.items()
        ]
        notes = [encodable(note) for note in (*unusable, *self._source.notes)]
        more = len(notes) - MOST_LISTED
        return (*notes[:MOST_LISTED], f"There are {more:,} more such notes.") if more > 0 else tuple(notes)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Sentences on how CSV files were understood: separator, line of names, what was skipped; none for others."""
        return self._source.assumed

    @property
    def estimated_rows(self) -> int | None:
        """About how many rows there are if only a sample of them is here; None if `num_rows` is exact."""
        return self._source.estimated_rows

    def columns(self) -> list[ColumnInfo]:
        """All columns in the table's order, those that cannot be plotted included."""
        return list(self._named.infos)

    def info(self, name: str) -> ColumnInfo:
        """The plottable column of that name.

        Raises `NotFound` (with the nearest name) or `Unplottable` (with those that can be plotted).
        """
        return self._named.info(self._named.plottable(name))

    def column(self, name: str, progress: Progress = no_progress, cancel: Cancel = NEVER) -> Column:
        """All rows of one column as axis numbers, read once and kept; concurrent callers share one reading.

        Raises what `info` does, `Unreadable` if the file is damaged, changed or gone, `TooLarge`, or `Cancelled`.
        """
        return self._load(self._named.plottable(name), progress, cancel).column

    def head(self, name: str, cancel: Cancel = NEVER) -> Column:
        """The first rows of a column, at most about a million, without reading the others; not kept."""
        index = self._named.plottable(name)
        loaded = self._loaded.get(index)
        if loaded is not None:
            return loaded.column
        array = first_array(self._source, self._named.own(index), cancel)
        builder = builder_of(self._named.info(index), len(array))
        builder.add(0, array)
        return builder.finish().column

    def chunks(self) -> list[tuple[int, int]]:
        """The pieces that can be read by themselves, as (first row, number of rows), in row order: all rows."""
        return self._source.chunks()

    def read(
        self, number: int, names: Sequence[str], cancel: Cancel = NEVER, own_labels: bool = False
    ) -> Iterator[tuple[int, list[Column]]]:
        """Read piece `number` of `chunks()` in order, as batches of at most 2^20 rows: (first row, columns).

        The columns are as `column` gives them, with the same labels of categories, which a pass over the table finds
        when they are first needed. Other than labels nothing is kept in memory. With `own_labels` that pass is left
        out: where labels are not known yet, each batch has those of its own rows. Several threads may read at a time.
        Raises what `column` does.
        """
        indices = [self._named.own(self._named.plottable(name)) for name in names]
        first = self._source.chunks()[number][0]
        yield from self._columns(names, first, self._source.stream(number, indices, cancel), cancel, own_labels)

    def read_rows(
        self, names: Sequence[str], start: int, stop: int, cancel: Cancel = NEVER, own_labels: bool = False
    ) -> Iterator[tuple[int, list[Column]]]:
        """Read the rows with the numbers `start` to `stop` (exclusive) in order, as batches of at most 2^20 of them:
        (number of the first row, columns). What lies before and after them is not read.

        Numbers begin with `first_row`; those that there are not are left out. Else as `read`, whose columns they are.
        """
        before, end = self.first_row, self.first_row + self.num_rows
        start, stop = max(start, before), min(stop, end)
        indices = [self._named.own(self._named.plottable(name)) for name in names]
        if start < stop and names:
            rows = self._source.rows(start - before, stop - before, indices, cancel)
            yield from self._columns(names, start, rows, cancel, own_labels)

    def statistics(self, name: str, start: int, stop: int) -> Statistics | None:
        """Bounds of a column's values in the rows with the numbers `start` to `stop` (exclusive), as a file's own
        statistics have them; nothing is read for them. None where none are known. Raises what `info` does."""
        index, before = self._named.plottable(name), self.first_row
        if index != self._named.own(index):
            return None
        return self._source.statistics(start - before, stop - before, index)

    def values(self, name: str, start: int, stop: int, cancel: Cancel = NEVER) -> Iterator[tuple[int, pa.Array]]:
        """The values of one column in its own type, or as that type's dictionaries, at the rows with the numbers
        `start` to `stop` (exclusive): (number of the first row, values). Nothing is kept. Raises what `take` does."""
        index, before = self._named.readable(name), self.first_row
        start, stop = max(start, before), min(stop, before + self.num_rows)
        if start < stop:
            for (array,) in self._source.rows(start - before, stop - before, [index], cancel):
                yield start, array
                start += len(array)

    def _columns(
        self, names: Sequence[str], first: int, rows: Iterator[list[pa.Array]], cancel: Cancel, own_labels: bool
    ) -> Iterator[tuple[int, list[Column]]]:
        """Arrays of a source as columns, with the numbers of their first rows."""
        indices = [self._named.plottable(name) for name in names]
        infos = [self._named.info(at) for at in indices]
        categories = [at for at, info in zip(indices, infos, strict=True) if info.kind == "category"]
        labels = {at: self._labels.get(at) if own_labels else self._sorted(at, cancel) for at in categories}
        for arrays in rows:
            count = len(arrays[0])
            parts = zip(indices, infos, arrays, strict=True)
            yield first, [column_of(info, array, labels.get(at)) for at, info, array in parts]
            first += count

    def labels(self, name: str, cancel: Cancel = NEVER) -> tuple[str, ...]:
        """The sorted labels of a category, as `column` has them, without reading the column into memory.

        Raises what `column` does, and `Unplottable` for another kind.
        """
        index = self._named.plottable(name)
        if self._named.info(index).kind != "category":
            raise Unplottable(f"Column {echoed(name)} of {self.name!r} is no category.", got=name)
        return self._sorted(index, cancel).texts

    @property
    def label_orders(self) -> tuple[object, ...]:
        """Whoever holds these has later versions of the dataset give the labels of categories in the same order, with
        new ones at the end, whatever happens to the rows that they came with."""
        return tuple(self._grown_labels.values())

    def take(self, rows: np.ndarray, names: Sequence[str], most: int = MOST_WRITTEN) -> pa.Table:
        """The values of some columns, in their own types, at `rows` (numbers from `first_row` on, in any order).

        Columns need not be plottable, but readable: `Unplottable` says why one is not. `TooLarge` for more than `most`
        bytes, before they are put together.
        Columns in memory are taken from there; of others these rows are read, and not kept.
        """
        rows = np.ascontiguousarray(rows, np.int64)
        first, stop = self.first_row, self.first_row + self.num_rows
        if len(rows) and not (rows.min() >= first and rows.max() < stop):
            raise BadInput(
                f"Rows lie between {first:,} and {stop - 1:,}.", field="rows", got=[int(rows.min()), int(rows.max())]
            )
        rows = rows - first
        indices = [self._named.readable(name) for name in names]
        fields = [self.schema.field(index) for index in indices]
        room = Room(most)
        return pa.Table.from_arrays([self._take(index, rows, room) for index in indices], schema=pa.schema(fields))

    def arrow(self, names: Sequence[str]) -> pa.Table:
        """Whole columns in their own types, as an Arrow table; what is not in memory in that form is read each time."""
        indices = [self._named.readable(name) for name in names]
        fields = [self.schema.field(index) for index in indices]
        return pa.Table.from_arrays([self._whole(index) for index in indices], schema=pa.schema(fields))

    def batches(self, rows: int = 1 << 16, cancel: Cancel = NEVER) -> pa.RecordBatchReader:
        """All rows in order, in their own types, as batches of at most `rows`; nothing is kept in memory.

        Columns that cannot be read, and those whose name is another one's too, are left out. Reading a batch raises
        `Unreadable` or `Cancelled`.
        """
        indices = [
            at for at, info in enumerate(self._named.infos) if info.readable and info.name not in self._named.repeated
        ]
        schema = pa.schema([self.schema.field(index).remove_metadata() for index in indices])

        def made() -> Iterator[pa.RecordBatch]:
            for number in range(len(self._source.chunks())):
                for arrays in self._source.stream(number, indices, cancel):
                    columns = [in_own_type(each, field.type) for each, field in zip(arrays, schema, strict=True)]
                    whole = pa.RecordBatch.from_arrays(columns, schema=schema)
                    for start in range(0, whole.num_rows, rows):
                        yield whole.slice(start, rows)

        return pa.RecordBatchReader.from_batches(schema, made())

    def where(self, expression: str) -> Selected:
        """The rows that an expression keeps, as `where("fare > 10 and kind in ('a', 'b')")`; docs/filters.md has the
        language. Nothing is read before it is asked for.

        Raises BadInput with `at`, the character of the expression where it is wrong.
        """
        return where(self, expression)

    def check(self) -> None:
        """Raise `Unreadable` if the source changed or vanished since it was opened."""
        self._source.check()

    def loaded(self) -> list[Column]:
        """The columns that are in memory now."""
        return [column for column, _ in list(self._loaded.values())]

    def memory(self) -> int:
        """The bytes of the columns that were read, including those shared with a table in memory."""
        total = 0
        for column in self.loaded():
            total += column.values.nbytes + (0 if column.valid is None else column.valid.nbytes)
        return total

    def release(self, but: Collection[str] = ()) -> None:
        """Drop the columns that were read, except those named in `but`; they are read again when they are needed."""
        for index in list(self._loaded):
            if self._named.info(index).name not in but:
                with self._locks[self._named.own(index)]:
                    self._loaded.pop(index, None)

    def _load(self, index: int, progress: Progress, cancel: Cancel) -> Loaded:
        loaded = self._loaded.get(index)
        if loaded is not None:
            return loaded
        with self._alone(index, cancel):
            if index not in self._loaded:
                self._loaded[index] = self._read(index, progress, cancel)
            return self._loaded[index]

    def _sorted(self, index: int, cancel: Cancel) -> Sorted:
        """A category's labels, from the loaded column or by a pass of their own."""
        found = self._labels.get(index)
        if found is None:
            found = self._grown(index, cancel)
        if found is not None:
            return found
        with self._alone(index, cancel):
            if index not in self._labels:
                loaded = self._loaded.get(index)
                if loaded is not None and isinstance(loaded.restore, Labels):
                    self._labels[index] = Sorted(loaded.restore.labels, loaded.column.categories or ())
                else:
                    labels = LabelSet(self._named.info(index))
                    self._source.read(self._named.own(index), labels.add, no_progress, cancel)
                    self._labels[index] = labels.finish()
            return self._labels[index]

    def _grown(self, index: int, cancel: Cancel) -> Sorted | None:
        """The labels of a category to which rows are appended, in an order that later versions keep; None of others."""
        growth = self._source.growth
        if growth is None:
            return None
        labels = self._grown_labels[index] = grown_labels(growth.lineage, index, self._named.info(index))
        self._labels[index] = labels.of(self._source, growth, self._named.own(index), self.version, cancel)
        return self._labels[index]

    def _alone(self, index: int, cancel: Cancel) -> AbstractContextManager[None]:
        """One thread at a time reads a column; the others wait for it, and may be cancelled."""
        return locked(self._locks[self._named.own(index)], cancel)

    def _read(self, index: int, progress: Progress, cancel: Cancel) -> Loaded:
        info = self._named.info(index)
        direct = self._source.direct(self._named.own(index))
        if direct is not None:
            column = without_copy(info, direct)
            if column is not None:
                return Loaded(column, Numeric(column))
        what = f"Column {own_name(info.name)!r} of {self.name!r}"
        require_memory(self.num_rows * axis_dtype(info.type).itemsize, what)
        builder = builder_of(info, self.num_rows)
        self._source.read(self._named.own(index), builder.add, progress, cancel)
        return builder.finish(self._order_of(index, cancel)) if isinstance(builder, Categories) else builder.finish()

    def _order_of(self, index: int, cancel: Cancel) -> Sorted | None:
        """The labels of a category whose order is given; None where its rows decide."""
        return self._grown(index, cancel)

    def _take(self, index: int, rows: np.ndarray, room: Room) -> pa.Array | pa.ChunkedArray:
        direct = self._source.direct(index)
        if direct is not None:
            room.take(direct, rows)
            return take_rows(direct, rows)
        loaded = self._loaded.get(index)
        if loaded is not None:
            if isinstance(loaded.restore, Labels):
                codes, valid = loaded.column.values[rows], loaded.column.valid
                room.take(loaded.restore.labels, codes if valid is None else codes[valid[rows]])
            return loaded.restore(rows)
        wanted = Rows(self._named.infos[index].type, rows, room)
        self._source.read(index, wanted.add, no_progress, NEVER, wanted.sorted)
        return wanted.finish()

    def _whole(self, index: int) -> pa.ChunkedArray:
        direct = self._source.direct(index)
        if direct is not None:
            return direct
        collected = Collected(self._named.infos[index].type)
        self._source.read(index, collected.add, no_progress, NEVER)
        return collected.finish()
