"""Parquet footers as bytes: read with care, and changed where pyarrow would refuse them whole for one column."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from bigviz.common.errors import TooLarge, Unreadable
from bigviz.data.formats.stable_file import StableFile
from bigviz.data.limits import MOST_FOOTER

__all__ = ["metadata_of", "read_footer", "without_arrow_schema"]

_ARROW_SCHEMA = b"\x0cARROW:schema"  # a Thrift text of twelve letters, the key of the Arrow types


def read_footer(file: StableFile) -> bytes:
    """The footer, which holds every chunk's offset, size and statistics.

    Raises `Unreadable` if the file has no whole footer, `TooLarge` if it declares one beyond 256 MiB.
    """
    with file.open() as handle:
        tail = handle.read_at(8, max(0, file.size - 8))
        if file.size < 12 or tail[4:] not in (b"PAR1", b"PARE"):
            raise Unreadable(
                f"{file.path} is a truncated Parquet file: it ends after {file.size:,} bytes without a footer. "
                "Its writer was stopped or the copy is not complete; write or copy it again.",
                field="source",
                got=file.path,
            )
        size = int.from_bytes(tail[:4], "little")
        if size > file.size - 12:
            raise Unreadable(
                f"{file.path} is damaged: it declares a footer of {size:,} bytes in a file of {file.size:,}.",
                field="source",
                got=file.path,
            )
        if size > MOST_FOOTER:
            raise TooLarge(
                f"{file.path} has a footer of {size:,} bytes; bigviz reads at most {MOST_FOOTER:,}.", got=file.path
            )
        return bytes(handle.read_at(size, file.size - 8 - size))


def metadata_of(footer: bytes) -> pq.FileMetaData:
    """What a footer says: pyarrow takes it apart only at the end of a file."""
    file = b"".join([b"PAR1", footer, len(footer).to_bytes(4, "little"), b"PAR1"])
    return pq.ParquetFile(pa.BufferReader(file)).metadata


def without_arrow_schema(footer: bytes) -> bytes:
    """The footer without the Arrow types that its writer noted, if it did: Parquet's own types are left."""
    before, key, after = footer.rpartition(_ARROW_SCHEMA)
    return before + key.lower() + after
