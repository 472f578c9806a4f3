"""Rows into their buckets: read in rounds, dealt in memory, and each bucket's part of a round written to its place.

A round is as many rows as fit its memory. Its rows are dealt by a counting sort, so a bucket's part is one run and
one write (at 10^9 rows 140 KB of keys, 70 KB of row numbers), and rows stay in row order within their bucket.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from bigviz.common.jit import frozen, jit
from bigviz.common.workers import SLICE, Crew
from bigviz.tiles.grid.batches import Batch, Streamed
from bigviz.tiles.morton.keys import Derived, encode
from bigviz.tiles.store.files.column_file import ColumnFile
from bigviz.tiles.store.files.journal import Journal
from bigviz.tiles.store.files.unordered_digest import digests
from bigviz.tiles.store.order.plan import Payload, Plan

__all__ = ["Dealt", "Files", "partition", "spill_dtype"]

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]

ROUND_BYTES: Final = 400 << 20  # memory of a round
_PARTS: Final = 16  # of the buckets, for threads to write


@dataclass(frozen=True)
class Files:
    """The columns that are being written, all in the same order: keys, row numbers, and what goes along."""

    keys: ColumnFile
    rows: ColumnFile
    payloads: tuple[tuple[Payload, ColumnFile], ...]

    @property
    def all(self) -> tuple[ColumnFile, ...]:
        """Every file."""
        return self.keys, self.rows, *(file for _, file in self.payloads)


@dataclass
class Dealt:
    """How far the partition is.

    `row` is the next row; `fill` the rows in each bucket so far, `digests` their digests, (files but row numbers,
    buckets). `runs[a][r]` are the bounds, by bucket, of round r's exceptions of axis a in its spill file.
    """

    row: int
    fill: Ints
    digests: npt.NDArray[np.uint64]
    runs: list[list[Ints]] = field(default_factory=lambda: [[], []])

    @classmethod
    def read(cls, journal: Journal, buckets: int, files: int, spills: Sequence[int]) -> Dealt:
        """What a journal of `words(...)` says."""
        dealt = cls(0, np.zeros(buckets, np.int64), np.zeros((files, buckets), np.uint64))
        for record in journal.records:
            dealt.row = int(record[0])
            dealt.fill = record[1 : 1 + buckets].astype(np.int64)
            at = 1 + buckets + files * buckets
            dealt.digests = record[1 + buckets : at].reshape(files, buckets).copy()
            for which in spills:
                dealt.runs[which].append(record[at : at + buckets + 1].astype(np.int64))
                at += buckets + 1
        return dealt

    @staticmethod
    def words(buckets: int, files: int, spills: int) -> int:
        """The length of a record."""
        return 1 + buckets + files * buckets + spills * (buckets + 1)


def spill_dtype(rule: Derived) -> np.dtype[Any]:
    """An exception: a row whose number is not what its key gives back."""
    return np.dtype([("key", "<u8"), ("row", "<u4"), ("value", rule.dtype.newbyteorder("<"))])


def partition(source: Streamed, plan: Plan, files: Files, folder: Path, crew: Crew) -> Dealt:
    """Write every row inside the roots to its bucket, `plan.room` rows after its place in the order.

    Goes on where a killed process stopped. Memory: about `ROUND_BYTES` and a batch a thread.
    """
    spills = [which for which, rule in enumerate(plan.axes) if rule is not None]
    buckets, kept = len(plan.buckets.rows), 1 + len(files.payloads)
    journal = Journal(folder / "partition.journal", Dealt.words(buckets, kept, len(spills)))
    dealt = Dealt.read(journal, buckets, kept, spills)
    rounds = _Rounds(source, plan, files, folder, dealt, crew)
    for work in rounds.ahead():
        rounds.run(work)
        runs = [dealt.runs[which][-1] for which in spills]
        journal.append(dealt.row, dealt.fill, dealt.digests, *runs)
    return dealt


class _Rounds:
    """The arrays of a round, used again by the next one."""

    def __init__(self, source: Streamed, plan: Plan, files: Files, folder: Path, dealt: Dealt, crew: Crew) -> None:
        self.source, self.plan, self.files, self.folder, self.dealt = source, plan, files, folder, dealt
        self.crew = crew
        dtypes: list[np.dtype[Any]] = [file.dtype for file in files.all]
        wide = 2 * sum(dtype.itemsize for dtype in dtypes) + 8
        self.most = max(SLICE, min(ROUND_BYTES // wide, source.rows))
        self.packed = [np.empty(self.most, dtype) for dtype in dtypes]
        self.sorted = [np.empty(self.most, dtype) for dtype in dtypes]
        self.buckets = np.empty(self.most, np.uint32)
        self.places = np.empty(self.most if files.payloads else 0, np.uint32)
        self.starts = plan.buckets.starts
        self.first = 0
        self.parts: dict[int, tuple[int, Ints]] = {}  # by their place in the round: rows, and rows by bucket
        self.spilled: list[dict[int, Array]] = [{}, {}]
        self._lock = threading.Lock()

    def ahead(self) -> Iterator[list[int | Batch]]:
        """The rounds that are left: pieces to read, or batches of a piece that is longer than a round."""
        group: list[int | Batch] = []
        begun = 0  # the group's first row
        for number, (first, count) in enumerate(self.source.pieces):
            if first + count <= self.dealt.row:
                continue
            if group and first + count - begun > self.most:
                yield group
                group = []
            if count <= self.most:
                begun = begun if group else first
                group.append(number)
            else:
                yield from self._cut(number)
        if group:
            yield group

    def _cut(self, number: int) -> Iterator[list[int | Batch]]:
        batches: list[int | Batch] = []
        begun = 0
        for batch in self.crew.paced(self.source.read(number, self.crew.cancel)):
            if batch.first + batch.rows <= self.dealt.row:
                continue
            if batches and batch.first + batch.rows - begun > self.most:
                yield batches
                batches = []
            begun = begun if batches else batch.first
            batches.append(batch)
        if batches:
            yield batches

    def run(self, work: list[int | Batch]) -> None:
        """Deal a round and write it."""
        pieces = self.source.pieces
        head, tail = work[0], work[-1]
        self.first = head.first if isinstance(head, Batch) else pieces[head][0]
        end = tail.first + tail.rows if isinstance(tail, Batch) else sum(pieces[tail])
        self.parts.clear()
        rows = self.source.rows
        share = (end - self.first) / max(rows, 1)
        crew = self.crew.within("", self.first / max(rows, 1), self.first / max(rows, 1) + share, rows)

        def read(item: int | Batch) -> int:
            batches = [item] if isinstance(item, Batch) else self.source.read(item, crew.cancel)
            return sum(self._pack(batch) for batch in crew.paced(batches))

        crew.within("", 0.0, 0.4, rows).run("reading", read, work, end - self.first)
        order = sorted(self.parts)
        counts = np.array([self.parts[at][1] for at in order]).reshape(len(order), len(self.starts) - 1)
        places = (np.cumsum(counts.T.reshape(-1)).reshape(counts.T.shape) - counts.T).T

        def deal(k: int) -> int:
            return self._deal(order[k], self.parts[order[k]][0], places[k].copy())

        crew.within("", 0.4, 0.7, rows).run("dealing", deal, range(len(order)), end - self.first)
        totals: Ints = counts.sum(axis=0)
        self._write(totals, crew.within("", 0.7, 1.0, rows))
        self._spill(order)
        self.dealt.fill += totals
        self.dealt.row = end

    def _pack(self, batch: Batch) -> int:
        """Find keys, buckets and exceptions of a batch, and pack its rows inside at its place in the round."""
        at = batch.first - self.first
        if at < 0 or at + batch.rows > self.most:  # kernels do not check bounds
            raise ValueError(f"rows {batch.first:,} and on, {batch.rows:,} of them, are not of this round")
        keys, rows, *others = (array[at : at + batch.rows] for array in self.packed)
        found, _ = encode(batch, (self.plan.survey.x, self.plan.survey.y), keys, rows)
        keys, rows = keys[:found], rows[:found]
        all_inside = found == batch.rows
        kept = slice(None) if all_inside else rows - np.uint32(batch.first)
        for (payload, _), out in zip(self.files.payloads, others, strict=True):
            out[:found] = payload.of(batch.columns[payload.column])[kept]
        counts = np.zeros(len(self.starts) - 1, np.int64)
        self.plan.buckets.place(keys, self.buckets[at : at + found], counts)
        for which, rule in enumerate(self.plan.axes):
            if rule is not None:
                values = (batch.x, batch.y)[which][0][kept]
                where = rule.exceptions(keys, values)
                entries = np.empty(len(where), spill_dtype(rule))
                entries["key"], entries["row"], entries["value"] = keys[where], rows[where], values[where]
                self.spilled[which][at] = entries
        with self._lock:
            self.parts[at] = found, counts
        return batch.rows

    def _deal(self, at: int, count: int, places: Ints) -> int:
        keys, rows, *others = (array[at : at + count] for array in self.packed)
        buckets, noted = self.buckets[at : at + count], self.places[at : at + count]
        _deal(frozen(keys), frozen(rows), frozen(buckets), places, self.sorted[0], self.sorted[1], noted)
        for values, out in zip(others, self.sorted[2:], strict=True):
            word = f"u{values.itemsize}"
            _put(frozen(values).view(word), frozen(noted), out.view(word))
        return count

    def _write(self, totals: Ints, crew: Crew) -> None:
        """Append each round's run to its bucket, and take its digest."""
        bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(totals)])
        keys, rows, *others = self.sorted
        places = self.starts[:-1] + self.dealt.fill + self.plan.room
        files = list(zip(self.files.all, self.sorted, strict=True))

        def write(part: int) -> int:
            low, high = (len(totals) * k // _PARTS for k in (part, part + 1))
            for bucket in (np.flatnonzero(totals[low:high]) + low).tolist():
                start, stop, place = int(bounds[bucket]), int(bounds[bucket + 1]), int(places[bucket])
                for file, values in files:
                    file.write(place, values[start:stop])
            for number, values in enumerate((keys, *others)):
                self.dealt.digests[number, low:high] += digests(values, rows, bounds[low : high + 1])
            return int(totals[low:high].sum())

        crew.run("writing", write, range(_PARTS), int(totals.sum()))

    def _spill(self, order: list[int]) -> None:
        """Write the round's exceptions, by bucket and in row order within it."""
        for which, rule in enumerate(self.plan.axes):
            if rule is None:
                continue
            entries = np.concatenate([self.spilled[which][at] for at in order])
            owners, counts = np.empty(len(entries), np.uint32), np.zeros(len(self.starts) - 1, np.int64)
            self.plan.buckets.place(np.ascontiguousarray(entries["key"]), owners, counts)
            entries = entries[np.argsort(owners, kind="stable")]
            runs = self.dealt.runs[which]
            start = int(runs[-1][-1]) if runs else 0
            _append(self.folder / f"{'xy'[which]}.spill", entries, start)
            runs.append(start + np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]))
            self.spilled[which].clear()


def _append(path: Path, entries: Array, start: int) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600), "wb") as file:
        file.seek(start * entries.itemsize)
        file.write(entries.tobytes())


@jit
def _deal(keys: Array, rows: Array, buckets: Array, at: Array, out_keys: Array, out_rows: Array, noted: Array) -> None:
    """Move rows to the next places of their buckets; where to is noted if there is room for it."""
    for k in range(keys.size):
        place = at[buckets[k]]
        at[buckets[k]] = place + 1
        out_keys[place] = keys[k]
        out_rows[place] = rows[k]
        if noted.size > 0:
            noted[k] = place


@jit
def _put(values: Array, places: Array, out: Array) -> None:
    for k in range(values.size):
        out[places[k]] = values[k]
