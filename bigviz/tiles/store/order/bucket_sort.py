"""Buckets into order: each is read, sorted in memory, and written some way before where it was.

Rows lie `plan.room` rows after their places in the order, so what a sorted unit overwrites are units sorted before it:
a process that is killed at any moment has lost nothing. The journal is a byte for each unit, set once all of it is
written and before anything that it frees is overwritten.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from bigviz.common.cancel import Cancel
from bigviz.common.jit import frozen, jit
from bigviz.common.workers import Crew
from bigviz.tiles.morton.radix_sort import sort_in_cache
from bigviz.tiles.store.files.column_file import ColumnFile
from bigviz.tiles.store.order.partition import Dealt, Files, spill_dtype
from bigviz.tiles.store.order.plan import Plan

__all__ = ["Exceptions", "sort_buckets"]

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Exceptions:
    """The files of an axis's exceptions in order: positions (uint32) and values; and the spill they come from."""

    which: int
    places: ColumnFile
    values: ColumnFile
    spill: Path


def sort_buckets(
    plan: Plan, dealt: Dealt, files: Files, exceptions: Sequence[Exceptions], folder: Path, crew: Crew
) -> None:
    """Sort every unit that is not yet, and write its exceptions. Memory: 40 bytes a row of a unit, for each thread."""
    with _Units(folder / "sorted.journal", plan) as units:
        sorter = _Sorter(plan, dealt, files, exceptions, units, crew.cancel)
        crew.run("sorting", sorter.sort, range(len(units.owners)), plan.survey.inside)


class _Units:
    """What is sorted at a time, and which of it is done."""

    def __init__(self, path: Path, plan: Plan) -> None:
        self.bounds, self.owners = plan.units
        self.freed_from = np.searchsorted(self.bounds[:-1] + plan.room, self.bounds[1:])  # units before it must be done
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        marks = np.frombuffer(os.pread(self._descriptor, len(self.owners), 0), np.uint8)
        self.done = np.zeros(len(self.owners), np.bool_)
        self.done[: len(marks)] = marks == 1
        self._change = threading.Condition()
        self._failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self._descriptor)

    def mark(self, unit: int) -> None:
        """Note that a unit is written."""
        os.pwrite(self._descriptor, b"\1", unit)
        with self._change:
            self.done[unit] = True
            self._change.notify_all()

    def fail(self) -> None:
        """Wake those that wait for what will not be done."""
        with self._change:
            self._failed = True
            self._change.notify_all()

    def wait(self, unit: int, cancel: Cancel) -> bool:
        """Wait until a unit's place is free; False if another one failed."""
        before = int(self.freed_from[unit])
        with self._change:
            while not self._change.wait_for(lambda: self._failed or bool(self.done[:before].all()), 0.05):
                cancel.check()
            return not self._failed


class _Held(NamedTuple):
    """A thread's memory: for keys, their order, and the numbers of one file at a time before and after sorting."""

    keys: Array
    spare_keys: Array
    order: Array
    spare: Array
    spaces: tuple[Array, Array]


