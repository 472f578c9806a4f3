"""The tables that a worker has open, and the parts of them that it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.common.errors import Unreadable
from bigviz.data.columns.column import Unusable
from bigviz.data.dataset import Dataset
from bigviz.data.dataset_slice import DatasetSlice
from bigviz.data.formats.delimited.dialect import CsvOptions
from bigviz.data.open import open_files
from bigviz.data.sources.partitions import PartitionsSource, Span, spans_of
from bigviz.tiles.cluster.messages import Answer

__all__ = ["OpenedTables"]

Tables = dict[int, pa.Table]


class OpenedTables:
    """Safe to use from any number of threads."""

    def __init__(self) -> None:
        self._wholes: dict[str, Dataset] = {}
        self._parts: dict[tuple[str, int, int], DatasetSlice] = {}
        self._kept: dict[str, Tables] = {}  # the partitions of tables in memory that are here
        self._lock = Lock()

    def open(self, asked: Answer) -> None:
        """Open a table. Raises what opening it does, and Unreadable for other files than those of the server."""
        head = asked.head
        whole = self._of_partitions(asked) if "partitions" in head else _of_files(head)
        with self._lock:
            self._wholes[whole.fingerprint] = whole

    def keep(self, fingerprint: str, number: int, table: pa.Table) -> None:
        """Hold a partition of a table in memory."""
        with self._lock:
            self._kept.setdefault(fingerprint, {})[number] = table

    def part(self, fingerprint: str, first: int, stop: int) -> DatasetSlice | None:
        """A part of a table; None where it is not open, or some of its partitions are not here."""
        key = fingerprint, first, stop
        with self._lock:
            whole, found = self._wholes.get(fingerprint), self._parts.get(key)
            if found is not None or whole is None:
                return found
            if (
                isinstance(whole._source, PartitionsSource)
                and not set(range(first, stop)) <= self._kept.get(fingerprint, {}).keys()
            ):
                return None
            found = self._parts[key] = DatasetSlice(whole, first, stop)
            return found

    def forget(self, part: DatasetSlice) -> None:
        """Drop a part, and what no other one needs."""
        with self._lock:
            self._parts = {key: each for key, each in self._parts.items() if each is not part}
            held = {fingerprint for fingerprint, _, _ in self._parts}
            self._wholes = {fingerprint: each for fingerprint, each in self._wholes.items() if fingerprint in held}
            for fingerprint, tables in self._kept.items():
                spans = [range(first, stop) for name, first, stop in self._parts if name == fingerprint]
                for number in [each for each in tables if not any(each in span for span in spans)]:
                    del tables[number]
            self._kept = {fingerprint: tables for fingerprint, tables in self._kept.items() if tables}

    def _of_partitions(self, asked: Answer) -> Dataset:
        head = asked.head
        with pa.ipc.open_stream(asked.bodies[0]) as reader:
            schema = reader.schema
        with self._lock:
            tables = self._kept.setdefault(head["dataset"], {})
        partitions = [_Kept(tables, number, rows) for number, rows in enumerate(head["partitions"])]
        unusable = {int(at): Unusable(*reason) for at, reason in head["unusable"].items()}
        return Dataset(head["name"], PartitionsSource(partitions, schema, unusable, head["dataset"]))


@dataclass(frozen=True)
class _Kept:
    """A partition that may be here."""

    tables: Tables
    number: int
    rows: int

    def columns(self, indices: Sequence[int], spans: Sequence[Span], cancel: Cancel) -> pa.Table:
        return spans_of(self._table, indices, spans)

    def direct(self, index: int) -> pa.ChunkedArray | None:
        return self._table.column(index)

    @property
    def _table(self) -> pa.Table:
        table = self.tables.get(self.number)
        if table is None:
            raise Unreadable(f"Partition {self.number} is not held by this worker: try again.", "dataset")
        return table


def _of_files(head: Mapping[str, Any]) -> Dataset:
    origin = head["origin"]
    source = origin["paths"][0] if origin["single"] else origin["paths"]
    whole = open_files(source, head["name"], CsvOptions(origin["header"], origin["delimiter"]))
    if whole.fingerprint != head["dataset"]:
        raise Unreadable(
            f"A worker sees other files at {source} than the server: all need the same ones, by the same paths.",
            "dataset",
        )
    return whole
