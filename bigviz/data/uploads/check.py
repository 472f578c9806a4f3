"""Reading an uploaded file from end to end: every count, offset and code in it is looked at before it is kept.

Runs in a process whose memory and time are limited (`bigviz.data.uploads.worker`): what a file declares is checked
first, because that is cheap, and believed never.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from bigviz.common.errors import BadInput, TooLarge, Unreadable
from bigviz.data.uploads.facts import Format, TableFacts

__all__ = ["MARK", "NO_END", "OLD_END", "check_batch", "check_columns", "check_file", "reason"]

MOST_COLUMNS: Final = 4_096
MOST_ROW_GROUPS: Final = 100_000
MOST_ROWS: Final = 1 << 40
MOST_RATIO: Final = 1_000  # bytes in memory for a byte of the file, beyond a size that nobody minds
FREE_BYTES: Final = 256 << 20  # that size
_AXIS_NUMBER: Final = 8  # bytes
_BATCH_ROWS: Final = 1 << 18
MARK: Final = b"\xff\xff\xff\xff"  # before each message, since Arrow 0.15
OLD_END: Final = b"\0\0\0\0"  # the length of the message that ends a stream
NO_END: Final = "The Arrow stream has no end: it was cut off, or its writer was not closed."
_PARQUET: Final = b"PAR1"


def check_file(path: Path, format: Format) -> TableFacts:
    """The facts of a file that is sound throughout.

    Raises Unreadable for a file that is damaged or of another format, TooLarge for one that would be much larger in
    memory than on the disk or has more columns or row groups than anybody needs, BadInput for a stream without its end.
    """
    try:
        return _parquet(path) if format == "parquet" else _arrow(path)
    except (pa.ArrowMemoryError, MemoryError) as error:
        raise TooLarge("The table needs more memory to be checked than one upload may take.", "body") from error
    except (pa.ArrowException, OSError, ValueError, KeyError, OverflowError) as error:
        raise Unreadable(f"The upload is no sound {_NAMES[format]}: {reason(error)}", "body") from error


def _arrow(path: Path) -> TableFacts:
    size = path.stat().st_size
    with path.open("rb") as file, pa.ipc.open_stream(file) as reader:
        check_columns(reader.schema)
        rows = total = 0
        for batch in reader:
            rows, total = check_batch(batch, rows, total, size)
        _check_end(file.fileno(), size)
        return TableFacts("arrows", rows, _columns(reader.schema))


def _parquet(path: Path) -> TableFacts:
    size = path.stat().st_size
    with path.open("rb") as file:
        head, tail = file.read(4), os.pread(file.fileno(), 4, max(size - 4, 0))
        if size < 12 or head != _PARQUET or tail != _PARQUET:
            raise Unreadable("The upload is no Parquet file: it does not begin and end with PAR1.", "body")
        file.seek(0)
        found = pq.ParquetFile(
            file,
            pre_buffer=False,
            thrift_string_size_limit=64 << 20,
            thrift_container_size_limit=8 << 20,
            page_checksum_verification=True,
        )
        _check_footer(found.metadata, size)
        check_columns(found.schema_arrow)
        rows = total = 0
        for batch in _batches(found):
            rows, total = check_batch(batch, rows, total, size)
        if rows != found.metadata.num_rows:
            raise Unreadable(f"The footer counts {found.metadata.num_rows:,} rows, and {rows:,} are there.", "body")
        return TableFacts("parquet", rows, _columns(found.schema_arrow))


def _batches(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    yield from file.iter_batches(_BATCH_ROWS, use_threads=False)


def _check_footer(metadata: pq.FileMetaData, size: int) -> None:
    """What the footer declares, before anything else is read."""
    if metadata.num_row_groups > MOST_ROW_GROUPS:
        raise TooLarge(f"A table has at most {MOST_ROW_GROUPS:,} row groups.", "body", metadata.num_row_groups)
    if not 0 <= metadata.num_rows <= MOST_ROWS:
        raise Unreadable(f"The footer declares {metadata.num_rows:,} rows.", "body", metadata.num_rows)
    if metadata.num_columns > MOST_COLUMNS:
        raise TooLarge(f"A table has at most {MOST_COLUMNS:,} columns.", "body", metadata.num_columns)
    declared = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        declared += max(0, group.total_byte_size)
    _check_size(declared, size)


def check_columns(schema: pa.Schema) -> None:
    """Raise TooLarge for more columns than anybody needs."""
    if len(schema) > MOST_COLUMNS:
        raise TooLarge(f"A table has at most {MOST_COLUMNS:,} columns, got {len(schema):,}.", "body", len(schema))


def check_batch(batch: pa.RecordBatch, rows: int, total: int, size: int) -> tuple[int, int]:
    """Rows and bytes with one more batch, which is sound, of a body of `size` bytes. Raises what makes it unsound, and
    TooLarge."""
    batch.validate(full=True)
    rows, total = rows + batch.num_rows, total + batch.get_total_buffer_size() + _implied(batch)
    _check_size(total, size)
    if rows > MOST_ROWS:
        raise TooLarge(f"A table has at most {MOST_ROWS:,} rows.", "body", rows)
    return rows, total


def _implied(batch: pa.RecordBatch) -> int:
    """Bytes that columns take once each row has its value: those of nulls and of runs are written down once."""
    short = sum(map(_is_short, batch.schema.types))
    return int(batch.num_rows * short * _AXIS_NUMBER)


def _is_short(type_: pa.DataType) -> bool:
    while isinstance(type_, pa.BaseExtensionType):
        type_ = type_.storage_type
    return bool(pt.is_run_end_encoded(type_) or pt.is_null(type_))


def _check_size(total: int, size: int) -> None:
    if total > max(FREE_BYTES, MOST_RATIO * size):
        raise TooLarge(
            f"The table takes {total >> 20:,} MiB in memory, more than {MOST_RATIO:,} times its {size:,} bytes: "
            "upload it less compressed, or in parts.",
            "body",
            total,
        )


def _check_end(descriptor: int, size: int) -> None:
    is_old = os.pread(descriptor, 4, 0) != MARK
    if not os.pread(descriptor, 8, max(size - 8, 0)).endswith(OLD_END if is_old else MARK + OLD_END):
        raise BadInput(NO_END, "body")


def _columns(schema: pa.Schema) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, str(field.type)) for field in schema)


def reason(error: Exception) -> str:
    """Arrow's first line, without a path in it."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


_NAMES: Final = {"arrows": "Arrow IPC stream", "parquet": "Parquet file"}
