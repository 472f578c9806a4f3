"""Selected rows of a layer, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.common.cancel import NEVER, Cancel
from bigviz.common.errors import BadInput, TooLarge, naming
from bigviz.common.workers import Crew
from bigviz.data.columns.column import readable_names
from bigviz.data.dataset import Dataset
from bigviz.tiles.selection.chosen import Chosen, rows_of
from bigviz.tiles.selection.column_slices import code_slices, column_loads, count_codes
from bigviz.tiles.selection.quantiles import LoadedNumbers, Passes
from bigviz.tiles.selection.row_set import ReadElsewhere, RowNumbers, RowSet
from bigviz.tiles.selection.statistics import MOST_STATS, Summary, category, check_labels, summaries

__all__ = [
    "ChosenRows", "Group", "SelectedRows", "Selection", "check_columns", "described", "pieces", "read_batches",
    "row_schema",
]  # fmt: skip

_BATCH: Final = 1 << 16  # rows of a table that are read at a time
_PIECE: Final = 64 << 20  # bytes of them


@dataclass(frozen=True)
class Group:
    """The selected rows of one category: its label (None: of rows without one), how many, and a summary a column."""

    label: str | None
    count: int
    stats: Mapping[str, Summary]


class SelectedRows(Protocol):
    """The rows of a selection, wherever they are. Methods raise what reading does, and Cancelled."""

    @property
    def count(self) -> int:
        """How many."""

    def passes(self, name: str, by: str | None, labels: tuple[str, ...], crew: Crew) -> Passes:
        """Passes over the numbers of a column, in groups by the labels of `by`."""

    def label_counts(self, by: str, labels: tuple[str, ...], crew: Crew) -> list[int]:
        """How many rows have each label, and last how many have none."""

    @property
    def row_set(self) -> RowNumbers:
        """The numbers of the rows."""


@dataclass(frozen=True)
class Selection:
    """Rows of one version of a dataset: `stats` by column, `groups` by label (without those that have no row), None
    without a category; `expression` is a filter that keeps them, where there is one."""

    dataset: Dataset
    selected: SelectedRows = field(repr=False)
    stats: Mapping[str, Summary] = field(default_factory=dict)
    groups: tuple[Group, ...] | None = None
    expression: str | None = None

    @property
    def count(self) -> int:
        """How many rows."""
        return self.selected.count

    @property
    def row_set(self) -> RowNumbers:
        """The numbers of the rows, ascending."""
        return self.selected.row_set

    def rows(self, limit: int | None = None) -> npt.NDArray[np.int64]:
        """The numbers of the first `limit` rows in file order; of all without a limit: 8 bytes each."""
        found = [np.empty(0, np.int64)]
        left = self.count if limit is None else limit
        for numbers in self.row_set.batches(_BATCH):
            found.append(numbers[:left])
            left -= len(found[-1])
            if left <= 0:
                break
        return np.concatenate(found)

    def table(self, columns: Sequence[str] | None = None, limit: int | None = None) -> pa.Table:
        """The rows in file order, as an Arrow table of these columns (default: all that can be read)."""
        batches = list(self.batches(columns, limit))
        return pa.Table.from_batches(batches, self.schema(columns))

    def schema(self, columns: Sequence[str] | None = None) -> pa.Schema:
        """The types of columns, by default of all that can be read. Raises NotFound or Unplottable for others."""
        return row_schema(self.dataset, self._names(columns))

    def batches(
        self, columns: Sequence[str] | None = None, limit: int | None = None, cancel: Cancel = NEVER
    ) -> Iterator[pa.RecordBatch]:
        """The same piece by piece, of at most 2^16 rows; nothing is kept."""
        return read_batches(self.dataset, self.row_set, self._names(columns), limit, cancel)

    def _names(self, columns: Sequence[str] | None) -> list[str]:
        return readable_names(self.dataset.columns()) if columns is None else list(dict.fromkeys(columns))


def row_schema(dataset: Dataset, names: Sequence[str]) -> pa.Schema:
    """The types of columns. Raises NotFound or Unplottable for those that cannot be read."""
    return dataset.take(np.empty(0, np.int64), names).schema.remove_metadata()


def read_batches(
    dataset: Dataset, rows: RowNumbers, names: Sequence[str], limit: int | None, cancel: Cancel
) -> Iterator[pa.RecordBatch]:
    """Rows of a dataset in file order, in the columns' own types, as many at a time as take some 64 MiB at most."""
    if isinstance(rows, ReadElsewhere):
        yield from rows.read(names, limit, cancel)
        return
    left = rows.count if limit is None else min(limit, rows.count)
    for numbers in rows.batches(_BATCH):
        cancel.check()
        if left <= 0:
            return
        wanted = numbers[:left]
        left -= len(wanted)
        if names:
            yield from pieces(dataset, wanted, names)


