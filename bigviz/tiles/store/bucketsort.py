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
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.jit import frozen, jit
from bigviz.data.cancel import Cancel
from bigviz.tiles.sort import sort_in_cache
from bigviz.tiles.store.columnfile import ColumnFile
from bigviz.tiles.store.partition import Dealt, Files, spill_dtype
from bigviz.tiles.store.plan import Plan
from bigviz.tiles.work import Crew

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
    """Sort every unit that is not yet, and write its exceptions. Memory: two units a thread."""
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
        """Let nobody wait for what will not be done."""
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
            arrays = self._sorted(unit, start, stop)
            if self.units.wait(unit, self.cancel):
                for file, values in zip(self.files.all, arrays, strict=True):
                    file.write(start, values)
                for each in self.exceptions:
                    self._write_exceptions(each, unit, arrays[0], arrays[1])
                self.units.mark(unit)
            return stop - start
        except BaseException:
            self.units.fail()
            raise

    def _sorted(self, unit: int, start: int, stop: int) -> list[Array]:
        """A unit's keys, row numbers and payloads in order; in arrays that this thread uses again."""
        read, spare = self._arrays(stop - start)
        for file, out in zip(self.files.all, read, strict=True):
            file.read(start + self.plan.room, out)
        if self.single[self.units.owners[unit]]:
            return read
        if len(read) == 2:
            sort_in_cache(read[0], read[1], spare[0], spare[1])
            return read
        order = np.arange(stop - start, dtype=np.uint32)
        sort_in_cache(read[0], order, spare[0], np.empty(stop - start, np.uint32))
        for values, out in zip(read[1:], spare[1:], strict=True):
            np.take(values, order, out=out, mode="clip")
        return [read[0], *spare[1:]]

    def _arrays(self, rows: int) -> tuple[list[Array], list[Array]]:
        if not hasattr(self._held, "arrays"):
            self._held.arrays = [[np.empty(self.longest, file.dtype) for file in self.files.all] for _ in range(2)]
        read, spare = ([array[:rows] for array in arrays] for arrays in self._held.arrays)
        return read, spare

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
