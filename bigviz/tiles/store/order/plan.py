"""What is determined before rows are put in order: roots, far rows, buckets, and how axes are kept."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.dyadic_cells import Root
from bigviz.common.workers import SLICE, Crew
from bigviz.data.columns.column import Column
from bigviz.data.columns.numbers import axis_dtype
from bigviz.tiles.grid.batches import Batch, Streamed
from bigviz.tiles.grid.survey import Far, Survey, survey_pairs
from bigviz.tiles.morton.keys import Derived, derived, encode
from bigviz.tiles.store.files.manifest import write_aside
from bigviz.tiles.store.files.survey_json import survey_facts, survey_of
from bigviz.tiles.store.order.buckets import FULL, Buckets, Level, find_buckets

__all__ = ["Payload", "Plan", "axis_payload", "column_payloads", "load_plan", "make_plan", "save_plan"]

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]
RARE: Final = 16  # an axis is derived from the keys if at most one row in so many is an exception
_NARROW: Final = 127  # labels whose codes fit int8
_ROOM: Final = 4  # units between where rows are sorted to and where they are sorted from


@dataclass(frozen=True)
class Payload:
    """A file of numbers in order: from column `column` of each batch, its values, validity or codes of labels."""

    name: str
    column: int
    part: Literal["values", "valid", "codes"]
    dtype: np.dtype[Any]

    def of(self, column: Column) -> Array:
        """The numbers of some rows."""
        if self.part == "values":
            return column.values
        if self.part == "valid":
            return np.ones(len(column), np.uint8) if column.valid is None else column.valid.view(np.uint8)
        codes = column.values.astype(self.dtype)
        return codes if column.valid is None else np.where(column.valid, codes, self.dtype.type(-1))


@dataclass(frozen=True)
class Plan:
    """`far` are the far rows and `far_numbers` their numbers, (x, y); `axes` how each axis follows from the keys, or
    None where its numbers are kept."""

    survey: Survey
    buckets: Buckets
    far: Ints
    far_numbers: tuple[Array, Array]
    axes: tuple[Derived | None, Derived | None]

    @cached_property
    def units(self) -> tuple[Ints, Ints]:
        """The bounds of what is sorted at a time, and the bucket of each: buckets, but piles of one key in parts."""
        starts, single = self.buckets.starts, self.buckets.single
        bounds, owners = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for bucket in range(len(self.buckets.rows)):
            start, stop = int(starts[bucket]), int(starts[bucket + 1])
            cuts = np.arange(start, stop, FULL) if single[bucket] else np.array([start] if stop > start else [])
            bounds.append(cuts.astype(np.int64))
            owners.append(np.full(len(cuts), bucket))
        return np.append(np.concatenate(bounds), starts[-1]), np.concatenate(owners)

    @cached_property
    def room(self) -> int:
        """Rows between where rows are sorted to and where they are sorted from, at least a unit."""
        return _ROOM * int(np.diff(self.units[0]).max(initial=0))


def make_plan(source: Streamed, far: Far, crew: Crew) -> Plan:
    """Read the rows twice (more often if they are skewed or some are far)."""
    rows = source.rows
    found = survey_pairs(source, far, crew.within("", 0.0, 0.3, rows))
    roots = (found.x, found.y)
    rules = [_rule(source, which, roots[which]) for which in (0, 1)]
    counting = _Counting(source, roots, rules, crew.within("", 0.3, 1.0, rows))
    buckets = find_buckets(counting.count)
    few = [exceptions * RARE <= found.inside for exceptions in counting.exceptions]
    axes = [rule if kept else None for rule, kept in zip(rules, few, strict=True)]
    lost = [counting.far[first] for first in sorted(counting.far)]
    far_rows = np.concatenate([np.empty(0, np.int64), *(each[0] for each in lost)])
    dtypes = [_axis_dtype(source, which) for which in (0, 1)]
    numbers = [np.concatenate([np.empty(0, dtypes[k]), *(each[1][k] for each in lost)]) for k in (0, 1)]
    return Plan(found, buckets, far_rows, (numbers[0], numbers[1]), (axes[0], axes[1]))


class _Counting:
    """Readings of all rows that count keys; the first one counts exceptions and collects far rows as well."""

    def __init__(self, source: Streamed, roots: tuple[Root, Root], rules: Sequence[Derived | None], crew: Crew) -> None:
        self.exceptions = [0, 0]
        self.far: dict[int, tuple[Ints, tuple[Array, Array]]] = {}  # by first row of their batch
        self._source, self._roots, self._rules, self._crew = source, roots, rules, crew
        self._lock = threading.Lock()

    def count(self, level: Level) -> npt.NDArray[np.uint32]:
        """The counts of all rows at a level."""
        idle: list[tuple[Array, Array, Array]] = []  # a set for each thread

        def look(piece: int) -> int:
            with self._lock:
                mine = idle.pop() if idle else None
            counts, keys, rows = mine or (level.zeros(), np.empty(SLICE, np.uint64), np.empty(SLICE, np.uint32))
            for batch in self._crew.paced(self._source.read(piece, self._crew.cancel)):
                found, far = encode(batch, self._roots, keys, rows)
                level.count(keys[:found], counts)
                if level.depth == 0:
                    self._note(batch, keys[:found], rows[:found], far)
            with self._lock:
                idle.append((counts, keys, rows))
            return self._source.pieces[piece][1]

        self._crew.run("counting cells", look, range(len(self._source.pieces)), self._source.rows)
        total = idle[0][0] if idle else level.zeros()
        for counts, _, _ in idle[1:]:
            total += counts
        return total

    def _note(self, batch: Batch, keys: Array, rows: Array, far: Ints) -> None:
        exceptions = [0, 0]
        for which, rule in enumerate(self._rules):
            if rule is not None:
                values = (batch.x, batch.y)[which][0]
                held = values if len(rows) == batch.rows else values[rows - np.uint32(batch.first)]
                exceptions[which] = len(rule.exceptions(keys, held))
        with self._lock:
            for which in (0, 1):
                self.exceptions[which] += exceptions[which]
            if len(far):
                self.far[batch.first] = far, (batch.x[0][far - batch.first], batch.y[0][far - batch.first])


def axis_payload(source: Streamed, plan: Plan, which: int) -> Payload | None:
    """The file of an axis that is not derived."""
    if plan.axes[which] is not None:
        return None
    return Payload("xy"[which], which, "values", axis_dtype(source.dataset.info(source.names[which]).type))


def column_payloads(source: Streamed, number: int, labels: int | None) -> list[Payload]:
    """The files of column `number` of those that come along; `labels` is how many a category has."""
    info, at, name = source.dataset.info(source.others[number]), 2 + number, f"c{number}"
    if labels is not None:
        return [Payload(f"{name}-codes", at, "codes", np.dtype(np.int8 if labels <= _NARROW else np.int32))]
    values = [Payload(f"{name}-values", at, "values", axis_dtype(info.type))]
    return values if info.kind == "float" else [*values, Payload(f"{name}-valid", at, "valid", np.dtype(np.uint8))]


def _axis_dtype(source: Streamed, which: int) -> np.dtype[Any]:
    """The dtype of an axis's numbers."""
    own = axis_dtype(source.dataset.info(source.names[which]).type)
    if source.spaces[which].forward is not None:
        return np.dtype(np.float64)
    return own if own.kind == "f" or own.itemsize == 8 else np.dtype(np.int64)