class _Sorter:
    def __init__(
        self,
        plan: Plan,
        dealt: Dealt,
        files: Files,
        exceptions: Sequence[Exceptions],
        units: _Units,
        cancel: Cancel,
    ) -> None:
        self.plan, self.dealt, self.files, self.exceptions, self.units = plan, dealt, files, exceptions, units
        self.cancel = cancel
        self.longest = int(np.diff(units.bounds).max(initial=0))
        self.single = plan.buckets.single
        self._held = threading.local()

    def sort(self, unit: int) -> int:
        """Sort a unit; its rows."""
        start, stop = int(self.units.bounds[unit]), int(self.units.bounds[unit + 1])
        if self.units.done[unit]:
            return stop - start
        try:
            held = self._arrays(stop - start)
            keys, rows, order = self._sorted(unit, start, held)
            if self.units.wait(unit, self.cancel):
                self.files.keys.write(start, keys)
                self.files.rows.write(start, rows)
                for each in self.exceptions:
                    self._write_exceptions(each, unit, keys, rows)
                for _, file in self.files.payloads:
                    file.write(start, self._moved(file, start, order, held))
                self.units.mark(unit)
            return stop - start
        except BaseException:
            self.units.fail()
            raise

    def _sorted(self, unit: int, start: int, held: _Held) -> tuple[Array, Array, Array | None]:
        """A unit's keys and row numbers in order, and where in the unit each comes from (None: from where it is)."""
        keys = held.keys
        self.files.keys.read(start + self.plan.room, keys)
        if self.single[self.units.owners[unit]]:
            return keys, self._moved(self.files.rows, start, None, held), None
        if not self.files.payloads:
            rows = self._moved(self.files.rows, start, None, held)
            sort_in_cache(keys, rows, held.spare_keys, held.spare)
            return keys, rows, None
        order = held.order
        order[:] = np.arange(len(order), dtype=np.uint32)
        sort_in_cache(keys, order, held.spare_keys, held.spare)
        return keys, self._moved(self.files.rows, start, order, held), order

    def _moved(self, file: ColumnFile, start: int, order: Array | None, held: _Held) -> Array:
        """A unit's numbers of a file, in order; valid until the next call."""
        values, out = (space[: len(held.keys) * file.dtype.itemsize].view(file.dtype) for space in held.spaces)
        file.read(start + self.plan.room, values)
        return values if order is None else np.take(values, order, out=out, mode="clip")

    def _arrays(self, rows: int) -> _Held:
        """Memory of this thread, for so many rows."""
        if not hasattr(self._held, "whole"):
            widest = max(file.dtype.itemsize for file in self.files.all)
            self._held.whole = _Held(
                np.empty(self.longest, np.uint64),
                np.empty(self.longest, np.uint64),
                np.empty(self.longest, np.uint32),
                np.empty(self.longest, np.uint32),
                (np.empty(self.longest * widest, np.uint8), np.empty(self.longest * widest, np.uint8)),
            )
        whole: _Held = self._held.whole
        return _Held(whole.keys[:rows], whole.spare_keys[:rows], whole.order[:rows], whole.spare[:rows], whole.spaces)

    def _write_exceptions(self, each: Exceptions, unit: int, keys: Array, rows: Array) -> None:
        bucket = int(self.units.owners[unit])
        runs = self.dealt.runs[each.which]
        at = sum(int(run[bucket] - run[0]) for run in runs)  # exceptions in the buckets before it
        entries = self._entries(each, bucket)
        if self.single[bucket]:  # one of several units: rows in row order
            low, high = np.searchsorted(entries["row"], [rows[0], rows[-1]], side="left")
            high += int(high < len(entries) and entries["row"][high] == rows[-1])
            at, entries = at + int(low), entries[low:high]
        if len(entries) == 0:
            return
        places = np.empty(len(entries), np.uint32)
        names = [np.ascontiguousarray(entries[name]) for name in ("key", "row", "value")]
        _find(frozen(keys), frozen(rows), frozen(names[0]), frozen(names[1]), places)
        order = np.argsort(places)
        each.places.write(at, places[order] + np.uint32(self.units.bounds[unit]))
        each.values.write(at, names[2][order])

    def _entries(self, each: Exceptions, bucket: int) -> Array:
        """A bucket's exceptions, in row order."""
        rule = self.plan.axes[each.which]
        if rule is None:
            raise ValueError("an axis that is kept has no exceptions")
        dtype = spill_dtype(rule)
        parts = [b""]
        with open(each.spill, "rb", buffering=0) as file:
            for run in self.dealt.runs[each.which]:
                low, high = int(run[bucket]), int(run[bucket + 1])
                if low < high:
                    parts.append(os.pread(file.fileno(), (high - low) * dtype.itemsize, low * dtype.itemsize))
        return np.frombuffer(b"".join(parts), dtype)


@jit
def _find(keys: Array, rows: Array, wanted_keys: Array, wanted_rows: Array, places: Array) -> None:
    """The place of each (key, row) pair in sorted pairs that hold it."""
    for k in range(wanted_keys.size):
        low = 0
        high = keys.size
        while low < high:
            middle = (low + high) >> 1
            if keys[middle] < wanted_keys[k] or (keys[middle] == wanted_keys[k] and rows[middle] < wanted_rows[k]):
                low = middle + 1
            else:
                high = middle
        places[k] = low
