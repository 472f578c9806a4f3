"""A worker's side: which of its rows lie in a region, what their numbers come to, and their values."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bigviz.tiles.answers.layer_answers import LayerAnswers
from bigviz.tiles.cluster.messages import Answer, packed
from bigviz.tiles.cluster.question import Question
from bigviz.tiles.cluster.selections.regions import region_of
from bigviz.tiles.engine import Engine
from bigviz.tiles.selection.first_rows import first_rows
from bigviz.tiles.selection.quantiles import Passes, Window
from bigviz.tiles.selection.selection import ChosenRows, pieces

__all__ = ["PartSelections"]

Array = npt.NDArray[Any]

_KEPT: Final = 8  # selections whose rows are kept between questions: 16 bytes a run of rows each
_READ: Final = 2  # of these, whose numbers are too: up to 24 bytes a row
_MESSAGE: Final = 16 << 20  # bytes of values, from which on a message is sent


@dataclass
class _Found:
    """Rows of a layer as it was built, and the numbers that passes are made over: those of one column at a time."""

    built: LayerAnswers
    rows: ChosenRows
    numbers: tuple[object, Passes] | None = None


class PartSelections:
    """Safe to use from any number of threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: OrderedDict[object, _Found] = OrderedDict()
        self._lock = Lock()

    @property
    def questions(self) -> dict[str, Callable[[Question], Answer]]:
        """What is answered here, by the names of questions."""
        return {
            "select": self._count,
            "ends": self._ends,
            "survey": self._survey,
            "collected": self._collected,
            "histograms": self._histograms,
            "within": self._within,
            "label_counts": self._label_counts,
            "numbers": self._numbers,
            "values": self._values,
            "first": self._first,
        }

    def forget(self, fingerprint: str) -> None:
        """Drop what is kept of a part."""
        with self._lock:
            for key in [key for key, each in self._kept.items() if each.rows.dataset.fingerprint == fingerprint]:
                del self._kept[key]

    def let_go(self) -> None:
        """Drop what is kept of layers that the engine has dropped: it holds their memory."""
        with self._lock:
            for key in [key for key, each in self._kept.items() if not self._engine.holds(each.built)]:
                del self._kept[key]

    @contextmanager
    def _found(self, asked: Question) -> Iterator[_Found]:
        """The rows that a question is of, for one answer."""
        part, crew = asked.part, asked.crew
        key = part.fingerprint, json.dumps([asked.head["layer"], asked.head["region"]], sort_keys=True)
        layer = asked.layer
        with self._engine.answering(part, layer, crew.cancel) as built:
            with self._lock:
                found = self._kept.pop(key, None)
            if found is None or found.built is not built:
                chosen = built.select(part, layer.bound(part), region_of(asked.head["region"]), crew)
                found = _Found(built, ChosenRows(part, chosen))
            with self._lock:
                self._kept[key] = found
                if len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            yield found

    @contextmanager
    def _passes(self, asked: Question) -> Iterator[Passes]:
        """The numbers that a question is of. They are read for all questions of one `round`."""
        head = asked.head
        name, by = head["column"], head["by"]
        with self._found(asked) as found:
            key = head["round"], name, by
            known = found.numbers
            if known is not None and known[0] == key:
                yield known[1]
                return
            labels = () if by is None else asked.part.labels(by, asked.crew.cancel)
            passes = found.rows.passes(name, by, labels, asked.crew)
            with self._lock:
                found.numbers = key, passes
                for each in [each for each in self._kept.values() if each.numbers is not None][:-_READ]:
                    each.numbers = None
            yield passes

    def _count(self, asked: Question) -> Answer:
        with self._found(asked) as found:
            return Answer({"count": found.rows.count})

    def _ends(self, asked: Question) -> Answer:
        with self._passes(asked) as passes:
            return Answer({"ends": passes.ends(asked.crew)})

    def _survey(self, asked: Question) -> Answer:
        with self._passes(asked) as passes:
            found = passes.survey(Window(*asked.head["window"]), asked.crew)
        tallies = [[each.count, each.total, each.least, each.most] for each in found.tallies]
        sums = [np.array(each.sums, np.float64) for each in found.tallies]
        facts, bodies = packed([*sums, *_sparse(found.bins)])
        return Answer({"tallies": tallies, "arrays": facts}, bodies)

    def _collected(self, asked: Question) -> Answer:
        window = Window(*asked.head["window"])
        with self._passes(asked) as passes:
            flags = np.zeros((passes.groups + 1) * (window.count + 1), np.uint8)
            flags[asked.head["flags"]] = 1
            found = passes.collected(window, flags.reshape(passes.groups + 1, -1), asked.crew)
        return _arrays(*found)

    def _histograms(self, asked: Question) -> Answer:
        head = asked.head
        windows = np.array(head["windows"], np.uint64)
        with self._passes(asked) as passes:
            found = passes.histograms(windows, head["shifts"], head["bins"], head["grouped"], asked.crew)
        return _arrays(*_sparse(found), shape=found.shape)

    def _within(self, asked: Question) -> Answer:
        head = asked.head
        windows, last = (np.array(head[name], np.uint64) for name in ("windows", "last"))
        with self._passes(asked) as passes:
            return _arrays(*passes.within(windows, last, head["grouped"], asked.crew))

    def _label_counts(self, asked: Question) -> Answer:
        by = asked.head["by"]
        with self._found(asked) as found:
            labels = asked.part.labels(by, asked.crew.cancel)
            return Answer({"counts": found.rows.label_counts(by, labels, asked.crew)})

    def _numbers(self, asked: Question) -> Answer:
        """The numbers of rows: those at some places, or the next ones from a number on."""
        head, offset = asked.head, asked.part.offset
        with self._found(asked) as found:
            if "places" in head:
                numbers = found.rows.row_set.between(*head["places"])
            else:
                numbers = _next(found.rows, head["start"] - offset, head["limit"])
        return _arrays(numbers + offset)

    def _values(self, asked: Question) -> Answer:
        """The values of the next rows from a number on, as many as one message holds, and the number to go on from."""
        head, part = asked.head, asked.part
        batches: list[pa.RecordBatch] = []
        with self._found(asked) as found:
            numbers = _next(found.rows, head["start"] - part.offset, head["limit"])
            if len(numbers):
                for batch in pieces(part, numbers, head["columns"], _MESSAGE):
                    batches.append(batch)
                    if sum(each.nbytes for each in batches) >= _MESSAGE:
                        break
                    asked.crew.look()
        if not batches:
            return Answer({"rows": 0})
        rows = sum(each.num_rows for each in batches)
        return Answer({"rows": rows, "next": int(numbers[rows - 1]) + 1 + part.offset}, (_stream(batches),))

    def _first(self, asked: Question) -> Answer:
        """The first rows by a column: their numbers, those with a value first, and the keys of these."""
        head, part = asked.head, asked.part
        with self._found(asked) as found:
            parts, name = found.rows.parts, head["column"]
            rows = first_rows(part, parts, name, head["limit"], head["descending"], asked.crew)
            return _arrays(rows.numbers + part.offset, rows.keys, count=found.rows.count)


def _arrays(*arrays: Array, **facts: Any) -> Answer:
    told, bodies = packed(arrays)
    return Answer({"arrays": told, **facts}, bodies)


def _next(rows: ChosenRows, start: int, limit: int) -> npt.NDArray[np.int64]:
    """The next numbers of a part's rows from one on."""
    return next(rows.row_set.batches(limit, max(start, 0)), np.empty(0, np.int64))


def _sparse(counts: Array) -> tuple[Array, Array]:
    """The places of what is not 0, and what is there, in as few bytes as they take."""
    flat = counts.reshape(-1)
    places = np.flatnonzero(flat)
    values = flat[places]
    kind = np.min_scalar_type(int(values.max())) if len(values) else np.dtype(np.uint8)
    return places.astype(np.uint32), values.astype(kind)


def _stream(batches: list[pa.RecordBatch]) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return bytes(sink.getvalue())
