"""Rows as an Arrow IPC stream, in which they go between processes and by HTTP."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["ipc_stream"]


def ipc_stream(rows: pa.Table | pa.RecordBatch) -> bytes:
    """The bytes of a whole stream: the schema, the rows in the batches that they are in, and the end."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write(rows)
    return bytes(sink.getvalue())