def _rule(source: Streamed, which: int, root: Root) -> Derived | None:
    kept = source.spaces[which].forward is None
    return derived(which, root, _axis_dtype(source, which)) if kept else None


def save_plan(path: Path, plan: Plan) -> None:
    """Write a plan, so that a build that goes on need not read the rows again."""
    held = io.BytesIO()
    kept = [rule is not None for rule in plan.axes]
    text = json.dumps({"survey": survey_facts(plan.survey), "derived": kept})
    np.savez(
        held,
        first=plan.buckets.first,
        finer=plan.buckets.finer,
        rows=plan.buckets.rows,
        far=plan.far,
        far_x=plan.far_numbers[0],
        far_y=plan.far_numbers[1],
        facts=np.frombuffer(text.encode(), np.uint8),
    )
    write_aside(path, held.getvalue())


def load_plan(path: Path, source: Streamed) -> Plan | None:
    """The plan that was written; None without one."""
    try:
        with np.load(path) as held:
            facts = json.loads(held["facts"].tobytes())
            buckets = Buckets(held["first"], held["finer"], held["rows"])
            far, numbers = held["far"], (held["far_x"], held["far_y"])
    except (OSError, ValueError, LookupError, zipfile.BadZipFile):
        return None
    survey = survey_of(facts["survey"])
    rules = [_rule(source, which, (survey.x, survey.y)[which]) for which in (0, 1)]
    axes = [rule if kept else None for rule, kept in zip(rules, facts["derived"], strict=True)]
    return Plan(survey, buckets, far, numbers, (axes[0], axes[1]))
