"""The schema of an uploaded file, with what it says of its columns besides: batches that are appended have the same."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bigviz.data.arrow_errors import reading

__all__ = ["schema_of"]


def schema_of(path: Path) -> pa.Schema:
    """The schema of an Arrow IPC stream or a Parquet file that was checked before. Raises Unreadable."""
    with reading(str(path), "an uploaded table"):
        if path.suffix == ".parquet":
            return pq.read_schema(path)
        with path.open("rb") as file, pa.ipc.open_stream(file) as stream:
            return stream.schema