def pieces(
    dataset: Dataset, rows: npt.NDArray[np.int64], names: Sequence[str], most: int = _PIECE
) -> Iterator[pa.RecordBatch]:
    """Some rows in pieces of at most `most` bytes, or of one row. Raises TooLarge for a row that `take` refuses."""
    try:
        table = dataset.take(rows, names, most)
    except TooLarge:  # long texts
        if len(rows) < 2:
            table = dataset.take(rows, names)
        else:
            middle = len(rows) // 2
            yield from pieces(dataset, rows[:middle], names, most)
            yield from pieces(dataset, rows[middle:], names, most)
            return
    yield from table.replace_schema_metadata().combine_chunks().to_batches()


def check_columns(dataset: Dataset, stats: Sequence[str], by: str | None) -> None:
    """Raise BadInput for more than 16 columns of statistics, for one of labels, and for a `by` that has no labels;
    NotFound or Unplottable for what is no column; each names the field."""
    if len(stats) > MOST_STATS:
        raise BadInput(f"stats names at most {MOST_STATS} columns, got {len(stats)}", "stats", len(stats))
    with naming("stats"):
        for name in stats:
            if (info := dataset.info(name)).kind == "category":
                raise BadInput(f"stats are of numbers and times; {name!r} holds {info.holds}", "stats", name)
    if by is not None:
        with naming("by"):
            check_labels(dataset, by)


def described(
    dataset: Dataset, rows: SelectedRows, stats: Sequence[str], by: str | None, expression: str | None, crew: Crew
) -> Selection:
    """A selection with exact statistics of columns, of all rows and by the labels of a column.

    Raises BadInput for more than 64 labels, what reading does, and Cancelled.
    """
    names = list(dict.fromkeys(stats))
    column, labels = (None, ()) if by is None else category(dataset, by, crew.cancel)
    found: dict[str, Summary] = {}
    groups: list[dict[str, Summary]] = [{} for _ in (*labels, None)]
    for name in names:
        found[name], *others = summaries(dataset.info(name), rows.passes(name, column, labels, crew), crew)
        for group, each in zip(groups, others, strict=False):
            group[name] = each
    told = None
    if column is not None:
        named = zip((*labels, None), rows.label_counts(column, labels, crew), groups, strict=True)
        told = tuple(Group(label, count, group) for label, count, group in named if count)
    return Selection(dataset, rows, found, told, expression)


@dataclass(frozen=True)
class ChosenRows:
    """See `SelectedRows`: rows that this process chose."""

    dataset: Dataset
    parts: tuple[Chosen, ...] = field(default=(), repr=False)

    @cached_property
    def count(self) -> int:
        return sum(part.count for part in self.parts)

    def passes(self, name: str, by: str | None, labels: tuple[str, ...], crew: Crew) -> Passes:
        return LoadedNumbers(column_loads(self.dataset, self.parts, name, by, labels, crew), len(labels))

    def label_counts(self, by: str, labels: tuple[str, ...], crew: Crew) -> list[int]:
        counts = np.zeros(len(labels) + 1, np.int64)
        for codes, low, high in code_slices(self.dataset, self.parts, by, labels, crew):
            count_codes(codes, low, high, counts)
        return counts.tolist()

    @cached_property
    def row_set(self) -> RowSet:
        """Memory: at most an eighth of a byte a row of the table, or 8 bytes a row where that is less."""
        return rows_of(self.parts, self.dataset.first_row, self.dataset.num_rows)
