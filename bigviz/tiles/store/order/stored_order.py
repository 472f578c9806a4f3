"""An order whose arrays are mapped files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bigviz.aggregate.axis import in_space
from bigviz.aggregate.spaces import space
from bigviz.common.errors import Unreadable
from bigviz.common.jit import frozen, jit
from bigviz.data.columns.column import widen
from bigviz.tiles.morton.keys import Derived
from bigviz.tiles.morton.order import Order, OrderedColumn
from bigviz.tiles.morton.quadtree import positions_of
from bigviz.tiles.morton.sorted_keys import SortedKeys
from bigviz.tiles.morton.verified_array import VerifiedArray
from bigviz.tiles.store.files.column_file import map_column
from bigviz.tiles.store.files.survey_json import survey_of
from bigviz.tiles.store.order.build import FACTS

__all__ = ["StoredOrder", "open_stored_order"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class _Kept:
    """An axis whose column is there, in the space that is shown."""

    values: VerifiedArray
    kind: str
    which: int

    def numbers(self, keys: VerifiedArray, positions: slice | Array) -> Array:
        """Axis-space numbers at positions."""
        return in_space(space(self.kind, "x" if self.which == 0 else "y"), widen(self.values.take(positions)), None)[0]

    def numbers_within(self, keys: VerifiedArray, low: Array, high: Array) -> Array:
        """The same at half-open ranges."""
        return self.numbers(keys, positions_of(low, high))


@dataclass(frozen=True)
class _Derived:
    """An axis whose numbers follow from the keys, but for a few."""

    rule: Derived
    places: VerifiedArray
    values: VerifiedArray

    def numbers(self, keys: VerifiedArray, positions: slice | Array) -> Array:
        """Axis-space numbers at positions."""
        out = self.rule.numbers(keys.take(positions))
        if isinstance(positions, slice):
            start, stop, step = positions.indices(len(keys))
            if step == 1:
                low, high = (self._first(bound) for bound in (start, stop))
                out[self.places.take(slice(low, high)) - np.uint32(start)] = self.values.take(slice(low, high))
                return out
            positions = np.arange(start, stop, step)
        if len(self.places) and len(out):
            self.places.open(np.zeros(1, np.int64), np.array([len(self.places)]))
            hits, at = np.empty(len(out), np.int64), np.empty(len(out), np.int64)
            count = _meet(self.places.array, frozen(np.asarray(positions, np.int64)), hits, at)
            out[hits[:count]] = self.values.take(at[:count])
        return out

    def numbers_within(self, keys: VerifiedArray, low: Array, high: Array) -> Array:
        """The same at half-open ranges."""
        out = self.rule.numbers_within(*keys.ranges(low, high))
        self.places.open(np.zeros(1, np.int64), np.array([len(self.places)]))
        places = self.places.array
        first, end = np.searchsorted(places, low.astype(np.uint32)), np.searchsorted(places, high.astype(np.uint32))
        values, *where = self.values.ranges(first, end)
        _put(places, values, frozen(where[0]), frozen(where[1]), frozen(low), frozen(high), out)
        return out

    def _first(self, position: int) -> int:
        """The first exception that is not before a position."""
        self.places.open(np.zeros(1, np.int64), np.array([len(self.places)]))
        return int(np.searchsorted(self.places.array, np.uint32(position)))


@dataclass(frozen=True)
class StoredOrder(Order):
    """An order in files: in memory are only fences, boxes, the far rows and a byte for each 64 KiB block."""

    path: Path
    axes: tuple[_Kept | _Derived, _Kept | _Derived] = field(repr=False)
    lost: tuple[VerifiedArray, VerifiedArray] = field(repr=False)
    columns: Mapping[str, OrderedColumn] = field(repr=False)

    @property
    def nbytes(self) -> int:
        held = [self.numbered, *(each for column in self.columns.values() for each in column[:3] if each is not None)]
        return int(self.guard.nbytes + self.far.nbytes + sum(each.nbytes for each in (*held, *self.loose)))

    def numbers(self, which: int, positions: slice | Array) -> Array:
        return self.axes[which].numbers(self.guard.keys, positions)

    def numbers_within(self, which: int, low: Array, high: Array) -> Array:
        return self.axes[which].numbers_within(self.guard.keys, low, high)

    def far_numbers(self, which: int) -> Array:
        return self.lost[which].take(slice(None))

    def column(self, name: str) -> OrderedColumn | None:
        return self.columns.get(name)


@jit
def _put(places: Array, values: Array, first: Array, end: Array, low: Array, high: Array, out: Array) -> None:
    """Write the exceptions `first` to `end` of each range over what its keys give."""
    at = 0
    for r in range(low.size):
        for k in range(first[r], end[r]):
            out[at + np.int64(places[k]) - low[r]] = values[k]
        at += high[r] - low[r]


@jit
def _meet(places: Array, positions: Array, hits: Array, at: Array) -> int:
    """Which `positions` are among the ascending `places`: the index in either goes to `hits` and `at`; how many.

    Positions mostly ascend, so a place is looked for by galloping on from the last one.
    """
    count, found, before = 0, 0, np.int64(-1)
    for k in range(positions.size):
        wanted = positions[k]
        if wanted < before:
            found = 0
        before = wanted
        if found < places.size and places[found] < wanted:
            step = 1
            while found + step < places.size and places[found + step] < wanted:
                found += step
                step <<= 1
            low, high = found + 1, min(found + step, places.size)
            while low < high:
                middle = (low + high) >> 1
                if places[middle] < wanted:
                    low = middle + 1
                else:
                    high = middle
            found = low
        if found < places.size and places[found] == wanted:
            hits[count] = k
            at[count] = found
            count += 1
    return count


def open_stored_order(path: Path) -> StoredOrder:
    """The order that `build_stored_order` wrote, mapped.

    A block of 64 KiB is verified before it is first used, and Unreadable names the file then. Raises Unreadable for a
    folder that holds something else.
    """
    try:
        facts = json.loads((path / FACTS).read_bytes())
        return _opened(path, facts)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise Unreadable(f"{path} holds no order: {error}.", got=str(path)) from error


def _opened(path: Path, facts: Mapping[str, Any]) -> StoredOrder:
    sums = map_column(path / "sums.arrow", np.dtype(np.uint64))

    def checked(name: str) -> VerifiedArray:
        known = facts["arrays"][name]
        start, count = known["sums"]
        file = path / f"{name}.arrow"
        mapped = map_column(file, np.dtype(known["dtype"]))
        if len(mapped) != known["rows"]:
            what = f"{file} is damaged: it says {len(mapped):,} rows instead of {known['rows']:,}."
            raise Unreadable(what, got=str(file))
        return VerifiedArray(mapped, sums[start : start + count], file)

    def axis(which: int) -> _Kept | _Derived:
        name = "xy"[which]
        rule = facts[name]
        if rule is None:
            return _Kept(checked(name), facts["spaces"][which], which)
        rule = Derived(**{**rule, "dtype": np.dtype(rule["dtype"]), "width": float.fromhex(rule["width"])})
        return _Derived(rule, checked(f"{name}-places"), checked(f"{name}-values"))

    def column(parts: Mapping[str, Any]) -> OrderedColumn:
        labels = parts.get("labels")
        files = {part: checked(parts[part]) for part in ("values", "valid", "codes") if part in parts}
        return OrderedColumn(**files, labels=None if labels is None else tuple(labels))

    fences = np.array(map_column(path / "fences.arrow", np.dtype(np.uint64)))
    return StoredOrder(
        survey_of(facts["survey"]),
        SortedKeys(checked("keys"), fences, checked("boxes").take(slice(None)).reshape(-1, 4)),
        checked("rows"),
        checked("far").take(slice(None)),
        path,
        (axis(0), axis(1)),
        (checked("far-x"), checked("far-y")),
        {name: column(parts) for name, parts in facts["columns"].items()},
    )
