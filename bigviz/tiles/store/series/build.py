"""Writing a series to the disk, from a table that is read once.

Rows come in row order. As long as x ascends they are the series; where it does not, they are sorted first
(`external_sort`). Runs of 2^21 rows are collected, and then written, summed and put under the tree by other threads
while the next ones are read. x that follows a rule is not written; the first number that breaks the rule brings those
before it back.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.spaces import space
from bigviz.common.errors import TooLarge
from bigviz.common.workers import Crew
from bigviz.common.xxh64 import checksum
from bigviz.data.columns.column import widen
from bigviz.data.columns.numbers import axis_dtype
from bigviz.data.dataset import Dataset
from bigviz.tiles.grid.batches import Batch, Streamed
from bigviz.tiles.grid.order_spec import OrderSpec, far_of
from bigviz.tiles.grid.survey import numbers_of
from bigviz.tiles.morton.order import MOST_ROWS
from bigviz.tiles.series.series import LEAF, NOWHERE, fill_gaps, find_extremes, raise_tree, tree_starts
from bigviz.tiles.series.sorted_numbers import PITCH, Regular, regular_rule
from bigviz.tiles.store.files.column_file import write_column
from bigviz.tiles.store.files.paged_file import PagedColumn
from bigviz.tiles.store.series.external_sort import BUCKET_PREFIX, sorted_batches
from bigviz.tiles.store.series.gaps import GapWriter
from bigviz.tiles.store.series.read_ahead import in_order
from bigviz.tiles.store.series.stored_series import open_parts, rule_facts, survey_series

__all__ = ["write_series"]

Array = npt.NDArray[Any]
Mask = npt.NDArray[np.bool_]

_RUN: Final = 1 << 21  # rows that are written at a time
_SYNC: Final = 1 << 26  # rows after which the disk starts to write, so that it need not write everything at the end
_LAST: Final = 1 << 22  # a piece of more rows is not read only to see its last x
_STAGE: Final = "building the line"


class _Falls(Exception):
    """x falls: it has to be sorted."""


def write_series(
    path: Path, dataset: Dataset, spec: OrderSpec, columns: Sequence[str], crew: Crew
) -> Mapping[str, Any]:
    """Write the series of two columns into a folder that exists; what it returns opens it (`seriesfile.open_series`).

    A half written folder is started again: the whole takes seconds. `columns` are those of other layers, and not
    needed. Memory: some runs of 2^21 rows and 32 bytes for each 256 rows; more only where rows have to be sorted.
    Raises TooLarge from 2^32 - 1 rows on, what reading raises, OSError such as of a full disk, and Cancelled.
    """
    if dataset.num_rows >= MOST_ROWS:
        raise TooLarge(f"a line holds fewer than {MOST_ROWS:,} rows, got {dataset.num_rows:,}", "dataset")
    pairs = Streamed(dataset, (spec.x, spec.y), (space(spec.xaxis, "x"), space(spec.yaxis, "y")))
    reading = crew.within(_STAGE, 0.0, 0.95, dataset.num_rows)
    _clear(path)
    try:
        with _Writer(path, pairs, reading, True) as writer:
            facts = writer.write((batch, None) for batch in in_order(pairs, reading))
    except _Falls:
        _clear(path)
        with _Writer(path, pairs, crew, False) as writer:
            facts = writer.write(sorted_batches(pairs, path, crew))
    finding = crew.within(_STAGE, 0.95, 1.0, dataset.num_rows)
    found = survey_series(open_parts(path, facts), writer.gaps.missing, pairs, far_of(spec.root), finding)
    return {**facts, "survey": found}


def _clear(path: Path) -> None:
    for pattern in ("*.arrow", f"{BUCKET_PREFIX}*", "*.part"):
        for left in path.glob(pattern):
            left.unlink()


@dataclass
class _Run:
    """Rows on their way to the files: `count` of them from position `first` on. `known` says where y is a number, and
    is looked at where `gaps` is True."""

    x: Array
    y: Array
    known: Mask
    rows: npt.NDArray[np.uint32]
    first: int = 0
    count: int = 0
    gaps: bool = False


class _Writer:
    """Takes rows in x order and writes a series of them; `ordered` False where they come out of a sort."""

    def __init__(self, path: Path, pairs: Streamed, crew: Crew, ordered: bool) -> None:
        self._path, self._pairs, self._crew, self._ordered = path, pairs, crew, ordered
        infos = [pairs.dataset.info(name) for name in pairs.names]
        kinds = [axis_dtype(info.type) for info in infos]
        own = [each.forward is None and each.root is None for each in pairs.spaces]
        self._x_type = widen(np.empty(0, kinds[0])).dtype if own[0] else np.dtype(np.float64)
        self._y_type = kinds[1] if own[1] else np.dtype(np.float64)
        self._files = ExitStack()
        self._pool = ThreadPoolExecutor(crew.threads, thread_name_prefix="bigviz-write")
        self._syncing = ThreadPoolExecutor(1, thread_name_prefix="bigviz-sync")  # only waits for the disk
        self._writing: deque[Future[None]] = deque()
        self._syncs: deque[Future[None]] = deque()
        self._y = self._column("y", self._y_type)
        self._x: PagedColumn | None = None
        self._rows: PagedColumn | None = None
        self.gaps = GapWriter(path)
        self._rule: Regular | None = None
        self._size = 0
        self._last_x: Any = None
        self._last_y: Any = 0
        self._synced = 0
        starts = tree_starts(pairs.rows)
        self._values, self._places = np.empty((starts[1], 2), self._y_type), np.empty((starts[1], 2), np.uint32)
        self._tree_x = np.empty((0, 2), self._x_type)
        self._fences = np.empty(0, self._x_type)
        self._spare: queue.SimpleQueue[_Run] = queue.SimpleQueue()
        room = min(_RUN, -(-pairs.rows // LEAF) * LEAF)
        for _ in range(crew.threads + 1):
            x, y = np.empty(room, self._x_type), np.empty(room, self._y_type)
            self._spare.put(_Run(x, y, np.empty(room, np.bool_), np.empty(room, np.uint32)))
        self._run = self._spare.get()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown()
        self._syncing.shutdown(cancel_futures=True)
        self._files.close()

    def write(self, batches: Iterable[tuple[Batch, Array | None]]) -> dict[str, Any]:
        """Take batches in x order, with the numbers of their rows where those are not consecutive; the facts."""
        for batch, numbers in batches:
            self._crew.look()
            xs, x_known = numbers_of(*batch.x)
            ys, y_known = numbers_of(*batch.y)
            if x_known is not None and not x_known.all():
                numbers = np.flatnonzero(x_known).astype(np.uint32) + np.uint32(batch.first)
                xs, ys = xs[x_known], ys[x_known]
                y_known = None if y_known is None else y_known[x_known]
            if len(xs):
                self._take(xs, ys, None if y_known is None or y_known.all() else y_known, numbers)
        self._hand_over()
        self._settle(0)
        while self._syncs:
            self._syncs.popleft().result()
        return self._finish()

    def _take(self, xs: Array, ys: Array, known: Mask | None, numbers: Array | None) -> None:
        if self._size == 0:
            self._rule = regular_rule(xs, self._pairs.rows, self._end(xs))
            if self._rule is None:
                self._keep_x()
        elif self._rule is not None and not self._rule.gives(xs, self._size):
            self._keep_x()
        if self._ordered and self._x is not None:
            if (self._last_x is not None and xs[0] < self._last_x) or not (xs[1:] >= xs[:-1]).all():
                raise _Falls
            self._last_x = xs[-1]
        if numbers is not None and self._rows is None:
            self._keep_rows()
        self.gaps.add(self._size, len(ys), known)
        masked = known if ys.dtype.kind != "f" else None
        if known is not None and masked is None:
            ys = np.where(known, ys, ys.dtype.type(np.nan))
        elif masked is not None:
            ys = ys.copy()
            fill_gaps(ys, masked, self._last_y)
        self._last_y = ys[-1]
        self._put(xs, ys, masked, numbers)

    def _put(self, xs: Array, ys: Array, known: Mask | None, numbers: Array | None) -> None:
        """Collect rows; runs that are full are handed over."""
        done = 0
        while done < len(xs):
            run = self._run
            step = min(len(xs) - done, len(run.y) - run.count)
            here, there = slice(run.count, run.count + step), slice(done, done + step)
            run.y[here] = ys[there]
            if self._x is not None:
                run.x[here] = xs[there]
            if self._rows is not None:
                run.rows[here] = (
                    np.arange(self._size, self._size + step, dtype=np.uint32) if numbers is None else numbers[there]
                )
            if known is not None and not run.gaps:
                run.known[: run.count], run.gaps = True, True
            if run.gaps:
                run.known[here] = True if known is None else known[there]
            run.count += step
            self._size += step
            done += step
            if run.count == len(run.y):
                self._hand_over()

    def _hand_over(self) -> None:
        """Let a thread write the run, and go on with an empty one."""
        run = self._run
        if not run.count:
            return
        self._writing.append(self._pool.submit(self._write_run, run))
        if self._size - self._synced >= _SYNC:
            self._synced = self._size
            self._syncs.append(self._syncing.submit(self._y.file.sync))
        while self._syncs and self._syncs[0].done():
            self._syncs.popleft().result()  # the system reports a failed write once
        self._settle(self._crew.threads)
        self._run = self._spare.get()
        self._run.first, self._run.count, self._run.gaps = self._size, 0, False

    def _settle(self, most: int) -> None:
        """Wait until at most so many runs are being written."""
        while len(self._writing) > most:
            self._writing.popleft().result()

    def _write_run(self, run: _Run) -> None:
        try:
            self._write(run)
        finally:
            self._spare.put(run)

    def _write(self, run: _Run) -> None:
        first, count = run.first, run.count
        blocks = slice(first // LEAF, -(-(first + count) // LEAF))
        ys = run.y[:count]
        self._y.put(first, ys)
        places = self._places[blocks]
        find_extremes(ys, run.known[:count] if run.gaps else None, first, self._values[blocks], places)
        if self._x is not None:
            self._write_x(first, run.x[:count])
        if self._rows is not None:
            self._rows.put(first, run.rows[:count])

    def _write_x(self, first: int, xs: Array) -> None:
        """Write a run's x, of which the tree is there already."""
        assert self._x is not None
        self._x.put(first, xs)
        self._fences[first // PITCH : -(-(first + len(xs)) // PITCH)] = xs[::PITCH]
        blocks = slice(first // LEAF, -(-(first + len(xs)) // LEAF))
        places = self._places[blocks]
        self._tree_x[blocks] = xs[np.where(places == NOWHERE, 0, places.astype(np.int64) - first)]

    def _keep_x(self) -> None:
        """x follows no rule (any more): write it, and what the rule stood for."""
        self._settle(0)
        rule, self._rule = self._rule, None
        self._x = self._column("x", self._x_type)
        self._tree_x = np.empty((len(self._places), 2), self._x_type)
        self._fences = np.empty(-(-self._pairs.rows // PITCH), self._x_type)
        if rule is None:
            return
        for first in range(0, self._run.first, _RUN):
            self._write_x(first, rule.at(np.arange(first, first + _RUN)))
        self._run.x[: self._run.count] = rule.at(np.arange(self._run.first, self._size))
        self._last_x = rule.at(np.array([self._size - 1]))[0]

    def _keep_rows(self) -> None:
        """Rows are left out, or in another order: write their numbers, which were the positions up to here."""
        self._settle(0)
        self._rows = self._column("rows", np.dtype(np.uint32))
        for first in range(0, self._run.first, _RUN):
            self._rows.put(first, np.arange(first, first + _RUN, dtype=np.uint32))
        self._run.rows[: self._run.count] = np.arange(self._run.first, self._size, dtype=np.uint32)

    def _column(self, name: str, dtype: np.dtype[Any]) -> PagedColumn:
        column = PagedColumn(self._path / f"{name}.arrow", dtype, self._pairs.rows)
        self._files.callback(column.close)
        return column

    def _end(self, xs: Array) -> Any:
        """The last x of the table, if it is near at hand."""
        pieces = self._pairs.pieces
        if not self._ordered or xs.dtype.kind != "f" or pieces[-1][1] > _LAST:
            return None
        last = None
        for batch in self._pairs.read(len(pieces) - 1, self._crew.cancel):
            values, known = numbers_of(*batch.x)
            last = values[-1].item() if len(values) and (known is None or known[-1]) else None
        return last

    def _finish(self) -> dict[str, Any]:
        starts = tree_starts(self._size)
        leaves = starts[1]
        values, places = np.empty((starts[-1], 2), self._y_type), np.empty((starts[-1], 2), np.uint32)
        values[:leaves], places[:leaves] = self._values[:leaves], self._places[:leaves]
        raise_tree(starts, values, places)
        whole = {"tree": values, "tree-places": places}
        if self._rule is None:
            if self._x is None:  # no rows at all
                self._keep_x()
            sides = np.array([[0, 1]])
            blocks = np.where(places == NOWHERE, 0, places.astype(np.int64) // LEAF)
            whole |= {"tree-x": self._tree_x[blocks, sides], "x-fences": self._fences[: -(-self._size // PITCH)]}
        edges = self.gaps.finish(self._size)
        self._y.finish(self._size)
        x_sum = 0 if self._x is None else self._x.finish(self._size)
        if self._rows is not None:
            self._rows.finish(self._size)
        sums = {}
        for name, array in whole.items():
            flat = np.ascontiguousarray(array).reshape(-1)
            write_column(self._path / f"{name}.arrow", flat)
            sums[name] = f"{checksum(flat):016x}"
        if edges:
            sums["gap-fences"] = f"{checksum(self.gaps.fences):016x}"
        return {
            "size": self._size,
            "x": self._x_type.str,
            "y": self._y_type.str,
            "rule": rule_facts(self._rule),
            "x_sum": f"{x_sum:016x}",
            "edges": edges,
            "numbered": self._rows is not None,
            "sorted": self._ordered,
            "sums": sums,
        }
