"""Dask DataFrames: their partitions become Arrow tables in the memory of the workers that compute them.

Nothing here imports Dask: a DataFrame and a client are only asked for what they can do.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from bigviz.common.cancel import Cancel
from bigviz.common.errors import BadInput, BigvizError, Unreadable
from bigviz.data.columns.column import Unusable
from bigviz.data.columns.merged_type import as_type
from bigviz.data.formats.merged_schema import merge_schemas
from bigviz.data.sources.frames import to_table
from bigviz.data.sources.memory import MemorySource
from bigviz.data.sources.partitions import PartitionsSource, Span, spans_of

__all__ = ["DaskFrameSource", "dask_frame_source", "finished", "is_dask_frame", "kept_at_workers"]

_LOOK: Final = 0.05  # seconds between two looks at a caller's cancel flag

Converted = tuple[pa.Table, dict[int, Unusable]]


class DaskFrameSource(PartitionsSource):
    """Partitions that the workers of `client` hold, as tables that are the results of `futures`."""

    client: Any
    futures: tuple[Any, ...]


@dataclass(frozen=True)
class _AtWorkers:
    """A partition that some worker holds."""

    client: Any
    future: Any
    rows: int

    def columns(self, indices: Sequence[int], spans: Sequence[Span], cancel: Cancel) -> pa.Table:
        asked = _submitted(self.client, spans_of, self.future, list(indices), list(spans))
        return _result(asked, cancel)

    def direct(self, index: int) -> None:
        """None: it is not in this process's memory."""


def is_dask_frame(source: object) -> bool:
    """Whether an object is a DataFrame of Dask."""
    bases = type(source).__mro__
    return any(base.__name__ == "DataFrame" and base.__module__.split(".")[0] in _PACKAGES for base in bases)


_PACKAGES = ("dask", "dask_expr")


def dask_frame_source(frame: Any, client: Any, cancel: Cancel) -> DaskFrameSource | MemorySource:
    """The rows of a Dask DataFrame, partition after partition, computed by the workers of a client and kept there.

    Types that differ between partitions are merged as those of files are. An index without a name is left out. Raises
    BadInput without a client that is connected, Unreadable where a partition cannot be computed or taken, and
    Cancelled.
    """
    _check(client)
    try:
        computed = client.compute(list(frame.to_delayed()))
        converted = client.map(_converted, computed, pure=False)
        facts = [_result(each, cancel) for each in client.map(_facts, converted, pure=False)]
    except BigvizError:
        raise
    except Exception as error:  # whatever the expression that the DataFrame stands for raises
        raise Unreadable(f"The Dask DataFrame cannot be computed: {_reason(error)}", "source") from error
    merged = [(schema, unusable, f"partition {number}") for number, (_, schema, unusable) in enumerate(facts)]
    schema, unusable, notes = merge_schemas(merged)
    filled = [at for at, (rows, _, _) in enumerate(facts) if rows]
    if not filled:
        return MemorySource(schema.empty_table(), unusable)
    futures = client.map(_in_schema, [converted[at] for at in filled], schema=schema, pure=False)
    partitions = [_AtWorkers(client, future, facts[at][0]) for at, future in zip(filled, futures, strict=True)]
    for partition in partitions:
        _done(partition.future, cancel)
    source = DaskFrameSource(partitions, schema, unusable, secrets.token_hex(32), notes)
    source.client, source.futures = client, tuple(futures)
    return source


def kept_at_workers(source: DaskFrameSource, keep: Any, first: int, stop: int, worker: str) -> list[Any]:
    """What is under way to have `keep(fingerprint, number, table)` called by a worker for some partitions, whose tables
    Dask brings to it. Blocks for no longer than a message takes."""
    return [
        _submitted(source.client, keep, source.fingerprint, number, source.futures[number], workers=[worker],
                   allow_other_workers=False)
        for number in range(first, stop)
    ]  # fmt: skip


def finished(futures: Sequence[Any], cancel: Cancel) -> None:
    """Wait for results that nobody needs. Raises Unreadable where there are none, and Cancelled."""
    for future in futures:
        _result(future, cancel)


def _check(client: Any) -> None:
    """Raise BadInput for what is no client, or cannot be used now."""
    if client is None:
        raise BadInput(
            "A Dask DataFrame is opened with the client of the cluster that computes it: bv.open(frame, "
            "client=client). One that this process's memory holds is opened as bv.open(frame.compute()).",
            "client",
        )
    if not all(hasattr(client, name) for name in ("compute", "submit", "map", "status")):
        kind = type(client).__name__
        raise BadInput(f"client is a distributed.Client, got a {kind}", "client", kind)
    if getattr(client, "asynchronous", False):
        raise BadInput("client is one that blocks, got an asynchronous one: make it without asynchronous=True.",
                       "client")  # fmt: skip
    if client.status != "running":
        raise BadInput(f"client is connected to a scheduler, got one that is {client.status}", "client", client.status)


def _converted(frame: Any) -> Converted:
    """A partition as a table, and why some of its columns cannot be used. Runs on a worker."""
    index = getattr(frame, "index", None)
    if index is not None and getattr(index, "names", None) == [None]:
        frame = frame.reset_index(drop=True)
    return to_table(frame)


def _facts(converted: Converted) -> tuple[int, pa.Schema, dict[int, Unusable]]:
    """What the schema of all partitions is made of. Runs on a worker."""
    table, unusable = converted
    return table.num_rows, table.schema.remove_metadata(), unusable


def _in_schema(converted: Converted, schema: pa.Schema) -> pa.Table:
    """A partition in the types of all. Runs on a worker."""
    table = converted[0]
    columns = []
    for field in schema:
        at = table.schema.get_field_index(field.name)
        if at < 0 or pa.types.is_null(field.type):
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table.column(at)
        if column.type != field.type:
            chunks = [as_type(chunk, field.type) for chunk in column.chunks]
            column = pa.chunked_array([each.cast(field.type) for each in chunks], field.type)
        columns.append(column)
    return pa.table(columns, schema=schema)


def _submitted(client: Any, function: Any, *values: Any, **options: Any) -> Any:
    try:
        return client.submit(function, *values, pure=False, **options)
    except Exception as error:  # the client is closed
        raise _gone(error) from error


def _done(future: Any, cancel: Cancel) -> None:
    """Wait for a result that stays where it is. Raises as `_result`."""
    _result(future.client.submit(_nothing, future, pure=False), cancel)


def _nothing(value: object) -> None:
    """Nothing, once a value is there. Runs on a worker."""


def _result(future: Any, cancel: Cancel) -> Any:
    """The result of a future, as soon as it is there. Raises what computing it does as Unreadable, and Cancelled."""
    there = threading.Event()
    try:
        future.add_done_callback(lambda done: there.set())
        while not there.wait(_LOOK) and not future.done():
            cancel.check()
        return future.result()
    except BigvizError:
        raise
    except Exception as error:
        if getattr(future, "status", "") == "error":
            raise Unreadable(f"The Dask DataFrame cannot be computed: {_reason(error)}", "source") from error
        raise _gone(error) from error


def _gone(error: BaseException) -> Unreadable:
    return Unreadable(
        f"Rows of the Dask DataFrame are not on its cluster any more ({_reason(error)}): connect and open it again.",
        "source",
    )


def _reason(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0][:200]}" if text else type(error).__name__
